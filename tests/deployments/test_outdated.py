"""What was decided on an older picture is not done to what is there now: rollbacks by themselves, doors, variables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from deployments import maintenance_watchdog, workspace
from deployments.health import auto_rollback, probing
from deployments.kinds.variable_groups import find_group
from deployments.kinds.workspace.databases import find as find_database
from deployments.models import Deployment, Service, VariableGroup
from deployments.render.sync import poll
from deployments.variables import fingerprints
from ledger.models import Entry
from operations.engine import kinds
from operations.engine.request import request
from operations.models import Environment, Heartbeat, Operation, Task
from providers.errors import Refused
from providers.render.deploys import Jobs
from providers.render.records import Job
from tests.deployments.conftest import finish
from tests.deployments.test_health import bad_deploy
from tests.render_sandbox import Harness

pytestmark = pytest.mark.django_db(transaction=True)
Act = Callable[..., Operation]
ROLLBACK, DEPLOY = "deployments.rollback", "deployments.deploy"


def asked_for(kind: str, api: Service, by: User, **more: str) -> Operation:
    Environment.objects.update(votes_sensitive=0)
    environment = Environment.objects.get(pk=api.environment_id)
    return request(kind, by=by, environment=environment, parameters={"service": api.render_id} | more)


def earlier(api: Service) -> Deployment:
    return api.deployments.filter(status="deactivated").order_by("-created_at")[0]


def of_system() -> list[Operation]:
    return list(Operation.objects.filter(kind=ROLLBACK, requested_by__username="system"))


IN_HAND = [(ROLLBACK, False, 0), (ROLLBACK, True, 0), (DEPLOY, False, 0), (DEPLOY, True, 1)]


@pytest.mark.parametrize("status", ["queued", "running"])
@pytest.mark.parametrize(("kind", "long_ago", "asked"), IN_HAND)
def test_nothing_is_taken_back_while_somebody_has_it_in_hand(
    sandbox: Harness,
    api: Service,
    operator: User,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    status: str,
    long_ago: bool,
    asked: int,
) -> None:
    Service.objects.update(auto_rollback=True)
    more = {"deployment": earlier(api).render_id} if kind == ROLLBACK else {}
    theirs = asked_for(kind, api, operator, **more)
    if long_ago:
        monkeypatch.setattr(auto_rollback, "PATIENCE", timedelta(0))
    Operation.objects.filter(pk=theirs.pk).update(status=status)

    bad_deploy(sandbox, api)

    assert len(of_system()) == asked


def test_ones_own_deploy_that_is_not_well_is_taken_back(sandbox: Harness, api: Service, operator: User) -> None:
    """Its operation still runs, while its health is settled."""
    live = bad_deploy(sandbox, api)
    Service.objects.update(auto_rollback=True)
    theirs = asked_for(DEPLOY, api, operator)
    Operation.objects.filter(pk=theirs.pk).update(status="running")
    Deployment.objects.filter(pk=live.pk).update(operation=theirs)

    probing.probe(Service.objects.select_related("environment").get(pk=api.pk))

    assert len(of_system()) == 1


def shipped(sandbox: Harness, api: Service, live: Deployment) -> None:
    """Somebody mended it in Render's dashboard; the portal has not heard of it."""
    sandbox.control("push", branch="main", message="Mend the pool")
    sandbox.control("manual", service=api.name)


def found_well(sandbox: Harness, api: Service, live: Deployment) -> None:
    Deployment.objects.filter(pk=live.pk).update(health="healthy")


def gone_back(sandbox: Harness, api: Service, live: Deployment) -> None:
    sandbox.render.deploys.rollback(api.render_id, earlier(api).render_id)
    poll()


@pytest.mark.parametrize("meanwhile", [shipped, found_well, gone_back])
def test_an_automatic_rollback_that_waited_takes_nothing_else_away(
    sandbox: Harness, api: Service, meanwhile: Callable[..., None]
) -> None:
    """No worker ran, for an hour."""
    Service.objects.update(auto_rollback=True)
    live = bad_deploy(sandbox, api)
    (operation,) = of_system()
    meanwhile(sandbox, api, live)
    before = len(sandbox.writes())

    ended = finish(operation)

    assert (ended.status, "Nothing was changed" in ended.error) == ("failed", True)
    assert len(sandbox.writes()) == before
    assert not Task.objects.filter(kind=Task.Kind.REENABLE_AUTODEPLOY).exists()


