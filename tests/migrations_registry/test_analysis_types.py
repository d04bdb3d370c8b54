"""What a new type leaves of a value, and what hangs on a column; pairs of types are in truth/pairs.tsv."""

from __future__ import annotations

import psycopg
import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.services.live_facts import facts_of
from providers.postgres.schema.live_facts import read_live

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
