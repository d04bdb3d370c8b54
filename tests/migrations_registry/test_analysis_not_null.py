"""NOT NULL by a CHECK of an earlier file: what the live catalog says of it counts, not its name."""

from __future__ import annotations

import psycopg
import pytest

from migrations_registry.analysis import analyse
from migrations_registry.services.live_facts import facts_of
from providers.postgres.schema.live_facts import read_live

CHECKS = {
    "CONSTRAINT present CHECK (n IS NOT NULL)": "ML-SET-NOT-NULL-PROVEN",
    'CONSTRAINT "Odd name" CHECK ("Big" IS NOT NULL)': "ML-SET-NOT-NULL-PROVEN",
    "CONSTRAINT filled_n_not_null CHECK (n > 0)": "ML-SET-NOT-NULL",
    "CONSTRAINT filled_n_not_null CHECK (o IS NOT NULL)": "ML-SET-NOT-NULL",
    "CONSTRAINT present CHECK (n IS NOT NULL OR o > 0)": "ML-SET-NOT-NULL",
    "CONSTRAINT elsewhere CHECK (o IS NOT NULL)": "ML-SET-NOT-NULL",
}


@pytest.mark.parametrize("check", CHECKS)
def test_what_a_validated_check_proves(check: str, proof_dsn: str) -> None:
    name, column = check.split(" CHECK")[0].removeprefix("CONSTRAINT "), '"Big"' if "Big" in check else "n"
    with psycopg.connect(proof_dsn) as connection:
        connection.execute('CREATE TABLE filled (n int, o int, "Big" int)')
        connection.execute(f"ALTER TABLE filled ADD {check} NOT VALID")
        facts = facts_of(read_live(connection))
        connection.rollback()
    text = f"ALTER TABLE filled VALIDATE CONSTRAINT {name}; ALTER TABLE filled ALTER COLUMN {column} SET NOT NULL"

    assert CHECKS[check] in {each.rule for each in analyse(text.encode(), facts=facts).findings}


def test_the_check_may_go_when_the_column_is_not_null(proof_dsn: str) -> None:
    with psycopg.connect(proof_dsn) as connection:
        connection.execute("CREATE TABLE filled (n int NOT NULL, CONSTRAINT present CHECK (n IS NOT NULL))")
        facts = facts_of(read_live(connection))
        connection.rollback()

    found = analyse(b"ALTER TABLE filled DROP CONSTRAINT present", facts=facts).findings

    assert "MD-DROP-CONSTRAINT" not in {each.rule for each in found}
