"""An export through a real worker that is killed at random: it ends right by itself, proven once or not at all."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from backups.models import Run
from backups.policies.defaults import ensure_policies
from ledger.models import Entry
from operations.engine.request import request
from operations.models import Environment, Operation
from providers.processes import kill_group
from tests import sampling
from tests.operations.test_worker import SEED, ended, holder_of, start_worker
from tests.people import holder
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.worker]
KILLS = sampling.size("KILLS")


def test_a_killed_export_ends_proven_exactly_once(sampelit, monkeypatch):
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", sampelit["export"])
    monkeypatch.setenv("OPS_PROVE_QUEUE", "export")
    production = Environment.objects.create(slug="production", name="Production", kind="production", protected=True)
    ensure_policies(production)
    operator, chance = holder("olga", "request_export"), random.Random(SEED)
    worker = start_worker("export")
    try:
        for _ in range(KILLS):
            operation = request(
                "backups.export", by=operator, environment=production, parameters={"policy": "audit-trail"}
            )
            until(lambda operation=operation: holder_of(operation))
            time.sleep(chance.uniform(0, 1.5))
            if pid := holder_of(operation):
                os.kill(pid, signal.SIGKILL)
            check(operation)
    finally:
        kill_group(worker, signal.SIGKILL)


def check(operation: Operation) -> None:
    assert ended(operation, 60) == "succeeded", operation.error
    runs = Run.objects.filter(operation=operation)
    assert [run.status for run in runs] == ["proven"]
    proven = Entry.objects.filter(code="backups.export.proven", subject=runs.get().pk)
    assert proven.count() == 1
