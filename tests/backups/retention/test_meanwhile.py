"""What another process did between a read and a write of retention counts, and no other run is touched."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backups.models import Run
from ledger.models import Entry
from operations.engine.request import request
from providers.storage.base import StoreError
from providers.storage.local import LocalStore
from tests.backups.retention.conftest import POOLS
from tests.running import run_once

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = timezone.now() - timedelta(days=9)


def rows(*runs: Run) -> list[dict[str, Any]]:
    return list(Run.objects.filter(pk__in=[run.pk for run in runs]).order_by("pk").values())


@pytest.mark.parametrize("meanwhile", [{"retired_at": None}, {"purging_at": LONG_AGO}])
def test_what_is_brought_back_already_or_being_deleted_is_not_brought_back(policy, olga, history, meanwhile) -> None:
    parameters = {"run": history[4].pk}
    operation = request("backups.unretire", by=olga, environment=policy.environment, parameters=parameters)
    Run.objects.filter(pk=history[4].pk).update(**meanwhile)
    before = rows(*history)

    run_once(operation, POOLS)

    assert operation.status == "failed"
    assert "is not retired, or its data is being deleted. Nothing was changed." in operation.error
    assert rows(*history) == before
    assert not Entry.objects.filter(code="backups.run.brought_back").exists()


def test_one_run_is_brought_back_and_no_other(act, history) -> None:
    others = [run for run in history if run != history[4]]
    before = rows(*others)

    act("backups.unretire", run=history[4].pk)

    assert Run.objects.get(pk=history[4].pk).brought_back_at
    assert rows(*others) == before


@pytest.mark.parametrize("half", [0, 1])
def test_a_refused_first_deletion_leaves_every_run_as_it_was(act, history, monkeypatch, half) -> None:
    Run.objects.filter(pk=history[4 + half].pk).update(purging_at=LONG_AGO)
    before = rows(*history)

    def refuse(self: LocalStore, key: str) -> None:
        raise StoreError("AccessDenied", retryable=False)

    monkeypatch.setattr(LocalStore, "delete", refuse)

    operation = act("backups.purge")

    assert "AccessDenied" in operation.error
    assert rows(*history) == before


def test_a_worker_that_is_late_does_not_undo_anothers_deletion(act, history, monkeypatch) -> None:
    """It waits for the store's refusal, while the next claim has deleted everything."""

    def refuse_after_another(self: LocalStore, key: str) -> None:
        run = Run.objects.filter(pk=key.split("/")[1])
        run.update(purging_at=LONG_AGO, purged_at=timezone.now())
        raise StoreError("AccessDenied", retryable=False)

    monkeypatch.setattr(LocalStore, "delete", refuse_after_another)

    operation = act("backups.purge")

    assert "AccessDenied" in operation.error
    assert Run.objects.get(pk__in=[run.pk for run in history], purged_at__isnull=False).purging_at == LONG_AGO
