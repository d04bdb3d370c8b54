"""The other verbs: maintenance with its steps and watchdog, restart, scale, variables, jobs; and their refusals."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import requests
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from deployments import maintenance_watchdog
from deployments.kinds import control, maintenance, one_off_job
from deployments.kinds.maintenance import lifting_curl
from deployments.models import Service
from ledger.models import Entry
from operations.engine import kinds
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.request import request
from operations.engine.specs import Registered, step
from operations.models import Operation, Risk
from providers.errors import ProviderError, Refused
from tests.people import holder
from tests.render_sandbox import Harness
from tests.ticking import run_job

pytestmark = pytest.mark.django_db
Act = Callable[..., Operation]


def visit(sandbox: Harness) -> int:
    return requests.get(f"{sandbox.sandbox.address}/apps/sampelit-api/", timeout=2).status_code


def test_maintenance_on_and_off(sandbox: Harness, api: Service, act: Act) -> None:
    on = act("deployments.maintenance", state="on", minutes="5")
    closed = visit(sandbox)
    off = act("deployments.maintenance", state="off")

    api.refresh_from_db()
    assert (on.status, on.risk, off.status) == ("succeeded", "routine", "succeeded")
    assert (closed, visit(sandbox)) == (503, 200)
    assert (api.maintenance, api.maintenance_until) == (False, None)


@pytest.mark.parametrize("fault", ["lost", "500", "hang"])
def test_a_lost_answer_is_read_back_and_a_lost_write_sent_again(
    sandbox: Harness, api: Service, act: Act, fault: str
) -> None:
    sandbox.control("fault", match="PATCH", kind=fault, seconds=0.3)

    operation = act("deployments.maintenance", state="on")

    assert operation.status == "succeeded"
    assert sum(call.startswith("PATCH") for call in sandbox.writes()) == (1 if fault == "lost" else 2)


class Careful(OperationKind):
    """Another app's kind between the two registered steps; `broken` fails inside."""

    name, label, permission = "test.careful", "Careful", "deployments.deploy"
    risk = Risk.ROUTINE
    broken = False

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.steps = [Registered("maintenance_on"), step("work", self.work), Registered("maintenance_off", always=True)]

    def work(self, ctx: StepContext) -> None:
        self.seen.append(1)
        if self.broken:
            raise ProviderError("it broke")


@pytest.mark.parametrize("broken", [False, True])
def test_other_apps_close_and_open_the_door(
    sandbox: Harness, api: Service, act: Act, monkeypatch: pytest.MonkeyPatch, broken: bool
) -> None:
    kind = Careful()
    kind.broken = broken
    during: list[int] = []
    monkeypatch.setattr(kind, "seen", during)
    monkeypatch.setitem(kinds.registry.kinds, kind.name, kind)
    kind.steps[1] = step("work", lambda ctx: (during.append(visit(sandbox)), kind.work(ctx))[0])

    operation = act("test.careful", service=None)

    assert operation.status == ("failed" if broken else "succeeded")
    assert during[0] == 503
    assert visit(sandbox) == 200


def test_the_watchdog_lifts_what_was_forgotten(sandbox: Harness, api: Service, act: Act) -> None:
    act("deployments.maintenance", state="on")
    sandbox.control("fault", match="PATCH", kind="cut", times=3)
    assert act("deployments.maintenance", state="off").status == "failed"  # the watchdog still knows
    assert maintenance_watchdog.lift_forgotten() == 0
    Service.objects.filter(pk=api.pk).update(maintenance_until=timezone.now() - timedelta(seconds=1))

    assert maintenance_watchdog.lift_forgotten() == 1
    assert visit(sandbox) == 200
    assert Entry.objects.filter(code="deployments.maintenance_lifted", actor="system").count() == 1
    assert maintenance_watchdog.lift_forgotten() == 0


