"""A restore onto live tables behind the real maintenance step: Render's door is closed during it and open after it."""

from __future__ import annotations

import psycopg
import pytest
import requests

from backups.models import Run
from deployments.models import Service
from deployments.render.sync import poll
from operations.engine import kinds, specs
from providers.errors import ProviderError
from tests.render_sandbox import running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def render(settings, monkeypatch):
    """Render's sandbox, known to the portal; the present copy looks whether the door is closed."""
    with running() as harness:
        settings.RENDER_API_KEY, settings.RENDER_API_BASE = harness.sandbox.api_key, harness.sandbox.base
        settings.DEPLOY_WATCH_SECONDS = 0.01
        poll()
        yield harness


def newcomer(dsns: dict[str, str]) -> None:
    """A difference that the restore takes back, without touching a chain."""
    with psycopg.connect(dsns["admin"]) as connection:
        connection.execute("INSERT INTO users (email, password_hash, full_name) VALUES ('n@example.com', 'x', 'N')")


def visit(render) -> int:
    return requests.get(f"{render.sandbox.address}/apps/sampelit-api/", timeout=2).status_code


def switches(render) -> list[bool]:
    events = render.sandbox.world.events[render.service()]
    return [event["details"]["enabled"] for event in events if event["type"] == "maintenance_mode_enabled"]


def test_the_door_is_closed_while_live_tables_change(earlier_run: Run, restore_operation, spoilt, render) -> None:
    newcomer(spoilt)
    restore_operation(earlier_run, "compare")

    operation = restore_operation(earlier_run, "live")

    assert operation.error == ""
    assert operation.status == "succeeded"
    assert switches(render) == [True, False]
    assert visit(render) == 200
    assert not Service.objects.get(name="sampelit-api").maintenance


def test_the_door_is_opened_again_when_the_restore_fails(
    earlier_run: Run,
    restore_operation,
    spoilt,
    render,
    monkeypatch,
) -> None:
    newcomer(spoilt)
    restore_operation(earlier_run, "compare")
    kind = kinds.get("backups.restore")
    seen: list[int] = []

    def fail(ctx: object) -> None:
        seen.append(visit(render))
        raise ProviderError("the store is gone")

    broken = [specs.step(step.name, fail) if step.name == "drain" else step for step in kind.resolved_steps({})]
    monkeypatch.setattr(kind, "steps", broken)

    operation = restore_operation(earlier_run, "live")

    assert operation.status == "failed"
    assert (seen, visit(render)) == ([503], 200)
