"""What Render says of one service, or does not say, is no business of the others: their records, their doors and their
troubles; and one odd time in an answer hides nothing that comes later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from deployments import maintenance_watchdog, workspace
from deployments.health import trouble
from deployments.models import Deployment, Service, SyncState, VariableGroup
from deployments.render.record_deploy import observe
from deployments.render.sync import poll
from deployments.variables import fingerprints
from operations.engine import kinds
from operations.engine.kinds import OperationKind
from operations.engine.specs import Registered, step
from operations.models import Environment, Heartbeat, Operation, Risk, Step
from providers.errors import ProviderError
from providers.http.errors import Unauthorized, Unavailable
from providers.http.shapes import moment
from providers.render import Deploy
from providers.render.workspace import MaintenanceRun, RenderEnvironment
from tests.deployments.conftest import finish
from tests.render_sandbox import API, Harness

pytestmark = pytest.mark.django_db
Act = Callable[..., Operation]
FOR_EVER = 10_000


def ship(sandbox: Harness) -> dict[str, str]:
    """A new deploy of every service that the sandbox builds; its id by the service's."""
    made = {}
    for service in sandbox.sandbox.world.services:
        deploy = sandbox.render.deploys.create(service)
        if deploy is not None:
            made[service] = deploy.id
    return made


def recorded(made: dict[str, str]) -> set[str]:
    return set(Deployment.objects.filter(render_id__in=made.values()).values_list("service__render_id", flat=True))


@pytest.mark.parametrize("answer", ["503", "500", "404", "403"])
def test_a_service_whose_deploys_are_not_listed_hides_no_other(sandbox: Harness, api: Service, answer: str) -> None:
    made = ship(sandbox)
    sandbox.control("fault", match=f"GET /services/{api.render_id}/deploys", kind=answer, times=FOR_EVER)

    poll()

    assert recorded(made) == made.keys() - {api.render_id}
    state = SyncState.objects.get()
    assert state.error == ""
    assert [line.partition(":")[0] for line in state.unread] == [API]


def test_render_that_answers_nobody_is_asked_a_few_times_only(sandbox: Harness, api: Service) -> None:
    sandbox.control("fault", match="GET /services/[^/]+/deploys", kind="503", times=FOR_EVER)
    before = len(sandbox.sandbox.calls)

    poll()

    asked = {call for call in list(sandbox.sandbox.calls)[before:] if call.partition("?")[0].endswith("/deploys")}
    assert len(asked) == 3 < Service.objects.filter(removed_at=None).count()
    assert SyncState.objects.get().error != ""


def test_a_service_that_the_list_misses_and_render_does_not_tell_of_hides_no_other(
    sandbox: Harness, api: Service
) -> None:
    made = ship(sandbox)
    sandbox.sandbox.world.services.pop(api.render_id)
    sandbox.control("fault", match=f"GET /services/{api.render_id}$", kind="503", times=FOR_EVER)

    poll()

    assert recorded(made) == made.keys() - {api.render_id}
    assert Service.objects.get(pk=api.pk).missing_since is None


@pytest.mark.parametrize(("answer", "minutes"), [("403", 0), ("404", 0), ("503", 10)])
def test_that_nobody_says_who_hides_no_deploy(
    sandbox: Harness, api: Service, monkeypatch: pytest.MonkeyPatch, answer: str, minutes: float
) -> None:
    made = ship(sandbox)
    monkeypatch.setattr("deployments.render.sync.NAMELESS", timedelta(minutes=-1 if minutes else 5))
    sandbox.control("fault", match="GET /services/[^/]+/events", kind=answer, times=FOR_EVER)

    poll()

    assert recorded(made) == made.keys()


def test_one_services_events_hide_no_others_trouble(sandbox: Harness, api: Service) -> None:
    other = second_door(sandbox, api)
    for broken, fine in ((api, other), (other, api)):
        Service.objects.update(events_read_at=None)
        sandbox.control("fault", match=f"GET /services/{broken.render_id}/events", kind="503", times=2)
        with pytest.raises(Exception, match="1 failed"):
            trouble.read_events(sandbox.render)
        fine.refresh_from_db()
        assert fine.events_read_at is not None


def test_one_services_addresses_hide_no_others(sandbox: Harness, api: Service) -> None:
    sandbox.control("fault", match=f"GET /services/{api.render_id}/", kind="404", times=FOR_EVER)

    workspace.read(sandbox.render)

    known = workspace.known()
    assert sandbox.service("sampelit-api-staging") in known.addresses
    assert api.render_id not in known.addresses
    assert api.render_id in known.notes["addresses"]
    assert set(known.notes) == {"addresses"}