def test_who_closes_the_door_while_it_is_opened_is_not_forgotten(
    sandbox: Harness, api: Service, act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operation of another kind closes it between the last look and the note of that: the watchdog knows of it."""
    act("deployments.maintenance", state="on")

    def then_closed(*arguments: object) -> bool:
        done = switch(*arguments)  # type: ignore[arg-type]
        later = timezone.now() + timedelta(hours=2)
        Service.objects.filter(pk=api.pk).update(maintenance_until=later, maintenance_operation="another")
        sandbox.render.services.set_maintenance(api.render_id, True)
        return done

    switch = maintenance.switch
    monkeypatch.setattr(maintenance, "switch", then_closed)
    assert act("deployments.maintenance", state="off").status == "succeeded"

    api.refresh_from_db()
    assert api.maintenance_operation == "another"
    Service.objects.filter(pk=api.pk).update(maintenance_until=timezone.now() - timedelta(seconds=1))
    assert maintenance_watchdog.lift_forgotten() == 1


def test_the_ticker_runs_the_watchdog(sandbox: Harness, api: Service, act: Act) -> None:
    act("deployments.maintenance", state="on")
    Service.objects.filter(pk=api.pk).update(maintenance_until=timezone.now() - timedelta(seconds=1))

    run_job("deployments.watchdog")

    assert visit(sandbox) == 200
    assert not Service.objects.get(pk=api.pk).maintenance


def test_the_page_prints_the_curl_that_lifts_it(api: Service) -> None:
    consequences = kinds.get("deployments.maintenance").consequences(
        api.environment, {"service": api.render_id, "state": "on"}
    )

    assert any(line.text.endswith(lifting_curl(api.render_id)) for line in consequences)
    assert "$RENDER_API_KEY" in lifting_curl(api.render_id)


def test_restart_scale_suspend_resume(sandbox: Harness, api: Service, act: Act) -> None:
    assert act("deployments.restart").status == "succeeded"
    assert act("deployments.scale", instances="3").status == "succeeded"
    assert act("deployments.suspend").status == "succeeded"
    assert visit(sandbox) == 503
    assert act("deployments.resume").status == "succeeded"

    api.refresh_from_db()
    assert (api.instances, api.suspended, visit(sandbox)) == (3, False, 200)


def test_a_lost_restart_is_found_in_the_events(sandbox: Harness, api: Service, act: Act) -> None:
    sandbox.control("fault", match="POST .*/restart", kind="lost")
    assert act("deployments.restart").status == "succeeded"
    sandbox.control("fault", match="POST .*/restart", kind="500")
    assert "shows no restart" in act("deployments.restart").error
    assert sum(call.endswith("/restart") for call in sandbox.writes()) == 2


def test_source_autodeploy_and_health_path(sandbox: Harness, api: Service, act: Act) -> None:
    assert act("deployments.source", branch="release").status == "succeeded"
    assert act("deployments.autodeploy", state="checks").status == "succeeded"
    assert act("deployments.health_path", path="/healthz").status == "succeeded"

    api.refresh_from_db()
    assert (api.branch, api.autodeploy_trigger, api.health_check_path) == ("release", "checksPass", "/healthz")


def test_one_variable_is_set_and_no_other_touched(sandbox: Harness, api: Service, act: Act) -> None:
    before = dict(sandbox.sandbox.world.env[api.render_id])

    operation = act("deployments.set_variable", key="FEATURE", value="planted-secret-4711")

    assert operation.status == "succeeded"
    assert sandbox.sandbox.world.env[api.render_id] == before | {"FEATURE": "planted-secret-4711"}
    assert not any(call.startswith("PUT") and call.endswith("/env-vars") for call in sandbox.writes())
    traces = str(Operation.objects.values().get()) + str(list(Entry.objects.values()))
    assert "planted-secret" not in traces
    assert act("deployments.delete_variable", key="FEATURE").status == "succeeded"
    assert sandbox.sandbox.world.env[api.render_id] == before


def test_a_value_may_come_from_the_worker(
    sandbox: Harness, api: Service, act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_VALUE_SMTP", "from-the-worker")

    assert act("deployments.set_variable", key="SMTP_PASSWORD", worker_variable="OPS_VALUE_SMTP").status == "succeeded"
    assert sandbox.sandbox.world.env[api.render_id]["SMTP_PASSWORD"] == "from-the-worker"


def test_a_job_keeps_its_log(sandbox: Harness, act: Act) -> None:
    sandbox.sandbox.world._clock = lambda: timezone.now() + timedelta(seconds=next(ticks))
    ticks = iter(range(1, 100_000))

    done = act("deployments.job", command="python manage.py check")
    failed = act("deployments.job", command="exit 1")

    assert (done.status, failed.status) == ("succeeded", "failed")
    assert "exited with status 0" in done.log


@pytest.mark.parametrize(
    ("kind", "path", "more"),
    [("deployments.job", "jobs", {"command": "python manage.py check"}), ("deployments.restart", "restart", {})],
)
def test_what_nobody_lists_is_not_said_not_to_have_begun(
    sandbox: Harness, act: Act, monkeypatch: pytest.MonkeyPatch, kind: str, path: str, more: dict[str, str]
) -> None:
    for module in (one_off_job, control):
        monkeypatch.setattr(module, "LONG_LOOKS", 3)
    sandbox.control("fault", match=f"POST .*/{path}$", kind="500")

    done = act(kind, **more)

    assert done.status == "failed"
    assert "before you request it again" in done.error
    assert not re.search("not started|as before|othing was", done.error)
    assert len([call for call in sandbox.writes() if call.endswith(path)]) <= 1


def test_purge_and_preview(sandbox: Harness, act: Act) -> None:
    from operations.models import Environment

    web = Service.objects.get(name="sampelit-web")
    assert act("deployments.purge_cache", service=web.render_id).status == "succeeded"
    preview = Service.objects.get(name="sampelit-web-pr-41")
    operator = User.objects.get(username="operator")
    from tests.deployments.conftest import finish

    asked = request(
        "deployments.delete_preview",
        by=operator,
        environment=Environment.objects.get(kind="preview"),
        parameters={"service": preview.name},
    )
    assert finish(asked).status == "succeeded"
    assert preview.render_id not in sandbox.sandbox.world.services


REFUSED = [
    ("deployments.maintenance", {"state": "maybe"}, "on or off"),
    ("deployments.maintenance", {"state": "on", "minutes": "0"}, "1 to 1440"),
    ("deployments.scale", {"instances": "0"}, "1 to 100"),
    ("deployments.scale", {"instances": "many"}, "1 to 100"),
    ("deployments.source", {}, "Give a branch"),
    ("deployments.source", {"repo": "git@github.com:a/b"}, "https://host/owner/name"),
    ("deployments.source", {"branch": "--upload-pack=x"}, "no branch name"),
    ("deployments.autodeploy", {"state": "sometimes"}, "on, off or checks"),
    ("deployments.health_path", {"path": "health"}, "begins with /"),
    ("deployments.set_variable", {"key": "1BAD", "value": "x"}, "letters, digits"),
    ("deployments.set_variable", {"key": "A"}, "Give either"),
    ("deployments.set_variable", {"key": "A", "value": "x", "worker_variable": "OPS_VALUE_A"}, "Give either"),
    ("deployments.set_variable", {"key": "A", "worker_variable": "RENDER_API_KEY"}, "begins with OPS_VALUE_"),
    ("deployments.delete_preview", {}, "is no preview"),
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("kind", "given", "reason"), REFUSED)
def test_bad_input_is_refused(api: Service, operator: User, kind: str, given: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        request(kind, by=operator, environment=api.environment, parameters={"service": api.name} | given)


def test_a_service_key_never_reaches_a_static_site(api: Service, operator: User) -> None:
    given = {"service": "sampelit-web", "key": "SUPABASE_SERVICE_KEY", "value": "x"}

    with pytest.raises(Refused, match="visitors could read it"):
        request("deployments.set_variable", by=operator, environment=api.environment, parameters=given)


def test_every_verb_needs_its_permission(api: Service) -> None:
    nobody = holder("nobody")
    for name, kind in kinds.registry.kinds.items():
        if name.startswith("deployments."):
            with pytest.raises(PermissionDenied):
                request(name, by=nobody, environment=api.environment, parameters={"service": api.name})
            assert kind.permission.startswith("deployments.")
