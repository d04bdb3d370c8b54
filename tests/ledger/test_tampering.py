"""A database owner with the triggers off: every seeded edit, deletion, swap, cut and recomputed suffix is found."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from ledger import verification
from ledger.authenticity import digest_of
from ledger.models import Entry, Head
from ledger.services import record, verify
from tests import sampling

FORGERIES = sampling.size("LEDGER_FORGERIES")


def _edit(dice: random.Random, entries: list[Entry]) -> None:
    victim = dice.choice(entries)
    fields = {"actor": "mallory", "code": "demo.other", "subject": "other", "environment": "staging", "data": "{}"}
    fields |= {"channel": "web", "os_user": "nobody else", "host": "elsewhere"}
    name = dice.choice(list(fields))
    Entry.objects.filter(pk=victim.pk).update(**{name: fields[name]})


def _flip_one_character(dice: random.Random, entries: list[Entry]) -> None:
    victim = dice.choice(entries)
    position = dice.randrange(len(victim.data))
    flipped = chr(ord(victim.data[position]) ^ 1)
    Entry.objects.filter(pk=victim.pk).update(data=victim.data[:position] + flipped + victim.data[position + 1 :])


def _delete(dice: random.Random, entries: list[Entry]) -> None:
    Entry.objects.filter(pk=dice.choice(entries[:-1]).pk).delete()


def _swap(dice: random.Random, entries: list[Entry]) -> None:
    a, b = dice.sample(entries, 2)
    Entry.objects.filter(pk=a.pk).update(sequence=10_000)
    Entry.objects.filter(pk=b.pk).update(sequence=a.pk)
    Entry.objects.filter(pk=10_000).update(sequence=b.pk)


def _cut_with_head(dice: random.Random, entries: list[Entry]) -> None:
    last = dice.choice(entries[:-1])
    Entry.objects.filter(pk__gt=last.pk).delete()
    Head.objects.update(sequence=last.sequence, sha256=last.sha256)


def _empty(dice: random.Random, entries: list[Entry]) -> None:
    Entry.objects.all().delete()
    Head.objects.update(sequence=0, sha256="0" * 64)


def _recompute_suffix(dice: random.Random, entries: list[Entry]) -> None:
    """The full forgery: one row altered, every later hash recomputed, the head edited to match."""
    start = dice.randrange(len(entries))
    entries[start].actor = "mallory"
    _rehash(entries, start)


def _drop_and_renumber(dice: random.Random, entries: list[Entry]) -> None:
    gone = dice.randrange(len(entries) - 1)
    Entry.objects.filter(pk__gte=entries[gone].pk).delete()
    remaining = entries[:gone] + entries[gone + 1 :]
    for position, entry in enumerate(remaining, start=1):
        entry.sequence = position
    _rehash(remaining, gone)


def _rehash(entries: list[Entry], start: int) -> None:
    previous = entries[start - 1].sha256 if start else "0" * 64
    for entry in entries[start:]:
        entry.previous_sha256, previous = previous, ""
        entry.sha256 = previous = digest_of(entry)
        entry.save()
    Head.objects.update(sequence=entries[-1].sequence, sha256=entries[-1].sha256)


ATTACKS = [
    _edit,
    _flip_one_character,
    _delete,
    _swap,
    _cut_with_head,
    _empty,
    _recompute_suffix,
    _drop_and_renumber,
]


@pytest.mark.parametrize("seed", range(FORGERIES))
def test_every_forgery_is_found(
    seed: int,
    entries: list[Entry],
    anchored: Callable[[Entry], None],
    without_triggers: Callable[[], AbstractContextManager[None]],
) -> None:
    anchored(entries[-1])
    assert verify().valid
    dice = random.Random(sampling.SEED + seed)

    with without_triggers():
        ATTACKS[seed % len(ATTACKS)](dice, entries)

    report = verify()
    assert not report.valid
    assert report.problems


def test_a_missing_head_is_found(
    entries: list[Entry], without_triggers: Callable[[], AbstractContextManager[None]]
) -> None:
    with without_triggers():
        Head.objects.all().delete()

    assert [problem.problem for problem in verify().problems] == ["the head row is missing"]


def test_an_edited_head_is_found(
    entries: list[Entry], without_triggers: Callable[[], AbstractContextManager[None]]
) -> None:
    with without_triggers():
        Head.objects.update(sequence=29, sha256=entries[28].sha256)

    assert "the head row names entry 29" in verify().problems[0].problem


def test_an_entry_that_comes_while_an_empty_ledger_is_read_is_no_alarm(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_yet() -> list[tuple]:
        record("demo.first", actor="ana")
        return []

    monkeypatch.setattr(verification, "_rows", none_yet)

    assert verify().valid


def test_an_untouched_ledger_raises_no_alarm(entries: list[Entry], anchored: Callable[[Entry], None]) -> None:
    anchored(entries[9])

    report = verify()

    assert (report.valid, report.entries, report.anchors) == (True, 30, 1)
    assert report.head == entries[-1].sha256
