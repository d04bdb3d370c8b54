"""What the rules say, whoever must decide understands: who waits, what is lost, what fails; no name is blank."""

from __future__ import annotations

import re

import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.facts import CatalogFacts, TableFacts
from migrations_registry.analysis.model import (
    BLOCKING,
    DESTRUCTIVE,
    LOCKS,
    REWRITE,
    SH,
    STRENGTH,
    Finding,
    Rule,
    Touched,
)
from migrations_registry.analysis.plan import plan
from migrations_registry.analysis.rule_registry import CATALOGUE

WAITS = re.compile(r"nobody|writers|readers|waits?\b")
LOST = re.compile(r"lost|comes? back|brings? (it |them )?back|come again|come twice|is gone|for good")
# What only PostgreSQL's developers say, or says nothing about whom it hits. SQL itself is no such word.
UNEXPLAINED = re.compile(
    r"brief lock|\block(s|ed)? (is|are|the)\b|stored form|system catalog|rewrites?\b|\bscans?\b|relfilenode|tuples?\b"
    r"|heap|toast|\bWAL\b|MVCC|\bDDL\b|\bDML\b|full index|catalog-only|in-place|AccessExclusive|\bAX\b|reloption",
    re.I,
)
BLANK = re.compile(
    r"  |[{}]|\bNone\b|''|\(\)(?<!\w\(\))| [:,;]|,,|\b(of|to|from)(?=[:,;]|$)|^[:,;]|[:,;]$"
    r"|\?|\bthe object\b"
)
# Statements that name what they act upon in ways of their own.
NAMING = """ALTER FUNCTION f(int) OWNER TO x
ALTER SCHEMA f OWNER TO x
ALTER TYPE f OWNER TO x
ALTER AGGREGATE f(int) OWNER TO x
ALTER TYPE f SET SCHEMA y
ALTER FUNCTION f(int) SET SCHEMA y
ALTER TABLE f SET SCHEMA y
ALTER TEXT SEARCH DICTIONARY f OWNER TO x
GRANT SELECT ON f, g TO anon
GRANT EXECUTE ON FUNCTION f() TO anon
GRANT USAGE ON SCHEMA f TO anon
GRANT USAGE ON TYPE f TO anon
GRANT SELECT ON ALL TABLES IN SCHEMA f TO anon
GRANT CREATE ON DATABASE f TO anon
GRANT USAGE ON FOREIGN SERVER f TO anon
REVOKE SELECT ON f FROM x
GRANT SELECT ON LARGE OBJECT 55 TO anon
ALTER LARGE OBJECT 55 OWNER TO x"""
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


@pytest.mark.parametrize("text", NAMING.splitlines())
def test_what_it_acts_upon_is_named(text: str) -> None:
    messages = [finding.message for finding in analyse(text.encode()).findings]

    assert messages
    assert not [message for message in messages if not re.search(r"\bf\b|\b55\b", message) or BLANK.search(message)]


FACTS = CatalogFacts(
    {("public", "t"): TableFacts(rows=90_000_000, bytes=12 * 2**30), ("public", "s"): TableFacts(rows=9, bytes=8192)}
)
LASTS = {
    "ALTER TABLE t ALTER COLUMN a TYPE bigint": "(about 5 min: 12 GB to be written)",
    "ALTER TABLE t ALTER COLUMN a SET NOT NULL": "(about 82 s: 12 GB to be read)",
    "CREATE INDEX ON t (a)": "(about 82 s: 12 GB to be read)",
    "ALTER TABLE t VALIDATE CONSTRAINT c": "(about 82 s: 12 GB to be read)",
    "ALTER TABLE s ADD CHECK (a > 0)": "(less than a second: 8 kB to be read)",
    "TRUNCATE t": "",
    "ALTER TABLE t ADD COLUMN x int": "",
    "ALTER TABLE unknown ALTER COLUMN a SET NOT NULL": "",
}


@pytest.mark.parametrize("text", LASTS)
def test_where_sizes_are_known_it_is_said_how_long_it_takes(text: str) -> None:
    said = " ".join(finding.message for finding in analyse(text.encode(), as_runner=True, facts=FACTS).findings)
    unknown = " ".join(finding.message for finding in analyse(text.encode(), as_runner=True).findings)

    assert LASTS[text] in said
    assert ("to be read" in said or "to be written" in said) is bool(LASTS[text])
    assert "to be" not in unknown


def test_a_table_that_is_emptied_keeps_nobody_waiting_for_its_size() -> None:
    (step,) = plan(analyse(b"TRUNCATE t", as_runner=True, facts=FACTS), FACTS).steps

    assert step.blocks_seconds is not None
    assert step.blocks_seconds < 1


def test_the_rows_of_all_losses_are_told_together() -> None:
    whole = plan(analyse(b"DELETE FROM s; TRUNCATE t; DROP TABLE unknown", as_runner=True, facts=FACTS), FACTS)

    assert whole.lost_rows == 90_000_009


@pytest.mark.parametrize("lock", LOCKS)
def test_who_waits_is_said_for_every_lock(lock: str) -> None:
    said = Touched(("app", "orders"), lock).waits

    assert "app.orders" in said
    assert said.endswith(f"({lock})")
    assert WAITS.search(said)


UNSURE = {
    "CREATE TABLE IF NOT EXISTS t (a int); CREATE INDEX i ON t (a)": True,
    "DO $$ BEGIN CREATE TABLE t (a int); EXCEPTION WHEN duplicate_table THEN NULL; END $$; TRUNCATE t": True,
    "CREATE TABLE IF NOT EXISTS t (a int); ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (a)": False,
    "CREATE INDEX i ON t (a)": False,
}


@pytest.mark.parametrize("text", UNSURE)
def test_of_a_table_that_may_be_new_it_is_said_so(text: str) -> None:
    (told, *_) = [each.message for each in analyse(text.encode()).statements[-1].findings if each.lock]
    known = [each.message for each in analyse(text.encode(), facts=FACTS).statements[-1].findings]

    assert told.startswith("if t was there before: ") is UNSURE[text]
    assert not any(message.startswith("if t was") for message in known)


def test_advice_is_whole() -> None:
    assert not [
        (each.safe_form, sql) for sql, each in told() if re.search(r"[{}]|\bNone\b| ,|(?<!\w)\(\)", each.safe_form)
    ]
