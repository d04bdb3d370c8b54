"""Whatever the bytes, an answer in bounded time (docs/migrations.md): never a crash, never a silent 'no findings'."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrations_registry.analysis import analyse
from migrations_registry.analysis.model import Analysis
from migrations_registry.analysis.parsing.parser import MAX_FILE_BYTES, parse
from migrations_registry.analysis.rule_registry import CATALOGUE
from tests import sampling

TEXTS = sampling.size("HOSTILE_TEXTS")
WORDS = st.sampled_from(
    [
        "SELECT",
        "DROP TABLE",
        "(",
        ")",
        "'",
        '"',
        "$$",
        "$a$",
        ";",
        "--",
        "/*",
        "*/",
        "\\i",
        "BEGIN",
        "ATOMIC",
        "END",
        "DO",
        "EXECUTE",
        "é",
        "€",
        "\n",
        " ",
        "t",
        "1",
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS",
        "E'\\''",
        "CASE",
    ]
)
SAMPLES = st.sampled_from([sql for rule in CATALOGUE.values() for sql in rule.bad])


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail when the body takes longer (the documented bound, doubled for a busy machine)."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < 2 * seconds


@given(st.binary(max_size=400))
@settings(max_examples=TEXTS, deadline=None)
def test_random_bytes(data: bytes) -> None:
    analysis = analyse(data)

    assert all(0 <= statement.start <= statement.end <= len(data) for statement in analysis.statements)


@given(st.lists(WORDS, max_size=40).map(" ".join))
@settings(max_examples=TEXTS, deadline=None)
def test_random_words(text: str) -> None:
    data = text.encode()

    covered = sum(statement.end - statement.start for statement in analyse(data).statements)

    assert covered <= len(data)


@given(st.lists(SAMPLES, min_size=1, max_size=6).map(";\n".join), st.booleans())
@settings(max_examples=TEXTS, deadline=None)
def test_samples_in_any_order(text: str, assume: bool) -> None:
    analysis = analyse(text.encode(), assume_in_transaction=assume)

    assert analysis.statements
    assert analyse(text.encode(), assume_in_transaction=assume) == analysis


@given(st.lists(SAMPLES, min_size=2, max_size=4))
@settings(max_examples=TEXTS, deadline=None)
def test_cutting_agrees_with_the_grammar(samples: list[str]) -> None:
    """A long file is cut before it is parsed; the pieces are the statements that the grammar sees."""
    text = ";".join(samples).encode()
    whole = parse(text)
    padding = b"\n" * 40_000

    assert [type(item) for item in parse(text + padding)] == [type(item) for item in whole]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + "(" * 100_000,
        "SELECT " + "1+" * 900_000 + "1",
        "SELECT " + "NOT " * 2_000 + "true",
        "SELECT * FROM " + "(SELECT * FROM " * 1_000 + "t" + ") x" * 1_000,
        "SELECT " + "ARRAY[" * 3_000 + "1" + "]" * 3_000,
        "DO $$ BEGIN " + "BEGIN " * 3_000 + "DROP TABLE t; " + "END; " * 3_000 + "END $$",
        "SELECT '" + "x" * MAX_FILE_BYTES,
    ],
    ids=["parentheses", "operators", "not", "subqueries", "arrays", "blocks", "too large"],
)
def test_what_is_too_deep_or_too_large_is_opaque(text: str) -> None:
    with within(10):
        analysis = analyse(text.encode())

    assert {finding.severity for finding in analysis.findings} >= {"opaque"}
    assert analysis.risk == "destructive"


WAYS_DOWN = {
    "subqueries": ("SELECT * FROM ", "(SELECT * FROM ", "t", ") x"),
    "scalars": ("SELECT ", "(SELECT ", "1", ")"),
    "functions": ("SELECT ", "abs(", "1", ")"),
    "casts": ("SELECT ", "CAST(", "1", " AS int)"),
    "cases": ("SELECT ", "CASE WHEN true THEN ", "1", " END"),
    "not": ("SELECT ", "NOT ", "true", ""),
    "signs": ("SELECT ", "- ", "x", ""),
    "sums": ("SELECT ", "", "1", "+1"),
    "arrays": ("SELECT ", "ARRAY[", "1", "]"),
    "rows": ("SELECT ", "ROW(", "1", ")"),
    "with": ("", "WITH x AS (", "SELECT 1", ") SELECT 1"),
    "exists": ("SELECT 1 WHERE ", "EXISTS (SELECT 1 WHERE ", "true", ")"),
    "joins": ("SELECT * FROM ", "(a JOIN ", "b", " ON true)"),
    "unions": ("", "", "SELECT 1", " UNION SELECT 1"),
    "blocks": ("DO $$ BEGIN ", "BEGIN ", "NULL; ", "END; "),
    "ifs": ("DO $$ BEGIN ", "IF true THEN ", "NULL; ", "END IF; "),
    "loops": ("DO $$ BEGIN ", "LOOP ", "NULL; ", "END LOOP; "),
}
ENDS = {"blocks", "ifs", "loops"}


@pytest.mark.sampled(3, by="way")
@pytest.mark.parametrize("levels", [60, 250, 400, 1_000, 1_500, 4_000, 20_000])
@pytest.mark.parametrize("way", WAYS_DOWN)
def test_no_depth_is_judged_by_what_the_interpreter_follows(way: str, levels: int) -> None:
    """Whatever Python it is, and however deep its own stack: followed to the end, or opaque; never an error."""
    start, down, middle, up = WAYS_DOWN[way]
    text = start + down * levels + middle + up * levels + ("END $$" if way in ENDS else "")

    with within(20):
        analysis = analyse(text.encode())
        deeper = _at_stack_depth(150, lambda: analyse(text.encode()))

    assert analysis == deeper
    assert levels < 1_000 or {finding.severity for finding in analysis.findings} >= {"opaque"}
    assert levels > 60 or not any("too deeply" in finding.message for finding in analysis.findings)


def _at_stack_depth(frames: int, work: Callable[[], Analysis]) -> Analysis:
    return work() if frames == 0 else _at_stack_depth(frames - 1, work)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("statement", "times", "seconds"),
    [
        (b"ALTER TABLE orders ADD COLUMN c int;\n", 10_000, 10),
        (b"INSERT INTO t VALUES (1, 'some text that is long enough to be a row');\n", 70_000, 20),
    ],
    ids=["ten thousand statements", "five megabytes"],
)
def test_many_statements(statement: bytes, times: int, seconds: int) -> None:
    with within(seconds):
        analysis = analyse(statement * times)

    assert len(analysis.statements) == times
    assert analysis.statements[-1].line == times


def test_one_megabyte_in_one_statement() -> None:
    with within(10):
        analysis = analyse(b"INSERT INTO t VALUES " + b"(1, 'some text'),\n" * 60_000 + b"(1, 'last')")

    assert [statement.kind for statement in analysis.statements] == ["InsertStmt"]


@pytest.mark.parametrize("data", [b"SELECT 1;\0DROP TABLE t", b"\xef\xbb\xbfSELECT 1", b"SELECT '\xff'"])
def test_bytes_that_postgres_would_not_take(data: bytes) -> None:
    assert {finding.rule for finding in analyse(data).findings} == {"MP-UNPARSED"}
