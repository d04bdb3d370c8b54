"""Every periodic job that goes through many rows: what is wrong with one is told by name and stops no other.

One literal table has every registered job. Rows that go through `one_by_one` are taken by three that the test makes,
of which the second fails; the others fail in the function that the table names, on rows of their own.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError
from django.utils import timezone

from deployments.models import Service
from operations.engine import tick
from operations.models import Environment, Task
from operations.periodic import isolation
from operations.periodic.isolation import Failed, SomeFailed, each, in_turn, one_by_one
from providers.http.errors import RateLimited, Unavailable

pytestmark = pytest.mark.django_db

ONE_BY_ONE = {
    "approvals.reevaluate": "operations.approvals.voting",
    "backups.incidents": "backups.incidents.service",
    "backups.overdue": "backups.policies.overdue",
    "backups.provider": "backups.provider.sync",
    "backups.retention": "backups.retention.kinds",
    "backups.scratch": "backups.restore.scratch",
    "backups.second_store": "backups.stores.replication",
    "backups.store_reports": "backups.stores.configured",
    "backups.sweep": "backups.stores.orphans",
    "deployments.bundles": "deployments.functions.bundle_retention",
    "deployments.drift": "deployments.blueprint.service",
    "migrations_registry.changed": "migrations_registry.history.readings",
    "migrations_registry.commits": "migrations_registry.gate.commits",
    "migrations_registry.drift": "migrations_registry.drift.detect",
    "migrations_registry.readings": "migrations_registry.history.readings",
    "migrations_registry.rehearsals": "migrations_registry.rehearsal.automatic",
    "migrations_registry.repositories": "migrations_registry.gate.commits",
    "operations.break_glass": "operations.engine.tick",
    "operations.expire": "operations.engine.tick",
    "signin.leavers": "sampelit_ops.signin.oidc.leavers",
}
FAILS_IN = {
    "deployments.functions": "deployments.functions.sync.sync",
    "deployments.network": "deployments.network.read",
    "deployments.previews": "deployments.previews._end",
    "deployments.variables": "deployments.variables.fingerprints.refresh",
    "deployments.watchdog": "deployments.maintenance_watchdog._lift",
    "notify": "operations.notify.rules.enqueue",
}
HELD_ELSEWHERE = {
    "backups.schedule": "tests/backups/test_cron_lines.py",
    "deployments.events": "tests/deployments/test_trouble.py",
    "deployments.health": "tests/deployments/test_doubt.py",
    "deployments.poll": "tests/deployments/test_evidence.py",
    "deployments.reconcile": "tests/deployments/test_webhook_coverage.py",
    "deployments.webhooks": "tests/deployments/test_webhooks.py",
    "doctor": "tests/operations/doctor/test_doctor.py",
    "outsiders": "tests/sampelit_ops/test_outsiders.py",
}
ONE_THING = {
    "advisories": "one question",
    "backups.checkpoints": "one checkpoint",
    "backups.portal": "one policy",
    "backups.witness": "one document",
    "deadman": "one ping",
    "deployments.workspace": "four lists, each kept by itself, the addresses of each service",
    "forms": "one statement",
    "ledger.stream": "one collector, in the order of the ledger",
    "ledger.verify": "one chain",
    "migrations_registry.uploads": "one statement",
    "operations.authority_key": "one key",
    "operations.sealed": "one statement",
}


def test_every_job_is_in_the_table_once() -> None:
    named = [*ONE_BY_ONE, *FAILS_IN, *HELD_ELSEWHERE, *ONE_THING]

    assert sorted(named) == sorted(tick._jobs)
    assert [path for path in HELD_ELSEWHERE.values() if not os.path.exists(path)] == []


@pytest.mark.parametrize("name", sorted(ONE_BY_ONE))
def test_the_second_of_three_rows_stops_no_other(name: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SUPABASE_ACCESS_TOKEN, settings.OIDC_ISSUER = "token", "https://id.example"
    some = SimpleNamespace(objects=SimpleNamespace(exists=lambda: True))
    monkeypatch.setattr("migrations_registry.jobs.MigrationFile", some)
    module, acted = importlib.import_module(ONE_BY_ONE[name]), list[str]()

    def act(row: str) -> bool:
        acted.append(row)
        if row == "b":
            raise ValueError("it is odd")
        return True

    monkeypatch.setattr(module, "one_by_one", lambda rows, _: one_by_one("abc", act))

    with pytest.raises(SomeFailed, match=r"1 failed, the others were done: (\w+: 1 failed.*: )?b: it is odd"):
        tick._jobs[name].run()

    assert acted == ["a", "b", "c"]


@pytest.mark.parametrize("name", sorted(FAILS_IN))
def test_a_row_that_fails_stops_no_other(name: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SUPABASE_ACCESS_TOKEN = settings.RENDER_API_KEY = "token"
    three_of_each()
    inner, _, function = FAILS_IN[name].rpartition(".")
    calls = list[int]()

    def leaf(*_: Any, **__: Any) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise ValueError("it is odd")
        return 0

    monkeypatch.setattr(importlib.import_module(inner), function, leaf)
    monkeypatch.setattr("deployments.variables.fingerprints.refresh_groups", lambda *_, **__: 0)

    with pytest.raises(SomeFailed, match=r"1 failed, the others were done: .*it is odd"):
        tick._jobs[name].run()

    assert len(calls) == 3


def three_of_each() -> None:
    """Environments with a project, previews past their time and in maintenance, tasks."""
    past = timezone.now() - timedelta(hours=1)
    for number in range(3):
        place = Environment.objects.create(slug=f"e{number}", name=f"E{number}", supabase_ref=f"{number}" * 20)
        Service.objects.create(
            render_id=f"srv-{number}",
            name=f"api-{number}",
            environment=place,
            parent_render_id="srv-parent",
            preview_expires_at=past,
            maintenance_until=past,
        )
        Task.objects.create(kind=Task.Kind.OTHER, title=f"look at {number}", dedupe_key=f"look:{number}")


def held(*errors: Exception | None) -> list[str]:
    """Of rows that fail so one after the other; None: one that does not."""
    failed = Failed()
    for error in errors:
        with each("row", failed):
            if error:
                raise error
    return failed


def test_what_concerns_one_row_is_kept_and_what_concerns_all_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert held(OperationalError("canceling statement due to lock timeout")) == [
        "row: canceling statement due to lock timeout"
    ]
    assert held(DatabaseError("duplicate key")) == ["row: duplicate key"]
    silence, wait = Unavailable("Render failed."), RateLimited("Render says to wait.", 9)
    assert held(silence, silence, None, silence, silence, ValueError(), silence) == ["row: Render failed."] * 4 + [
        "row: ",
        "row: Render failed.",
    ]
    with pytest.raises(Unavailable):
        held(None, silence, silence, silence)
    with pytest.raises(RateLimited):
        held(wait)
    assert isolated(Unavailable("this database failed.")) == ["row: this database failed."]

    monkeypatch.setattr(isolation, "connection", SimpleNamespace(connection=SimpleNamespace(closed=True)))
    with pytest.raises(OperationalError):
        isolated(OperationalError("server closed the connection"))


def isolated(error: Exception) -> list[str]:
    failed = Failed()
    with each("row", failed, alone=True):
        raise error
    return failed


def test_a_row_that_cannot_even_be_named_is_told() -> None:
    class Nameless:
        pk = 7

        def __str__(self) -> str:
            raise ValueError

    def act(row: object) -> None:
        raise RuntimeError("it is odd")

    with pytest.raises(SomeFailed, match="Nameless 7: it is odd"):
        one_by_one([Nameless()], act)


def test_duties_of_one_job_are_none_of_the_others_business() -> None:
    ran = list[str]()

    def breaks() -> None:
        raise KeyError("id")

    with pytest.raises(SomeFailed, match="breaks: 'id'"):
        in_turn(breaks, lambda: ran.append("second"))

    assert ran == ["second"]


def test_no_secret_of_a_row_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: Callable[[str], str] = lambda text: text.replace("hunter2", "***")  # noqa: E731
    monkeypatch.setattr(isolation, "redact", told)

    assert held(ValueError("the key hunter2 is odd")) == ["row: the key *** is odd"]