def test_what_a_person_asked_for_is_done_whatever_is_live(sandbox: Harness, api: Service, operator: User) -> None:
    back = earlier(api)
    operation = asked_for(ROLLBACK, api, operator, deployment=back.render_id)
    sandbox.control("push", branch="main", message="In between")
    sandbox.control("manual", service=api.name)

    assert finish(operation).status == "succeeded"
    assert api.deployments.get(status="live").commit_sha == back.commit_sha


def test_a_target_that_is_gone_leaves_everything_as_it_is(sandbox: Harness, api: Service, operator: User) -> None:
    sandbox.render.services.set_autodeploy(api.render_id, True)
    back = earlier(api)
    operation = asked_for(ROLLBACK, api, operator, deployment=back.render_id)
    deploys = sandbox.sandbox.world.deploys[api.render_id]
    deploys[:] = [deploy for deploy in deploys if deploy["id"] != back.render_id]
    before = len(sandbox.writes())

    ended = finish(operation)

    assert (ended.status, "Render no longer has" in ended.error) == ("failed", True)
    assert len(sandbox.writes()) == before
    assert sandbox.render.services.get(api.render_id).auto_deploy


def test_a_target_that_render_does_not_tell_of_is_tried(sandbox: Harness, api: Service, operator: User) -> None:
    back = earlier(api)
    operation = asked_for(ROLLBACK, api, operator, deployment=back.render_id)
    sandbox.control("fault", match=f"GET /services/[^/]+/deploys/{back.render_id}", kind="503", times=99)

    assert finish(operation).status == "succeeded"


SET, DELETE = "deployments.set_variable", "deployments.delete_variable"


def read(sandbox: Harness, api: Service) -> None:
    sandbox.render.env_vars.set(api.render_id, "COLOUR", "green")
    fingerprints.refresh(sandbox.render, api)


def unread(sandbox: Harness, api: Service) -> None:
    sandbox.render.env_vars.set(api.render_id, "COLOUR", "green")


def by_hand(sandbox: Harness, api: Service) -> None:
    sandbox.render.env_vars.set(api.render_id, "COLOUR", "red")


def by_hand_and_read(sandbox: Harness, api: Service) -> None:
    by_hand(sandbox, api)
    fingerprints.refresh(sandbox.render, api)


def not_at_all(sandbox: Harness, api: Service) -> None:
    pass


def as_asked(sandbox: Harness, api: Service) -> None:
    sandbox.render.env_vars.set(api.render_id, "COLOUR", "blue")


def taken_away(sandbox: Harness, api: Service) -> None:
    sandbox.render.env_vars.delete(api.render_id, "COLOUR")


CHANGES = [
    (read, by_hand, False),
    (read, by_hand_and_read, False),
    (read, not_at_all, True),
    (read, as_asked, True),
    (read, taken_away, True),
    (unread, by_hand, True),
]


@pytest.mark.parametrize(("before", "meanwhile", "done"), CHANGES)
def test_a_variable_that_somebody_set_meanwhile_is_not_overwritten(
    sandbox: Harness,
    api: Service,
    operator: User,
    before: Callable[..., None],
    meanwhile: Callable[..., None],
    done: bool,
) -> None:
    before(sandbox, api)
    operation = asked_for(SET, api, operator, key="COLOUR", value="blue")
    meanwhile(sandbox, api)

    ended = finish(operation)

    assert ended.status == ("succeeded" if done else "failed")
    assert sandbox.render.env_vars.get(api.render_id, "COLOUR").value == ("blue" if done else "red")
    if not done:
        assert "Nothing was changed" in ended.error
        assert finish(asked_for(SET, api, operator, key="COLOUR", value="blue")).status == "succeeded"


def test_nor_is_it_deleted(sandbox: Harness, api: Service, operator: User) -> None:
    read(sandbox, api)
    operation = asked_for(DELETE, api, operator, key="COLOUR")
    by_hand(sandbox, api)

    assert finish(operation).status == "failed"
    assert sandbox.render.env_vars.get(api.render_id, "COLOUR").value == "red"
    assert finish(asked_for(DELETE, api, operator, key="COLOUR")).status == "succeeded"


