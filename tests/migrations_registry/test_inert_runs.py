"""A run of characters that begin no token moves no cut, wherever it stands and however long it is."""

from __future__ import annotations

import pytest

from migrations_registry.analysis.parsing.splitter import pieces, words

INERT = ("{", "1", " ", "\t", "\n", "=", ".", ",", "*", "+", "<", "@", "#", "\\", "[", ":")
TEXTS = (
    "SELECT 1{}; SELECT 2",
    "{}SELECT 1; SELECT 2{}",
    "SELECT '{}; x'; SELECT 2",
    "SELECT $a$;{}$a$; SELECT 2",
    "/* ;{} */ SELECT 1; SELECT 2",
    "SELECT (1{}; 2); SELECT 2",
    'SELECT "{};"; SELECT 2',
)


@pytest.mark.parametrize("unit", INERT)
@pytest.mark.parametrize("text", TEXTS)
def test_its_length_does_not_matter(text: str, unit: str) -> None:
    few, many = (text.replace("{}", unit * count).encode() for count in (3, 64))

    assert len(list(pieces(many))) == len(list(pieces(few))) == 2
    assert len(list(words(many))) == len(list(words(few)))
