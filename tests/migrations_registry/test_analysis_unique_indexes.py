"""An index that keeps duplicates out guards as a constraint does: what the live catalog says of it, not its name."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.risk import ROUTINE, SENSITIVE, risk_of
from migrations_registry.services.live_facts import facts_of
from providers.postgres.schema.live_facts import read_live

TABLE = """CREATE TABLE guarded (a text, b text, gone boolean);
CREATE UNIQUE INDEX plain_name ON guarded (a, b);
CREATE UNIQUE INDEX in_part ON guarded (a) WHERE NOT gone;
CREATE UNIQUE INDEX computed ON guarded (lower(a));
CREATE INDEX a_unique_key ON guarded (a)"""
DROP = "DROP INDEX CONCURRENTLY "
RISKS = {
    DROP + "plain_name": SENSITIVE,
    DROP + "in_part": SENSITIVE,
    DROP + "computed": SENSITIVE,
    DROP + "a_unique_key": ROUTINE,
    "CREATE UNIQUE INDEX CONCURRENTLY x ON guarded (a, b); " + DROP + "plain_name": ROUTINE,
    DROP + "plain_name; CREATE UNIQUE INDEX CONCURRENTLY x ON guarded (a, b)": SENSITIVE,
    "CREATE INDEX CONCURRENTLY x ON guarded (a, b); " + DROP + "plain_name": SENSITIVE,
    "CREATE UNIQUE INDEX CONCURRENTLY x ON guarded (a, b) WHERE gone; " + DROP + "plain_name": SENSITIVE,
    "CREATE UNIQUE INDEX CONCURRENTLY x ON guarded (b, a); " + DROP + "plain_name": SENSITIVE,
    "CREATE UNIQUE INDEX CONCURRENTLY x ON other (a, b); " + DROP + "plain_name": SENSITIVE,
}


@pytest.fixture
def facts(proof_dsn: str) -> Iterator[CatalogFacts]:
    with psycopg.connect(proof_dsn) as connection:
        connection.execute(TABLE)
        yield facts_of(read_live(connection))
        connection.rollback()


@pytest.mark.parametrize("text", RISKS)
def test_whether_duplicates_get_in_decides(text: str, facts: CatalogFacts) -> None:
    assert risk_of(analyse(text.encode(), as_runner=True, facts=facts).statements, facts) == RISKS[text]


@pytest.mark.parametrize(
    ("index", "told"),
    {
        "plain_name": "; duplicates in (a, b) get into guarded from now on, and ON CONFLICT that counts on it fails",
        "computed": "; duplicates get into guarded from now on, and ON CONFLICT that counts on it fails",
        "a_unique_key": "its table",
    }.items(),
)
def test_what_gets_in_is_told(index: str, told: str, facts: CatalogFacts) -> None:
    (message,) = [each.message for each in analyse(f"{DROP}{index}".encode(), facts=facts).findings]

    assert message.endswith(told)


def test_without_a_catalog_it_is_said_that_it_may_be_unique() -> None:
    (message,) = [each.message for each in analyse(f"{DROP}plain_name".encode()).findings]

    assert message.endswith("; if it is UNIQUE, duplicates get in from now on")