REFUSALS = [Unauthorized("Render refused the key."), Unavailable("Render failed.")]


@pytest.mark.parametrize("refusal", REFUSALS, ids=["403", "503"])
def test_one_workspaces_maintenance_hides_no_others(
    sandbox: Harness, api: Service, monkeypatch: pytest.MonkeyPatch, refusal: ProviderError
) -> None:
    other = Service.objects.create(render_id="srv-other", name="other", owner_id="a-workspace-before-it")
    soon = timezone.now() + timedelta(days=2)
    kept = {"id": "kept", "type": "t", "resource": "r", "at": soon.isoformat(), "owner": other.owner_id}
    Heartbeat.objects.keep(workspace.KEPT, {"maintenance": [kept]})

    def runs(owner: str) -> list[MaintenanceRun]:
        if owner == other.owner_id:
            raise refusal
        return [MaintenanceRun("planned", workspace.PLANNED, at=soon)]

    monkeypatch.setattr(sandbox.render.maintenance_runs, "list", runs)
    workspace.read(sandbox.render)

    assert {line["id"] for line in workspace.known().maintenance} == {"kept", "planned"}
    assert [other.owner_id in check.found for check in workspace.refused(None)] == [True]


@pytest.mark.parametrize("refusal", REFUSALS, ids=["403", "503"])
def test_one_projects_environments_hide_no_others(
    sandbox: Harness, api: Service, monkeypatch: pytest.MonkeyPatch, refusal: ProviderError
) -> None:
    Heartbeat.objects.keep(workspace.KEPT, {"environments": {"srv-kept": "Staging"}})

    def environments(projects: list[str]) -> list[RenderEnvironment]:
        if "prj-other" in projects:
            raise refusal
        return [RenderEnvironment("evm-1", "Production", services=(api.render_id,))]

    monkeypatch.setattr(sandbox.render.environments, "projects", lambda: iter(["prj-other", "prj-1"]))
    monkeypatch.setattr(sandbox.render.environments, "list", environments)
    workspace.read(sandbox.render)

    assert workspace.known().environments == {"srv-kept": "Staging", api.render_id: "Production"}
    assert "prj-other" in workspace.known().notes["environments"]


def test_one_group_hides_no_other(sandbox: Harness, api: Service) -> None:
    groups = list(sandbox.sandbox.world.groups)
    sandbox.control("fault", match=f"GET /env-groups/{groups[0]}$", kind="503", times=2)

    with pytest.raises(ProviderError):
        fingerprints.refresh_groups(sandbox.render)

    assert set(VariableGroup.objects.values_list("render_id", flat=True)) == set(groups[1:])


def test_a_time_that_lies_ahead_hides_nothing_that_comes_later(api: Service) -> None:
    now = timezone.now()
    odd = Deploy(id="dep-odd", status="build_in_progress", created_at=now, updated_at=now + timedelta(days=9_000))

    observe(api, odd)
    observe(api, Deploy(id="dep-odd", status="live", created_at=now, updated_at=now))

    assert Deployment.objects.get(render_id="dep-odd").status == "live"


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z"])
def test_a_time_that_no_database_gives_back_is_none(api: Service, time: str) -> None:
    observe(api, Deploy(id="dep-odd", status="live", created_at=moment(time), updated_at=moment(time)))

    assert Deployment.objects.get(render_id="dep-odd").provider_updated_at is None


class Careful(OperationKind):
    """Another app's kind between the two registered steps."""

    name, label, permission, risk = "test.careful", "Careful", "deployments.deploy", Risk.ROUTINE

    def __init__(self, work: Callable[..., None]) -> None:
        self.steps = [Registered("maintenance_on"), step("work", work), Registered("maintenance_off", always=True)]


def second_door(sandbox: Harness, api: Service) -> Service:
    other = Service.objects.get(render_id=sandbox.service("sampelit-api-staging"))
    Service.objects.filter(pk=other.pk).update(environment=api.environment)
    return other


def closed(sandbox: Harness, service: Service) -> bool:
    return sandbox.render.services.get(service.render_id).maintenance.enabled


