"""How many of what, as people write it."""

from __future__ import annotations

import pytest

from providers.counting import counted


@pytest.mark.parametrize(
    ("count", "noun", "said"),
    [
        (1, "row", "1 row"),
        (0, "row", "0 rows"),
        (40_092, "row", "40,092 rows"),
        (1, "entry", "1 entry"),
        (2, "entry", "2 entries"),
        (2, "day", "2 days"),
    ],
)
def test_a_number_and_its_noun_agree(count: int, noun: str, said: str) -> None:
    assert counted(count, noun) == said
