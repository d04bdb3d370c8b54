"""A database made fit for any SQL text: what the server says is missing is made, until the text runs or nothing helps.

In: a session of a database's owner, a text. Out: statements that a fresh database needs before; its tables hold rows,
rights, policies and triggers, so that there is something to lose.
"""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
from psycopg import sql

from migrations_registry.analysis.parsing.nodes import relation
from migrations_registry.analysis.parsing.parser import Raw, parse

TRIES = 40
_CONCURRENTLY = re.compile(rb"(?i)\bconcurrently\b")
TYPES = ("text", "integer", "timestamptz", "boolean")
# Lines "what the server says => what is made because of it"; {0} is the first name, {type} the type of new columns.
RULES = (line.split(" => ") for line in Path(__file__).with_name("missing.txt").read_text().splitlines())
MISSING = [(re.compile(says), makes) for says, makes in RULES]
ROLE = re.compile(r'role "(.+?)" does not exist')
FURNITURE = """
INSERT INTO {0} (id) SELECT g FROM generate_series(90001, 90003) g;
ALTER TABLE {0} ENABLE ROW LEVEL SECURITY;
CREATE POLICY furniture ON {0} USING (true);
CREATE TRIGGER furniture BEFORE UPDATE ON {0} FOR EACH ROW EXECUTE FUNCTION furniture();
GRANT SELECT ON {0} TO pg_monitor;
"""
TRIGGER = "CREATE FUNCTION furniture() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"


def prepare(connection: psycopg.Connection, text: str, admin: psycopg.Connection) -> list[str] | None:
    """What must be there for the text to run; None where that was not found. Only roles are really made."""
    statements = _statements(text.encode())
    for kind in TYPES:
        made: list[str] = [TRIGGER]
        for _ in range(TRIES):
            error = _try(connection, made, statements)
            if error is None:
                return _furnished(connection, made, statements)
            if not _mend(connection, str(error.diag.message_primary), kind, made, admin):
                break
    return None


def _statements(data: bytes) -> list[bytes]:
    """As they can be tried in a transaction: without CONCURRENTLY, and ANALYZE in the place of VACUUM."""
    tried = []
    for item in parse(data):
        if not isinstance(item, Raw) or item.kind in ("TransactionStmt", "DropdbStmt"):
            continue
        if item.kind == "VacuumStmt":
            names = [".".join(relation(each["VacuumRelation"]["relation"])) for each in item.node.get("rels", [])]
            tried += [f"ANALYZE {name}".encode() for name in names]
        else:
            tried.append(_CONCURRENTLY.sub(b"", data[item.start : item.end]))
    return tried


def _try(connection: psycopg.Connection, made: list[str], statements: list[bytes]) -> psycopg.Error | None:
    """What is in the way, if something is; nothing is kept."""
    try:
        with connection.transaction(force_rollback=True):
            for statement in [*(each.encode() for each in made), *statements]:
                connection.execute(statement)
    except psycopg.Error as error:
        return error
    return None


def _mend(connection: psycopg.Connection, message: str, kind: str, made: list[str], admin: psycopg.Connection) -> bool:
    if role := ROLE.search(message):
        admin.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role[1])))
        return True
    for pattern, template in MISSING:
        if found := pattern.search(message):
            names = [_quoted(connection, name) for name in found.groups()]
            tables = [each.split()[2] for each in made if each.startswith("CREATE TABLE")] or ["nothing"]
            new = [template.format(*names, type=kind, table=table) for table in tables]
            new = [each for each in dict.fromkeys(new) if each not in made]
            made += new
            return bool(new)
    return False


def _furnished(connection: psycopg.Connection, made: list[str], statements: list[bytes]) -> list[str]:
    """With as much of what can be lost as the text still runs with."""
    for table in [each.split()[2] for each in made if each.startswith("CREATE TABLE") and "bigserial" in each]:
        for line in FURNITURE.format(table).strip().splitlines():
            if _try(connection, [*made, line], statements) is None:
                made.append(line)
    return made


def _quoted(connection: psycopg.Connection, name: str) -> str:
    return sql.Identifier(*name.split(".")).as_string(connection)