def test_a_door_that_does_not_open_keeps_no_other_closed(
    sandbox: Harness, api: Service, act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    doors = [api, second_door(sandbox, api)]

    def work(ctx: object) -> None:
        assert [closed(sandbox, door) for door in doors] == [True, True]
        sandbox.control("fault", match=f"PATCH /services/{api.render_id}", kind="403", times=FOR_EVER)

    monkeypatch.setitem(kinds.registry.kinds, Careful.name, Careful(work))

    operation = act(Careful.name, service=None)

    assert (operation.status, operation.outcome) == ("running", "")
    assert [closed(sandbox, door) for door in doors] == [True, False]
    assert operation.steps.get(name="maintenance_off").error.startswith(f"{API}: ")


def test_no_door_opens_on_what_still_counts_on_it(
    sandbox: Harness, api: Service, act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person had closed it for a time that ends in the middle of the work."""
    act("deployments.maintenance", state="on", minutes="5")
    during: list[tuple[int, bool]] = []

    def work(ctx: object) -> None:
        Service.objects.filter(pk=api.pk).update(maintenance_until=timezone.now() - timedelta(seconds=1))
        during.append((maintenance_watchdog.lift_forgotten(), closed(sandbox, api)))

    monkeypatch.setitem(kinds.registry.kinds, Careful.name, Careful(work))

    assert act(Careful.name, service=None).status == "succeeded"

    assert during == [(0, True)]
    assert closed(sandbox, api)
    assert maintenance_watchdog.lift_forgotten() == 1
    assert not closed(sandbox, api)


def other_running(api: Service, asked_by: User) -> Operation:
    """An operation in the middle of its work, which found the door closed."""
    other = Operation.objects.create(
        kind=Careful.name,
        environment=api.environment,
        requested_by=asked_by,
        status="queued",
        approvals_required=0,
        risk="routine",
        expires_at=timezone.now(),
    )
    Operation.objects.filter(pk=other.pk).update(status="running")
    Step.objects.create(
        operation=other, position=0, name="maintenance_on", pool="urgent", detail={"found_on": [api.render_id]}
    )
    Step.objects.create(operation=other, position=1, name="maintenance_off", pool="urgent", always=True)
    return other


def test_whoever_closed_a_door_opens_it_on_nobody_else(
    sandbox: Harness, api: Service, act: Act, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restore that began in a migration's maintenance goes on after it."""
    others: list[Operation] = []
    work = Careful(lambda _: others.append(other_running(api, operator)))
    monkeypatch.setitem(kinds.registry.kinds, Careful.name, work)

    assert act(Careful.name, service=None).status == "succeeded"

    off = kinds.registry.kinds["deployments.maintenance"].consequences(
        Environment.objects.get(pk=api.environment_id), {"service": api.render_id, "state": "off"}
    )
    assert [line.tone for line in off] == ["ok", "bad"]
    assert (maintenance_watchdog.lift_forgotten(), closed(sandbox, api)) == (0, True)
    others[0].steps.filter(name="maintenance_off").update(started_at=timezone.now())
    assert (maintenance_watchdog.lift_forgotten(), closed(sandbox, api)) == (1, False)


def test_a_step_that_is_tried_again_opens_no_door_that_a_person_closed_since(
    sandbox: Harness, api: Service, act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = second_door(sandbox, api)

    def work(ctx: object) -> None:
        sandbox.control("fault", match=f"PATCH /services/{api.render_id}", kind="403", times=FOR_EVER)

    monkeypatch.setitem(kinds.registry.kinds, Careful.name, Careful(work))
    operation = act(Careful.name, service=None)
    assert not closed(sandbox, other)
    act("deployments.maintenance", service=other.render_id, state="on")
    sandbox.sandbox.faults.clear()
    Operation.objects.filter(pk=operation.pk).update(due_at=timezone.now() - timedelta(seconds=1))

    assert finish(operation).status == "succeeded"

    assert [closed(sandbox, door) for door in (api, other)] == [False, True]


@pytest.mark.parametrize("is_on", [True, False])
def test_whether_a_door_was_closed_is_asked_and_not_remembered(
    sandbox: Harness, api: Service, act: Act, monkeypatch: pytest.MonkeyPatch, is_on: bool
) -> None:
    """Our row lags behind what somebody did at Render."""
    sandbox.render.services.set_maintenance(api.render_id, is_on)
    Service.objects.filter(pk=api.pk).update(maintenance=not is_on)
    during: list[bool] = []
    monkeypatch.setitem(kinds.registry.kinds, Careful.name, Careful(lambda _: during.append(closed(sandbox, api))))

    assert act(Careful.name, service=None).status == "succeeded"

    assert (during, closed(sandbox, api)) == ([True], is_on)
