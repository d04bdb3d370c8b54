"""Every rule finds its bad samples and leaves its good ones alone."""

from __future__ import annotations

import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.model import CONVENTION, LOCKS, SEVERITIES, Rule
from migrations_registry.analysis.rule_registry import CATALOGUE

BAD = [(rule.id, sql) for rule in CATALOGUE.values() for sql in rule.bad]
GOOD = [(rule.id, sql) for rule in CATALOGUE.values() for sql in rule.good]


def version_of(rule: Rule) -> int:
    """A PostgreSQL version in which the rule speaks."""
    return 11 if rule.versions.startswith("before") else 18 if rule.versions.startswith("18") else 17


@pytest.mark.parametrize(("rule_id", "sql"), BAD)
def test_bad_sample_is_found(rule_id: str, sql: str, proof_facts: CatalogFacts) -> None:
    analysis = analyse(sql.encode(), pg_version=version_of(CATALOGUE[rule_id]), facts=proof_facts)

    assert rule_id in {finding.rule for finding in analysis.findings}


@pytest.mark.parametrize(("rule_id", "sql"), GOOD)
def test_good_sample_is_left_alone(rule_id: str, sql: str, proof_facts: CatalogFacts) -> None:
    analysis = analyse(sql.encode(), facts=proof_facts)

    assert rule_id not in {finding.rule for finding in analysis.findings if finding.severity != CONVENTION}


def test_the_catalogue_is_whole() -> None:
    rules = CATALOGUE.values()

    assert len(rules) >= 75
    assert all(rule.bad and rule.good and rule.message and rule.safe_form for rule in rules)
    assert all(rule.severity in SEVERITIES and (rule.lock is None or rule.lock in LOCKS) for rule in rules)
