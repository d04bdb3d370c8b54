"""Every way to run a function implicitly, times everything that it could destroy: all of it is seen before COMMIT.

What the statements themselves say is declared, and nothing else: as if the analysis had followed no body.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from migrations_registry.effects import undeclared
from migrations_registry.effects.wording import phrases
from tests.migrations_registry.effects.bench import Bench, cases, top_level

HERE = Path(__file__).parent
FUNCTIONS = (HERE / "functions.sql").read_text()
WAYS = cases(HERE / "hidden_calls.sql")
# What wipe() does, each to a table of its own.
DONE = {
    "deleted 1,000 rows of public.keep_1",
    "updated 1,000 rows of public.keep_2",
    "emptied public.keep_3",
    "dropped table public.keep_4",
    "dropped table column public.keep_5.v",
    "rewrote public.keep_6",
    "changed grants of table public.keep_7",
    "changed row security of table public.keep_8",
    "dropped policy public.keep_9.own",
    "changed enabled state of trigger public.keep_10.keep_touch",
    "inserted 1 row into public.keep_11",
    "set back the sequence public.counter",
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("way", WAYS)
def test_what_a_hidden_call_does_is_seen(way: str, bench: Bench) -> None:
    before = bench.state()
    said = phrases(undeclared(bench.effects(FUNCTIONS, WAYS[way]), top_level(FUNCTIONS + WAYS[way])))
    assert set(said) & DONE == DONE
    assert bench.state() == before


def test_the_table_is_as_wide_as_it_claims() -> None:
    assert len(WAYS) >= 25
    assert len(DONE) >= 8
