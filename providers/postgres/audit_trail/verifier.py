"""The product's own `verify_audit_chain()`: read where it is defined, run where nothing can be harmed.

In: a catalogue; later a drill's two logins and the function's text. Out: what it says of every chain. The text comes
from the product's database, so it is defined and called by a role that owns nothing else: it alters no row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass

import psycopg
from psycopg import conninfo, sql

from providers.postgres.connection import Connection, connect, statements
from providers.postgres.error_facts import facts_of
from providers.postgres.schema.model import Name, SchemaObject

KIND, NAME = "verifier", "verify_audit_chain"
LIMIT = "60s"
BOOLEAN = 16  # its oid
WRAPPED = """(to_jsonb(v) ->> 'is_valid')::boolean,
    CASE jsonb_typeof(to_jsonb(v)) WHEN 'boolean' THEN to_jsonb(v)::text::boolean END"""


@dataclass(frozen=True)
class Said:
    """`invalid` rows of `rows`; `problem` says why it was not run."""

    chains: int = 0
    rows: int = 0
    invalid: int = 0
    problem: str = ""


def read_verifier(connection: Connection, schemas: Sequence[str], table: str) -> list[SchemaObject]:
    """The function's definition, if the product has it; needed by no restore."""
    rows = connection.execute(statements("verifier"), {"schemas": list(schemas)})
    return [SchemaObject("after", KIND, name, text, False, table) for name, text in rows]


def ask_verifier(
    connection: Connection,
    reader: str,
    text: str,
    table: Name,
    chains: Sequence[Sequence[str]],
    attend: Callable[[Sequence[Connection], Callable[[], Said]], Said],
) -> Said:
    """Define it in the drill's database as the role that only reads, and run it over every chain named: each list in a
    session of its own. `attend` is given these and the work, and cancels them where the work has to end."""
    try:
        _admit(connection, str(conninfo.conninfo_to_dict(reader)["user"]), table[0])
        with ExitStack() as stack:
            sessions = [stack.enter_context(_session(reader, table[0])) for _ in chains]
            sessions[0].execute(text.encode())
            function = sql.Identifier(table[0], NAME)
            query = sql.SQL(statements("verifier_run")).format(function=function, valid=_valid(sessions[0], function))
            return attend(sessions, lambda: _said(sessions, query, chains))
    except psycopg.Error as error:
        return Said(problem=f"It stopped: {facts_of(error)}.")


def _session(reader: str, schema: str) -> Connection:
    session = connect(reader, read_only=False)
    session.execute(sql.SQL("SET search_path = {}, pg_catalog").format(sql.Identifier(schema)))
    session.execute(sql.SQL("SET statement_timeout = {}").format(sql.Literal(LIMIT)))
    return session


def _valid(session: Connection, function: sql.Identifier) -> sql.SQL:
    """A column of its answer that says so is read as it is; else a boolean, or a text, is looked for in each row."""
    columns = session.execute(sql.SQL("SELECT * FROM {}(NULL::uuid) LIMIT 0").format(function)).description or ()
    plain = any(column.name == "is_valid" and column.type_code == BOOLEAN for column in columns)
    return sql.SQL("v.is_valid" if plain else WRAPPED)


def _said(sessions: Sequence[Connection], query: sql.Composed, chains: Sequence[Sequence[str]]) -> Said:
    def ask(session: Connection, part: Sequence[str]) -> tuple[int, ...]:
        return session.execute(query, [list(part)]).fetchone() or (0, 0, 0)

    with ThreadPoolExecutor(len(sessions)) as threads:
        asked = [threads.submit(ask, *each) for each in zip(sessions, chains, strict=True)]
        ended = wait(asked, return_when=FIRST_EXCEPTION).done
        if failed := next((error for future in ended if (error := future.exception())), None):
            for session in sessions:
                session.cancel()
            raise failed
    seen, rows, invalid = map(sum, zip(*(future.result() for future in asked), strict=True))
    return Said(seen, rows, invalid)


def _admit(connection: Connection, reader: str, schema: str) -> None:
    """Let the role read this schema and make this function in it anew, and nothing more."""
    role = sql.Identifier(reader)
    connection.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {}").format(sql.Identifier(schema), role))
    known = "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = %s::regnamespace AND proname = %s"
    for (routine,) in connection.execute(known, [sql.Identifier(schema).as_string(), NAME]).fetchall():
        connection.execute(sql.SQL("DROP ROUTINE {} CASCADE").format(sql.SQL(routine)))
    connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(sql.Identifier(schema), role))
