"""Reading a file takes time in proportion to its length, whatever is repeated in it; a quadratic step took minutes."""

from __future__ import annotations

import time

import pytest

from migrations_registry.analysis import analyse
from migrations_registry.sources.discovery import discover
from tests import sampling

pytestmark = pytest.mark.slow

LENGTHS = 16_000, 64_000
# What opens, closes, separates, or is refused; statements of each length; runs that the scanner takes as operators.
REPEATED = [
    *(
        "/*",
        "/**/",
        "+/*",
        "/*/",
        "/* ",
        "*/",
        "--",
        "--\n",
        ";",
        ";\n",
        "(",
        ")",
        "[",
        "{",
        "'",
        "''",
        '"',
        "\\",
        "\\\n",
    ),
    *("$", "$$", "$a$", "e'", "U&'", "a ", "a,", "1+", "@", "@-", "a=", "::int", " or a", "not ", "case ", "end "),
    *("select 1;", "commit;", "begin;commit;", "begin atomic ", "(select ", "union select ", "with a as (", "\\i x\n"),
    *("copy a from stdin;\n", "create table a();", "drop table a;", "alter table a add b int,", "grant a to b;"),
    *(
        "do $$ begin end $$;",
        "do $$ begin execute 'x'; end $$;",
        "select 'a",
        "é",
        "\x01",
        "selec 1;",
        "\\restrict a\n",
    ),
]


def _seconds(text: str) -> float:
    began = time.process_time()
    discover([("schema_a.sql", text.encode())])
    analyse(text.encode(), as_runner=True)
    return time.process_time() - began


@pytest.mark.parametrize("unit", [unit for unit in REPEATED if sampling.chosen(unit, 3) or "/*" in unit])
def test_reading_is_linear(unit: str) -> None:
    short, long = [unit * (length // len(unit)) for length in LENGTHS]

    ratios = [_seconds(long) / max(_seconds(short), 0.03) for _ in range(3)]

    assert min(ratios) < 8


def test_comments_that_begin_in_one_another_are_refused_as_a_whole() -> None:
    found = analyse(b"/*" * 100_000 + b"*/" * 100_000 + b"SELECT 1", as_runner=True)

    assert found.risk == "destructive"
    assert "too many comments" in str(found.statements)
