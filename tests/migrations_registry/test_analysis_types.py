"""Every pair of types, and what hangs on a column: a real server says whether a change writes, checks or builds."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from migrations_registry.analysis import analyse
from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.parsing.nodes import full_type, modifiers
from migrations_registry.analysis.parsing.parser import Raw, parse
from migrations_registry.analysis.postgresql.type_changes import Change, change
from migrations_registry.services.live_facts import facts_of
from providers.postgres.schema.live_facts import read_live

ALL = """int2 int4 int8 numeric numeric(10,2) numeric(12,2) numeric(12,4) numeric(8,2) float4 float8 text varchar
varchar(10) varchar(40) char(5) bytea bool date timestamp timestamp(3) timestamp(6) timestamptz timestamptz(3) time
time(3) timetz interval interval(3) interval(6) json jsonb uuid inet cidr bit(4) varbit varbit(4) varbit(9) text[]
varchar[] varchar(10)[] varchar(40)[] int4[] timestamp(3)[] name money xml"""
TYPES = ALL.split()
# The server finds these harmless; nobody loses by care.
CAUTIOUS = {("xml", "text"), ("xml", "varchar"), ("timestamp", "timestamp(6)")}


def judged(before: str, after: str) -> Change:
    """What the analysis says of one pair, the new type as the grammar has it."""
    (raw,) = [piece for piece in parse(f"SELECT NULL::{after}".encode()) if isinstance(piece, Raw)]
    node = raw.node["targetList"][0]["ResTarget"]["val"]["TypeCast"]["typeName"]
    return change(before, full_type(node), modifiers(node), utc=True)


@pytest.fixture(scope="module")
def columns(proof_dsn: str) -> Iterator[tuple[psycopg.Connection, dict[str, str]]]:
    """One table a type, and how the catalogue spells it; nothing stays."""
    with psycopg.connect(proof_dsn) as connection:
        connection.execute("SET TimeZone = 'UTC'; CREATE SCHEMA pairs; SET search_path = pairs")
        for number, name in enumerate(TYPES):
            connection.execute(f"CREATE TABLE t{number} (c {name})".encode())
        spelled = dict(
            connection.execute(
                "SELECT c.relname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a"
                " JOIN pg_class c ON c.oid = a.attrelid WHERE a.attname = 'c' AND relnamespace = 'pairs'::regnamespace"
            )
        )
        yield connection, spelled
        connection.rollback()


def rewrites(connection: psycopg.Connection, table: str, after: str) -> bool | None:
    """Whether the server writes the table anew; None: it has no such change."""
    node = sql.SQL("SELECT pg_relation_filenode({})").format(sql.Literal(table))
    before = connection.execute(node).fetchone()
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(f"ALTER TABLE {table} ALTER COLUMN c TYPE {after}".encode())
            return connection.execute(node).fetchone() != before
    except psycopg.errors.DatatypeMismatch:
        return None


@pytest.mark.parametrize("number", range(len(TYPES)), ids=TYPES)
def test_no_change_of_type_is_called_safe_that_writes_the_table(
    number: int, columns: tuple[psycopg.Connection, dict[str, str]]
) -> None:
    connection, spelled = columns
    wrong, cautious = [], []
    for after in TYPES:
        seen, said = rewrites(connection, f"t{number}", after), judged(spelled[f"t{number}"], after)
        wrong += [after] if seen and said is Change.SAFE else []
        cautious += [after] if seen is False and said is not Change.SAFE else []

    assert wrong == []
    assert {(TYPES[number], after) for after in cautious} <= CAUTIOUS


USING = {
    "TYPE varchar(80) USING code::varchar(80)": {"ML-TYPE-SAFE"},
    "TYPE varchar(80) USING code": {"ML-TYPE-SAFE"},
    "TYPE text USING orders.code": {"ML-TYPE-SAFE"},
    "TYPE varchar(10) USING code::varchar(10)": {"ML-TYPE-CHANGE", "MD-ALTER-NARROW"},
    "TYPE varchar(80) USING code::varchar(10)": {"ML-TYPE-CHANGE", "MD-ALTER-NARROW"},
    "TYPE text USING left(code, 3)": {"ML-TYPE-CHANGE", "MD-ALTER-NARROW"},
    "TYPE text USING NULL": {"ML-TYPE-CHANGE", "MD-ALTER-NARROW"},
    "TYPE text USING 'x'": {"ML-TYPE-CHANGE", "MD-ALTER-NARROW"},
    "TYPE text USING note": {"ML-TYPE-CHANGE", "MD-ALTER-NARROW"},
    "TYPE int USING code::int": {"ML-TYPE-CHANGE"},
    "TYPE jsonb USING to_jsonb(code)": {"ML-TYPE-CHANGE"},
}


@pytest.mark.parametrize("change", USING)
def test_using_is_judged_by_what_it_leaves_of_a_value(change: str, proof_facts: CatalogFacts) -> None:
    found = analyse(f"ALTER TABLE orders ALTER COLUMN code {change}".encode(), facts=proof_facts).findings

    assert {finding.rule for finding in found} - {"ML-NO-LOCK-TIMEOUT"} == USING[change]


HANGING = {
    "CREATE INDEX ON hung (c)": "text",
    "CREATE INDEX ON hung (lower(c))": "text",
    "CREATE INDEX ON hung (n) WHERE c <> ''": "text",
    "CREATE UNIQUE INDEX ON hung (n, c)": 'text COLLATE "C"',
    "ALTER TABLE hung ADD CHECK (c <> '')": "varchar(40)",
    "ALTER TABLE hung ADD CHECK (n > 0)": "varchar(40)",
    "ALTER TABLE hung ADD CHECK (n > length(c)) NOT VALID": "varchar(40)",
    'ALTER TABLE hung ALTER c TYPE varchar(20) COLLATE "C"; CREATE INDEX ON hung (c)': "varchar(40)",
    "CREATE INDEX ON hung (n)": 'text COLLATE "C"',
}
FILES = (
    "SELECT array_agg(pg_relation_filenode(indexrelid) ORDER BY indexrelid),"
    " pg_stat_get_xact_numscans('hung'::regclass) FROM pg_index WHERE indrelid = 'hung'::regclass"
)


@pytest.mark.parametrize("made", HANGING)
def test_what_hangs_on_a_column_is_told_when_its_type_changes(made: str, proof_dsn: str) -> None:
    with psycopg.connect(proof_dsn) as connection:
        connection.execute(
            "CREATE TABLE hung (c varchar(20), n int); INSERT INTO hung SELECT n, n FROM generate_series(1, 9) n"
        )
        connection.execute(made.encode())
        facts, before = facts_of(read_live(connection)), connection.execute(FILES).fetchone()
        change = f"ALTER TABLE hung ALTER COLUMN c TYPE {HANGING[made]}"
        connection.execute(change.encode())
        worked = before != connection.execute(FILES).fetchone()
        connection.rollback()

    found = {finding.rule for finding in analyse(change.encode(), facts=facts).findings}
    assert ("ML-TYPE-REMADE" in found) == worked
    assert ("ML-TYPE-SAFE" in found) != worked
