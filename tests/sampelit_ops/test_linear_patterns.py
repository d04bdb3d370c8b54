"""No regular expression of ours takes more than linear time, whatever the text: measured with hostile ones for each."""

from __future__ import annotations

import time

import pytest

from tests import patterns, sampling
from tests.patterns import Found

LENGTHS = (4_000, 16_000)
MOST_SECONDS = 0.025  # 16 kB in linear time cost under 1 ms, in quadratic time half a second
# Patterns that are put together as the code runs. What makes each harmless stands beside it.
PUT_TOGETHER = {
    "backups/archive/shape.py: regex": "literals of our own beside the fields",
    "bin/verify_backup.py: regex": "the same",
    "backups/cron_line.py: f'{_ITEM}(?:,{_ITEM})*'": "items that a comma parts, which none of them can hold",
    "migrations_registry/rehearsal/hazards.py: f'\\\\b{re.escape(word)}\\\\b'": "a plain word",
    "providers/redact.py: '|'.join(map(re.escape, known))": "plain words of our own variables",
    "operations/doctor/variables.py: pattern": "single classes, asked about our own variables",
    "deployments/kinds/function_secrets.py: WORKER_PREFIX + '[A-Z0-9_]{1,80}'": "a word and a bounded class",
    "deployments/kinds/variables.py: WORKER_PREFIX + '[A-Z0-9_]{1,80}'": "a word and a bounded class",
    "migrations_registry/effects/unseen.py: names": "asked about identifiers, which the grammar cuts at 63 bytes",
    "sampelit_ops/recover/migration_sql.py: "
    "f'{re.escape(name.as_string())} {re.escape(column.type)}([^,]*)'": "one table of a manifest that we signed",
    "providers/embedded_postgres/pg_dump.py: f'^{program}: (error: )?'": "the name of one of two programs",
    "deployments/blueprint/rules/shapes.py: pattern": "literals of our own beside the fields",
    "backups/archive/subset.py: f'(?<![\\\\w.\\\\\"]){re.escape(old)}(?=[,)])'": "a plain word, the name of a table",
    "backups/proof/guards.py: "
    "f'{re.escape(name)}(?![\\\\w$])' if text.startswith('CREATE DOMAIN ') else '(?!)'": "a plain word",
    "backups/proof/guards.py: f'(?<![\\\\w$]){re.escape(parts(kind)[-1])}(?![\\\\w$])'": "the name of a type",
    "backups/proof/guards.py: f'(?<![{SYMBOL}]){re.escape(_operator(name)[0])}(?![{SYMBOL}])'": "one operator",
    "backups/proof/guard_ways.py: QUALIFIED": "names in quotes or without, which a dot parts",
    "backups/proof/guard_ways.py: f' INHERITS \\\\(({QUALIFIED}(?:, {QUALIFIED})*)\\\\)'": "names that a comma parts",
    "backups/proof/guard_ways.py: f' FOREIGN KEY \\\\(.*\\\\) REFERENCES ({QUALIFIED})\\\\('": "32 columns at most",
    "operations/worker/messages.py: f'[{ALPHABET}]{{26}}|{CANARY}'": "26 of one class, or a word",
    "providers/postgres/schema/comparison.py: '|'.join((f'(?<![\\\\w\"]){re.escape(name)}(?![\\\\w\"])' "
    "for name in {*map(_quoted, owners), 'pg_database_owner'}))": "plain words, the names of owners",
    "sampelit_ops/recover/migration_sql.py: f'\\\\b{re.escape(column.name)}\\\\b'": "a plain word",
}
ALL = {found.name: found for found in patterns.found()}
SPELLED = {name: found for name, found in ALL.items() if found.text is not None}


def test_a_pattern_that_is_put_together_says_why_it_is_linear() -> None:
    assert {name for name, found in ALL.items() if found.text is None} == set(PUT_TOGETHER)


def test_the_patterns_are_found() -> None:
    assert len(SPELLED) > 60
    assert any("PRIVATE KEY" in name for name in SPELLED)


@pytest.mark.parametrize("name", [name for name in SPELLED if sampling.chosen(name, 8) or "redact" in name])
def test_a_pattern_is_linear(name: str) -> None:
    found = SPELLED[name]

    slow = [text for text in patterns.hostile(found.text or "", found.flags) if _is_slow(found, text)]

    assert slow == []


@pytest.mark.parametrize("text", [r"[a-z][a-z0-9+.\-]*://", r"^\s*[^=]*?:?=", r"<style>(.*?)</style>"])
def test_the_measure_sees_what_is_not_linear(text: str) -> None:
    found = Found("", text, text, 16, frozenset({"search"}))

    assert any(_is_slow(found, hostile) for hostile in patterns.hostile(text))


def _is_slow(found: Found, hostile: str) -> bool:
    """Whether some length costs too much, three times out of three; the first that does ends it."""
    start, _, unit = hostile.partition("\0")
    return any(_costs(found, start + unit * (length // len(unit)) + "\x01") for length in LENGTHS)


def _costs(found: Found, text: str) -> bool:
    for _ in range(3):
        began = time.thread_time()
        found.scan(text)
        if time.thread_time() - began < MOST_SECONDS:
            return False
    return True
