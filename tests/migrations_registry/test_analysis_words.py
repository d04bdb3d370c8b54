"""What the rules say, whoever must decide understands: who waits, what is lost, what fails; no name is blank."""

from __future__ import annotations

import re

import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.model import (
    BLOCKING,
    DESTRUCTIVE,
    LOCKS,
    REWRITE,
    SH,
    STRENGTH,
    Finding,
    Rule,
)
from migrations_registry.analysis.rule_registry import CATALOGUE

WAITS = re.compile(r"nobody|writers|readers|waits?\b")
LOST = re.compile(r"lost|comes? back|brings? (it |them )?back|come again|come twice|is gone|for good")
# What only PostgreSQL's developers say, or says nothing about whom it hits. SQL itself is no such word.
UNEXPLAINED = re.compile(
    r"brief lock|\block(s|ed)? (is|are|the)\b|stored form|system catalog|rewrites?\b|\bscans?\b|relfilenode|tuples?\b"
    r"|heap|toast|\bWAL\b|MVCC|\bDDL\b|\bDML\b|full index|catalog-only|in-place|AccessExclusive|\bAX\b|reloption",
    re.I,
)
BLANK = re.compile(r"  |[{}]|\bNone\b|''|\(\)(?<!\w\(\))| [:,;]|,,|\b(of|to|from)(?=[:,;]|$)|^[:,;]|[:,;]$")
# The rules whose statement fails on rows that are there already.
CHECKING = """ML-ADD-CHECK ML-INLINE-CHECK ML-ADD-FK ML-ADD-UNIQUE ML-ADD-PK ML-EXCLUDE ML-SET-NOT-NULL ML-VALIDATE
ML-INDEX-UNIQUE ML-DOMAIN-CONSTRAINT ML-PK-USING-INDEX-NULLABLE MV-ADD-NOT-NULL-NO-DEFAULT ML-ATTACH
ML-DEFAULT-PARTITION ML-VALIDATE-SAME-TX ML-ENFORCE"""


def told() -> list[tuple[str, Finding]]:
    """Every finding of every sample, in each version that a rule may speak in."""
    texts = [sql for rule in CATALOGUE.values() for sql in (*rule.bad, *rule.good)]
    return [
        (sql, finding)
        for sql in texts
        for version in (11, 17, 18)
        for finding in analyse(sql.encode(), pg_version=version, as_runner=True).findings
    ]


@pytest.mark.parametrize("rule", CATALOGUE.values(), ids=lambda rule: rule.id)
def test_no_term_stands_alone(rule: Rule) -> None:
    assert not UNEXPLAINED.search(rule.message)
    assert not any(lock in rule.message for lock in LOCKS if " " in lock)


@pytest.mark.parametrize("rule", [each for each in CATALOGUE.values() if each.lock], ids=lambda rule: rule.id)
def test_whoever_waits_is_named(rule: Rule) -> None:
    holds = rule.severity in (BLOCKING, REWRITE) and rule.lock is not None and STRENGTH[rule.lock] >= STRENGTH[SH]

    assert not holds or WAITS.search(rule.message) or "{who}" in rule.message


@pytest.mark.parametrize(
    "rule", [each for each in CATALOGUE.values() if each.severity == DESTRUCTIVE], ids=lambda rule: rule.id
)
def test_it_is_said_whether_what_is_lost_comes_back(rule: Rule) -> None:
    assert LOST.search(rule.message)


@pytest.mark.parametrize("rule", CHECKING.split())
def test_it_is_said_that_rows_can_make_it_fail(rule: str) -> None:
    assert "fails if" in CATALOGUE[rule].message


def test_no_name_is_blank() -> None:
    found = told()

    assert len({finding.rule for _, finding in found}) > len(CATALOGUE) * 0.9
    assert not [(finding.message, sql) for sql, finding in found if BLANK.search(finding.message)]


def test_advice_is_whole() -> None:
    assert not [
        (each.safe_form, sql) for sql, each in told() if re.search(r"[{}]|\bNone\b| ,|(?<!\w)\(\)", each.safe_form)
    ]
