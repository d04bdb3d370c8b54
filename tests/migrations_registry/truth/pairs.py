"""Every pair of types: what a server does when a column of one becomes the other, and what the analysis says.

In: a database of its own schema. Out: a cell a pair. `w`: written anew; `i`: its index is built again; `.`: neither;
`-`: there is no such change.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from migrations_registry.analysis import analyse
from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.services.live_facts import facts_of
from providers.postgres.schema.live_facts import read_live

_BUILT_IN = """int2 int4 int8 numeric numeric(10,2) numeric(12,2) numeric(12,4) numeric(8,2) float4 float8 text varchar
varchar(10) varchar(40) char(5) bytea bool date timestamp timestamp(3) timestamp(6) timestamptz timestamptz(3) time
time(3) timetz interval interval(3) interval(6) json jsonb uuid inet cidr bit(4) varbit varbit(4) varbit(9) text[]
varchar[] varchar(10)[] varchar(40)[] int4[] timestamp(3)[] name money xml oid"""
BUILT_IN = _BUILT_IN.split()
MADE = {
    "plain": "CREATE DOMAIN plain AS int4",
    "short": "CREATE DOMAIN short AS varchar(10)",
    "nested": "CREATE DOMAIN inner_one AS text; CREATE DOMAIN nested AS inner_one",
    "checked": "CREATE DOMAIN checked AS int4 CHECK (value > 0)",
    "required": "CREATE DOMAIN required AS text NOT NULL",
    "pairs.text": "CREATE DOMAIN pairs.text AS varchar(3)",
    "colour": "CREATE TYPE colour AS ENUM ('a')",
    "couple": "CREATE TYPE couple AS (a int, b int)",
    "span": "CREATE TYPE span AS RANGE (subtype = int4)",
}
OLDER = [f"old_{name}" for name in MADE if "." not in name]
BEFORE = [*BUILT_IN, *OLDER]
AFTER = [*BUILT_IN, *MADE]
FILES = sql.SQL(
    "SELECT pg_relation_filenode({0}::regclass), (SELECT array_agg(pg_relation_filenode(indexrelid))"
    " FROM pg_index WHERE indrelid = {0}::regclass)"
)
NO_SUCH_CHANGE = (psycopg.errors.DatatypeMismatch, psycopg.errors.UndefinedObject)


@contextmanager
def tables(connection: psycopg.Connection) -> Iterator[CatalogFacts]:
    """One table a type, with an index where it can have one; rolled back after the block."""
    connection.execute("SET TimeZone = 'UTC'; CREATE SCHEMA pairs; SET search_path = pairs, public")
    for name in OLDER:
        for made in MADE[name.removeprefix("old_")].split("; "):
            connection.execute(made.replace(f" {name[4:]} ", f" {name} ").replace("inner_one", "older_one").encode())
    for number, name in enumerate(BEFORE):
        connection.execute(f"CREATE TABLE t{number} (c {name})".encode())
        try:
            with connection.transaction():
                connection.execute(f"CREATE INDEX ON t{number} (c)".encode())
        except psycopg.errors.UndefinedObject:
            pass  # no order is known of it
    yield facts_of(read_live(connection))
    connection.rollback()


def statement(before: str, after: str) -> str:
    """The file that makes the type, if it is one of MADE, and changes the column."""
    made = f"{MADE[after]}; " if after in MADE else ""
    return f"{made}ALTER TABLE pairs.t{BEFORE.index(before)} ALTER COLUMN c TYPE {after}"


def measured(connection: psycopg.Connection, before: str, after: str) -> str:
    files = FILES.format(sql.Literal(f"pairs.t{BEFORE.index(before)}"))
    old = connection.execute(files).fetchone()
    assert old is not None
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement(before, after).encode())
            new = connection.execute(files).fetchone()
    except NO_SUCH_CHANGE:
        return "-"
    assert new is not None
    return "w" if new[0] != old[0] else "i" if new[1] != old[1] else "."


SAYS = {"ML-TYPE-SAFE": ".", "ML-TYPE-REMADE": "i", "ML-TYPE-CHANGE": "w"}


def said(facts: CatalogFacts | None, before: str, after: str) -> str:
    text = f"SET search_path = pairs, public; {statement(before, after)}"
    found = [each.rule for each in analyse(text.encode(), facts=facts).findings]
    (cell,) = [SAYS[rule] for rule in found if rule in SAYS]
    return cell


def read(text: str) -> dict[tuple[str, str], str]:
    """The cells of a recorded table."""
    (_, *columns), *rows = [line.split("\t") for line in text.splitlines()]
    return {(before, after): cell for before, *cells in rows for after, cell in zip(columns, cells, strict=True)}
