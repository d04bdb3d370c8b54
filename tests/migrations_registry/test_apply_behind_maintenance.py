"""A plan that needs maintenance: Render's door is closed, writers are gone, it is applied, the door opens again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import requests
from django.utils import timezone

from deployments.models import Service
from deployments.render.sync import poll
from migrations_registry.apply import failpoints, steps
from migrations_registry.models import RulePolicy
from operations.engine.request import request
from operations.models import Environment, Operation
from providers import postgres
from tests.migrations_registry.applying import Act, add_supabase, finish, history
from tests.migrations_registry.faults import in_child, run_with_fault
from tests.render_sandbox import Harness, running

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = "ALTER TABLE leads DROP COLUMN message"


@pytest.fixture
def render(baselined: Environment, backups: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    """Render's sandbox, known to the portal; rules under which every lock needs maintenance; a quick drain."""
    real = postgres.drain
    quick = {"quiet_seconds": 0.2, "deadline_seconds": 0.6}
    monkeypatch.setattr(steps.postgres, "drain", lambda *given, check: real(*given, check=check, **quick))
    with running() as harness:
        settings.RENDER_API_KEY, settings.RENDER_API_BASE = harness.sandbox.api_key, harness.sandbox.base
        settings.DEPLOY_WATCH_SECONDS, settings.OPS_LEASE_SECONDS = 0.01, 30
        poll()
        RulePolicy.objects.create(version=1, created_by="ana", maintenance_seconds=0)
        yield harness


def visit(render: Harness) -> int:
    return requests.get(f"{render.sandbox.address}/apps/sampelit-api/", timeout=2).status_code


def switches(render: Harness) -> list[bool]:
    events = render.sandbox.world.events[render.service()]
    return [event["details"]["enabled"] for event in events if event["type"] == "maintenance_mode_enabled"]


def test_the_door_is_closed_while_it_is_applied(
    render: Harness, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setitem(failpoints.armed, "transaction.journaled", lambda: seen.append(visit(render)))
    operation = act("migrations.apply", file=add_supabase(2, TEXT).sha256)
    assert operation.status == "succeeded", operation.error
    assert "nobody writes to the touched tables any more" in operation.log
    assert (seen, visit(render), switches(render)) == ([503], 200, [True, False])
    assert len(history(dsns)) == 2


def test_the_door_opens_when_somebody_goes_on_writing(render: Harness, act: Act, dsns: dict[str, str]) -> None:
    with psycopg.connect(dsns["app"]) as writer:
        writer.execute("INSERT INTO leads (email, message) VALUES ('w@example.com', 'x')")
        operation = act("migrations.apply", file=add_supabase(2, TEXT).sha256)
    assert operation.status == "failed"
    assert "Writing to public.leads did not stop" in operation.error
    assert "sampelit_app" in operation.error
    assert (visit(render), switches(render)) == (200, [True, False])
    assert len(history(dsns)) == 1


def test_the_door_opens_after_the_worker_was_killed(
    render: Harness, baselined: Environment, ana: Any, dsns: dict[str, str]
) -> None:
    file = add_supabase(2, TEXT)
    operation = request("migrations.apply", by=ana, environment=baselined, parameters={"file": file.sha256})
    assert in_child(
        lambda: run_with_fault(operation, "transaction.executed", lambda: os.kill(os.getpid(), signal.SIGKILL))
    )
    assert visit(render) == 503
    assert len(history(dsns)) == 1
    Operation.objects.filter(pk=operation.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert finish(operation).status == "succeeded", operation.error
    assert (visit(render), switches(render)) == (200, [True, False])
    assert len(history(dsns)) == 2
    assert not Service.objects.get(name="sampelit-api").maintenance
