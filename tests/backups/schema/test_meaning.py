"""Two definitions are the same only where PostgreSQL reads one thing from both."""

from __future__ import annotations

import pytest

from providers.postgres.schema.meaning import MOST_BYTES, same_meaning

CHECK = "ALTER TABLE public.t ADD CONSTRAINT c CHECK (({}))"
SAME = [
    ("((a > 0) AND (b > 0)) AND (c > 0)", "(a > 0) AND (b > 0) AND (c > 0)"),
    ("((a > 0) OR (b > 0)) OR (c > 0)", "(a > 0) OR (b > 0) OR (c > 0)"),
    (
        "s = ANY ((ARRAY['a'::text, 'b'::text])::varchar[])",
        "s = ANY (ARRAY[('a'::text)::varchar, ('b'::text)::varchar])",
    ),
]
OTHER = [
    ("(a > 0) AND (b > 0)", "(b > 0) AND (a > 0)"),
    ("(a > 0) AND (b > 0)", "(a > 0) OR (b > 0)"),
    ("((a > 0) AND (b > 0)) OR (c > 0)", "(a > 0) AND ((b > 0) OR (c > 0))"),
    ("a > 0", "a > 1"),
    ("a > 0", "a >= 0"),
    ("a > 0", "b > 0"),
    ("s = 'a'::text", "s = 'b'::text"),
    ("s = 'a'::text", "s = 'a'::varchar"),
    ("s = ANY ((ARRAY['a'::text, 'b'::text])::varchar[])", "s = ANY (ARRAY[('a'::text)::varchar])"),
    ("s = ANY ((ARRAY['a'::text])::varchar[])", "s = ANY (ARRAY[('a'::text)::char])"),
    ("s = ANY ((ARRAY['a'::text])::varchar[])", "s <> ALL (ARRAY[('a'::text)::varchar])"),
    ("public.f(a)", "other.f(a)"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_is_read_back_otherwise_is_the_same(one: str, other: str) -> None:
    assert same_meaning(CHECK.format(one), CHECK.format(other))
    assert same_meaning(CHECK.format(one) + "; -- NOTE x", CHECK.format(other) + "; -- NOTE x")


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_says_another_thing_is_not(one: str, other: str) -> None:
    assert not same_meaning(CHECK.format(one), CHECK.format(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (CHECK.format("a > 0") + "; -- ENABLED D", CHECK.format("a > 0")),
        (CHECK.format("a > 0") + "; -- ENABLED D", CHECK.format("(a > 0)") + "; -- ENABLED A"),
        (CHECK.format("s = 'x; -- y'") + "; -- ENABLED D", CHECK.format("s = 'x; -- z'") + "; -- ENABLED D"),
        ("-- on t: D", "-- on t: A"),
        ("", "-- nobody"),
        ("SELECT 1 -- one", "SELECT 1 -- two"),
        ("no statement", "no  statement"),
        (CHECK.format("(" * MOST_BYTES + "a" + ")" * MOST_BYTES), CHECK.format("a")),
    ],
)
def test_notes_count_and_what_cannot_be_read_is_not_the_same(one: str, other: str) -> None:
    assert not same_meaning(one, other)
