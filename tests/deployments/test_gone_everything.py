"""Each thing that is read from a provider: one answer without it takes nothing away, two do, and people hear of it."""

from __future__ import annotations

from dataclasses import fields

import pytest

from deployments import network, workspace
from deployments.models import Service
from ledger.models import Entry
from ledger.registry import sentence_for
from operations.models import Environment, Notification
from tests.deployments.seen_outside import THINGS, Thing
from tests.missing import all_for_a_minute, of_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def thing() -> Thing:
    place = Environment.objects.create(slug="production", name="Production", kind="production", supabase_ref="aaa")
    row = Service.objects.create(
        render_id="srv-1", name="api", environment=place, owner_id="tea-1", history_complete=True
    )
    return Thing(place, row)


def told(code: str) -> int:
    return Entry.objects.filter(code=code).count()


@pytest.mark.parametrize("name", THINGS)
def test_one_answer_takes_nothing_two_do_and_that_is_told(thing: Thing, name: str) -> None:
    kind = THINGS[name]
    for _ in range(2):
        kind.look(thing)
    assert kind.shown(thing)
    entries, messages = told(kind.told), Notification.objects.count()

    thing.has = False
    for _ in range(3):
        kind.look(thing)
    once = kind.shown(thing), told(kind.told) - entries, Notification.objects.count() - messages
    all_for_a_minute()
    for _ in range(2):
        kind.look(thing)

    assert once == (True, 0, 0)
    assert not kind.shown(thing)
    mine = Entry.objects.filter(code=kind.told).order_by("sequence")[entries:]
    assert len(mine) >= 1
    assert all(sentence_for(entry) and "{" not in sentence_for(entry) for entry in mine)
    assert (Notification.objects.count() > messages) is kind.message
    assert told(kind.told) - entries == len({sentence_for(entry) for entry in mine})


@pytest.mark.parametrize("name", THINGS)
def test_what_is_back_in_between_was_never_gone(thing: Thing, name: str) -> None:
    kind = THINGS[name]
    kind.look(thing)
    entries, messages = Entry.objects.count(), Notification.objects.count()
    for has in (False, True, False, True):
        thing.has = has
        kind.look(thing)
        all_for_a_minute()

    assert kind.shown(thing)
    assert (Entry.objects.count(), Notification.objects.count()) == (entries, messages)


@pytest.mark.parametrize("name", [name for name, kind in THINGS.items() if kind.back])
def test_what_was_gone_and_is_back_is_told(thing: Thing, name: str) -> None:
    kind = THINGS[name]
    kind.look(thing)
    thing.has = False
    for _ in range(2):
        kind.look(thing)
        all_for_a_minute()
    before = told(kind.back)
    thing.has = True
    for _ in range(2):
        kind.look(thing)

    assert kind.shown(thing)
    assert told(kind.back) - before == 1


def test_the_table_has_everything_that_may_vanish() -> None:
    """Whoever keeps what a provider lists puts it in the table."""
    assert {kind.model for kind in THINGS.values() if kind.model} == set(of_rows())
    lists = [*fields(workspace.Workspace), *fields(network.Network)]
    kept = {part.name for part in lists if "[" in str(part.type)} - {"notes", "missing", "seen_at"}
    assert kept <= set(THINGS)
