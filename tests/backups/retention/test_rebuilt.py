"""What a recovery learns from a store about one run changes the row of that run."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Manager

from backups.archive import keys
from backups.archive.manifest import Manifest
from backups.archive.reader import inventory, load
from backups.models import Run
from backups.recovery import rebuild
from providers.storage.base import Store

pytestmark = pytest.mark.django_db(transaction=True)


def told(store: Store, run: Run) -> Manifest:
    return load(store, run.pk, keys.verifier())


def others(run: Run) -> list[dict[str, Any]]:
    return list(Run.objects.exclude(pk=run.pk).order_by("pk").values())


def test_just_what_the_store_says_was_purged_is_marked(act, store: Store, history: list[Run]) -> None:
    act("backups.purge")
    Run.objects.filter(pk=history[4].pk).update(purging_at=None, purged_at=None)
    before = others(history[4])

    assert rebuild.mark_purged(store, inventory(store)) == 1

    assert Run.objects.get(pk=history[4].pk).purged_at
    assert others(history[4]) == before


def test_a_run_without_a_proof_in_the_store_says_so_alone(store: Store, history: list[Run]) -> None:
    for item in list(store.list(f"runs/{history[0].pk}/")):
        if "/proof-" in item.key:
            store.delete(item.key)
    before = others(history[0])

    assert not rebuild._proof(history[0], told(store, history[0]), store)

    assert Run.objects.get(pk=history[0].pk).reason.startswith("No proof lies in the store.")
    assert others(history[0]) == before


def test_a_run_that_the_store_tells_changes_no_other(store: Store, history: list[Run]) -> None:
    Run.objects.filter(pk=history[0].pk).update(tables=[], rows=0, manifest_sha256="")
    before = others(history[0])

    rebuild.add(store, told(store, history[0]))

    assert Run.objects.get(pk=history[0].pk).rows == told(store, history[0]).rows > 0
    assert others(history[0]) == before


@pytest.mark.parametrize("meanwhile", [False, True])
def test_a_proof_counts_once_for_whoever_takes_it_over(
    store: Store, history: list[Run], monkeypatch: pytest.MonkeyPatch, meanwhile: bool
) -> None:
    run, advance = history[0], type(Run.objects).advance
    Run.objects.filter(pk=run.pk).update(status="stored")

    def advance_after_another(runs: Manager[Run], *args: str, **fields: object) -> bool:
        if meanwhile:
            Run.objects.filter(pk=run.pk).update(status="proven")
        return advance(runs, *args, **fields)

    monkeypatch.setattr(type(Run.objects), "advance", advance_after_another)

    assert bool(rebuild._proof(run, told(store, run), store)) is not meanwhile
    assert Run.objects.get(pk=run.pk).status == "proven"
