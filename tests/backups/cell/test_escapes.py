"""A product's own code runs in a drill and gets nowhere: no superuser, no file, no program, no other server."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from backups.archive.drill_database import chosen_server
from tests.backups.cell.conftest import CANARY, Drilled
from tests.backups.cell.escapes import CARRIERS, ESCAPES

RUN = ("a check", "a check of the table", "an exclusion")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("carrier", CARRIERS)
def test_no_way_out_works_wherever_it_lies_in_wait(lurking: str, drilled: Drilled, written: Path, carrier: str) -> None:
    with psycopg.connect(lurking) as connection:
        connection.execute(CARRIERS[carrier][0])
        connection.execute("INSERT INTO public.carrier (id) VALUES (1), (2)")

    seen = drilled(lurking)

    assert seen.loot == []
    assert not written.exists()
    assert CANARY not in seen.told
    assert seen.verdict is not None
    assert seen.verdict.status == CARRIERS[carrier][1]
    if carrier in RUN:
        assert seen.tried >= len(ESCAPES)


def test_in_a_server_of_its_own_nobody_is_a_superuser_and_nobody_hears_it(
    lurking: str, drilled: Drilled, written: Path
) -> None:
    with psycopg.connect(lurking) as connection:
        connection.execute(CARRIERS["a check"][0])
        connection.execute("INSERT INTO public.carrier (id) VALUES (1)")

    seen = drilled(lurking, server=chosen_server)

    assert seen.verdict is not None
    assert (seen.verdict.reasons, seen.loot, written.exists()) == ([], [], False)
    assert seen.tried == len(ESCAPES)
    assert seen.facts.pop("who").startswith("drill_owner_")
    assert seen.facts == {"superusers": None, "mighty": False, "addresses": "", "servers": 0}
