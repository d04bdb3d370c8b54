"""Every sample of every rule of the analysis, run and measured: what an ordinary file does is declared."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import psycopg
import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.model import OPAQUE
from migrations_registry.analysis.rule_registry import CATALOGUE
from migrations_registry.apply.measured import MoreThanApproved
from migrations_registry.effects.unseen import refusals
from providers import postgres
from providers.errors import Refused
from tests.migrations_registry.effects.bench import Bench

# What the first does is meant to be seen; the second needs rows from a client.
MEANT = {"MD-SYSTEM-CATALOG", "MP-COPY-STDIN"}
# The rules take a policy that is made again for the same one; the guard sees that this one is another.
OTHER_POLICY = "DROP POLICY orders_read ON orders; CREATE POLICY orders_read ON orders FOR SELECT USING (id > 0)"
STRICTER = {OTHER_POLICY, "ALTER ROLE anon CONNECTION LIMIT 5"}


@pytest.fixture(scope="module")
def proof_bench(proof_dsn: str) -> Iterator[Bench]:
    with postgres.connect(proof_dsn, read_only=False) as own, postgres.connect(proof_dsn) as other:
        yield Bench(own, other)


@functools.cache
def is_ordinary(text: str) -> bool:
    """Runs in one transaction, holds nothing that nobody can follow, and does nothing unseen."""
    found = analyse(text.encode())
    inside = all(each.transactional and each.kind != "TransactionStmt" for each in found.statements)
    known = not any(finding.severity == OPAQUE for finding in found.findings)
    return inside and known and not refusals(text.encode())


HONEST = {
    rule.id: [text for text in (*rule.bad, *rule.good) if is_ordinary(text) and text not in STRICTER]
    for rule in CATALOGUE.values()
    if rule.id not in MEANT
}
SAMPLES = {
    rule.id: [text for text in rule.bad if is_ordinary(text)] for rule in CATALOGUE.values() if rule.id not in MEANT
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("rule_id", [rule_id for rule_id, texts in SAMPLES.items() if texts])
def test_what_a_sample_does_is_declared(rule_id: str, proof_bench: Bench) -> None:
    more = {}
    for text in SAMPLES[rule_id]:
        try:
            proof_bench.judge(text)
        except MoreThanApproved as surplus:
            more[text] = str(surplus)
        except (psycopg.Error, Refused):  # a sample of what the server itself refuses
            continue
    assert more == {}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("rule_id", [rule_id for rule_id, texts in HONEST.items() if texts])
def test_what_a_sample_does_was_voted_on_as_the_analysis_says(
    rule_id: str, proof_bench: Bench, proof_facts: CatalogFacts
) -> None:
    """The guard's table of risks is no stricter than the rules: an honest file never meets it."""
    more = {}
    for text in HONEST[rule_id]:
        try:
            proof_bench.judge(text, analyse(text.encode(), as_runner=True, facts=proof_facts).risk)
        except MoreThanApproved as graver:
            more[text] = str(graver)
        except (psycopg.Error, Refused):
            continue
    assert more == {}


def test_most_samples_are_measured() -> None:
    assert sum(map(len, SAMPLES.values())) > 120