@pytest.mark.parametrize("given", [{"value": "blue"}, {}], ids=["set", "delete"])
def test_nor_a_file(sandbox: Harness, api: Service, operator: User, given: dict[str, str]) -> None:
    sandbox.render.secret_files.set(api.render_id, "a.json", "{}")
    fingerprints.refresh(sandbox.render, api)
    kind = "deployments.set_secret_file" if given else "deployments.delete_secret_file"
    given = {"content": given["value"]} if given and "content" in names_of(kind) else given
    operation = asked_for(kind, api, operator, name="a.json", **given)
    sandbox.render.secret_files.set(api.render_id, "a.json", "[]")

    assert finish(operation).status == "failed"
    assert sandbox.render.secret_files.get(api.render_id, "a.json").content == "[]"
    assert finish(asked_for(kind, api, operator, name="a.json", **given)).status == "succeeded"


def names_of(kind: str) -> set[str]:
    return {parameter.name for parameter in kinds.get(kind).parameters}


def test_what_was_never_read_is_not_said_to_be_unset(api: Service) -> None:
    kind = kinds.get(SET)
    (_, now, *_) = kind.shown(api.environment, {"service": api.render_id, "key": "COLOUR"})  # type: ignore[arg-type]

    assert now.value.startswith("not known")  # type: ignore[union-attr]


def test_of_two_groups_of_one_name_none_is_meant() -> None:
    for number in (1, 2):
        VariableGroup.objects.create(render_id=f"evg-{number}", name="shared", owner_id=f"tea-{number}")

    with pytest.raises(Refused, match="evg-1, evg-2"):
        find_group("shared")
    assert find_group("evg-2").owner_id == "tea-2"
    VariableGroup.objects.filter(render_id="evg-1").update(removed_at=timezone.now())
    assert find_group("shared").render_id == "evg-2"
    with pytest.raises(Refused, match="no variable group"):
        find_group("evg-1")


def test_the_watchdog_says_that_it_opened_only_what_it_opened(sandbox: Harness, api: Service) -> None:
    """Somebody opened the door in Render's dashboard before its time was over."""
    over = timezone.now() - timedelta(minutes=1)
    Service.objects.filter(pk=api.pk).update(maintenance=True, maintenance_until=over)

    assert maintenance_watchdog.lift_forgotten() == 0

    assert not Entry.objects.filter(code="deployments.maintenance_lifted").exists()
    api.refresh_from_db()
    assert api.maintenance_until is None
    poll()
    assert not Service.objects.get(pk=api.pk).maintenance
    assert Entry.objects.filter(code="deployments.settings_changed").count() == 1


def test_autodeploy_that_is_on_again_ends_its_reminder(sandbox: Harness, api: Service, act: Act) -> None:
    sandbox.render.services.set_autodeploy(api.render_id, True)
    poll()
    assert act(ROLLBACK, deployment=earlier(api).render_id).status == "succeeded"
    reminder = Task.objects.get(kind=Task.Kind.REENABLE_AUTODEPLOY, closed_at=None)
    sandbox.render.services.set_autodeploy(api.render_id, True)

    poll()

    reminder.refresh_from_db()
    assert (reminder.closed_at is not None, reminder.closed_by) == (True, None)
    assert "Render" in reminder.resolution


@pytest.mark.parametrize("word", ["timed_out", "evicted", "succeeded"])
def test_a_job_that_ended_in_a_word_that_nobody_knows_has_ended(
    act: Act, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setattr(Jobs, "get", lambda _, service, job: Job(job, word, finished_at=timezone.now()))

    ended = act("deployments.job", command="true")

    assert ended.status == ("succeeded" if word == "succeeded" else "failed")
    assert ended.result["status"] == word


def test_of_two_databases_of_one_name_none_is_meant(db: None) -> None:
    rows = [{"id": f"dpg-{number}", "name": name, "plan": ""} for number, name in enumerate(("a", "a", "b", "dpg-0"))]
    Heartbeat.objects.keep(workspace.KEPT, {"databases": rows})

    with pytest.raises(Refused, match="dpg-0, dpg-1"):
        find_database("a")
    assert [find_database(given)["id"] for given in ("b", "dpg-1", "dpg-0")] == ["dpg-2", "dpg-1", "dpg-0"]
