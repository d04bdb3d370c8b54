"""What Render holds beside deploys: databases, planned maintenance, environments, cron jobs, secret files, domains.

Each write is sent once per intent, also where its answer is lost; what it brought about is looked up.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from deployments import workspace
from deployments.kinds.workspace import cron_jobs, maintenance_runs
from deployments.models import Service
from deployments.render.sync import poll
from ledger.models import Entry
from operations.engine import kinds
from operations.engine.at_most_once import Polling
from operations.engine.request import request
from operations.models import Environment, Heartbeat, Operation
from providers.errors import Refused
from sandbox.render import seed
from sandbox.render.api import edge
from sandbox.render.api import workspace as at_render
from sandbox.render.api.postgres import ID as PORTALS
from tests.deployments.conftest import finish
from tests.people import holder
from tests.render_sandbox import STAGING, Harness

pytestmark = pytest.mark.django_db
Act = Callable[..., Operation]
LOST = ["", "lost", "empty"]


@pytest.fixture
def read(sandbox: Harness, known: object, operator: User) -> Callable[[], workspace.Workspace]:
    """Read the workspace as the periodic job does."""

    def read() -> workspace.Workspace:
        workspace.read(sandbox.render)
        return workspace.known()

    return read


@pytest.fixture
def planned(sandbox: Harness, read: Callable[[], Any]) -> dict[str, Any]:
    """Maintenance of the portal's database, in two days, to be put off by five at most."""
    now = timezone.now()
    run = at_render.plan(sandbox.sandbox.world, PORTALS, now + timedelta(days=2), now + timedelta(days=7))
    read()
    return run


@pytest.fixture
def nightly(sandbox: Harness, api: Service) -> Service:
    """A cron job in production."""
    seed._service(sandbox.sandbox.world, "sampelit-nightly", "cron_job", "main", "production", auto=False)
    poll()
    return Service.objects.get(name="sampelit-nightly")


def lose(sandbox: Harness, match: str, fault: str) -> None:
    if fault:
        sandbox.control("fault", match=match, kind=fault)


def sent(sandbox: Harness, word: str) -> int:
    return sum(word in call for call in sandbox.writes())


@pytest.mark.sampled(3)
@pytest.mark.parametrize("fault", LOST)
def test_a_database_is_recovered_beside_the_old_one_once(sandbox: Harness, act: Act, read, fault: str) -> None:
    read()
    lose(sandbox, "POST .*/recovery", fault)
    at = (timezone.now() - timedelta(hours=2)).isoformat()

    done = act("deployments.recover_database", service=None, database="sampelit-ops-db", at=at, name="ops-recovered")

    assert (done.status, done.error) == ("succeeded", "")
    assert {row["name"]: row["id"] for row in workspace.known().databases} == {
        "sampelit-ops-db": PORTALS,
        "ops-recovered": done.result["recovered"],
    }
    assert sent(sandbox, "/recovery") == 1


def test_what_the_window_does_not_hold_is_refused_before_anything_is_sent(sandbox: Harness, act: Act, read) -> None:
    read()
    at = (timezone.now() - timedelta(days=30)).isoformat()

    done = act("deployments.recover_database", service=None, database=PORTALS, at=at, name="ops-recovered")

    assert done.status == "failed"
    assert "AVAILABLE, from" in done.error
    assert "Nothing was changed" in done.error
    assert sent(sandbox, "/recovery") == 0


@pytest.mark.sampled(3)
@pytest.mark.parametrize("fault", LOST)
def test_a_database_is_exported_once(sandbox: Harness, act: Act, read, fault: str) -> None:
    read()
    sandbox.sandbox.world.things["exports"] = [
        {"id": "exp-old", "createdAt": "2026-11-01T00:00:00Z", "url": "https://x"}
    ]
    lose(sandbox, "POST .*/export", fault)

    done = act("deployments.export_database", service=None, database=PORTALS)

    assert (done.status, done.error) == ("succeeded", "")
    assert done.result["export"] != "exp-old"
    assert sent(sandbox, "/export") == 1
    assert "exports.example" not in json.dumps([done.result, done.log])


def test_a_restart_whose_answer_is_lost_is_not_taken_for_done(sandbox: Harness, act: Act, read) -> None:
    read()
    assert act("deployments.restart_database", service=None, database=PORTALS).status == "succeeded"
    lose(sandbox, "POST .*/restart", "lost")

    lost = act("deployments.restart_database", service=None, database=PORTALS)

    assert (lost.status, lost.risk) == ("failed", "routine")
    assert "It tells of no restart and says available" in lost.error
    assert sent(sandbox, "/restart") == 2


@pytest.mark.sampled(3)
@pytest.mark.parametrize("fault", LOST)
def test_maintenance_is_put_off_and_begun(sandbox: Harness, act: Act, planned: dict[str, Any], fault: str) -> None:
    lose(sandbox, "PATCH /maintenance", fault)
    lose(sandbox, "POST /maintenance", fault)
    at = (timezone.now() + timedelta(days=5)).replace(microsecond=0)

    moved = act("deployments.reschedule_maintenance", service=None, run=planned["id"], at=at.isoformat())
    known = workspace.known().maintenance
    begun = act("deployments.start_maintenance", service=None, run=planned["id"])

    assert (moved.status, begun.status, begun.result["state"]) == ("succeeded", "succeeded", "in_progress")
    assert [run["at"] for run in known] == [at.isoformat()]
    assert workspace.known().maintenance == []
    assert (sent(sandbox, "PATCH /maintenance"), sent(sandbox, "/trigger")) == (1, 1)


@pytest.mark.parametrize("state", ["cancelled", "failed", "user_fix_required"])
def test_maintenance_that_render_did_not_do_is_no_success(act: Act, planned: dict[str, Any], state: str) -> None:
    planned["state"] = state

    begun = act("deployments.start_maintenance", service=None, run=planned["id"])

    assert begun.status == "failed"
    assert f"Render did not do this maintenance: it says {state.replace('_', ' ')}." in begun.error


def test_planned_maintenance_is_a_finding_with_its_name_and_time(planned: dict[str, Any]) -> None:
    check = next(workspace.planned_maintenance(None))

    assert (check.tone, check.name) == ("warn", "Render's maintenance of sampelit-ops-db")
    assert check.found.startswith("planned for 20")


def test_maintenance_whose_time_has_come_is_planned_no_more(planned: dict[str, Any], act: Act) -> None:
    """Render was not read since: it may be under way, and nothing is offered for it."""
    kept = Heartbeat.objects.get(name=workspace.KEPT)
    runs = [run | {"at": (timezone.now() - timedelta(minutes=1)).isoformat()} for run in kept.detail["maintenance"]]
    Heartbeat.objects.filter(pk=kept.pk).update(detail=kept.detail | {"maintenance": runs})

    check = next(workspace.planned_maintenance(None))

    assert check.found.startswith("was planned for 20")
    assert check.found.endswith("and may be under way: Render was not asked since")
    assert list(maintenance_runs.runs(Environment.objects.first())) == []  # type: ignore[arg-type]
    with pytest.raises(Refused, match=r"Its time came at .* may be under way. Nothing was requested"):
        act("deployments.start_maintenance", service=None, run=planned["id"])


@pytest.mark.sampled(3)
@pytest.mark.parametrize("fault", LOST)
def test_a_cron_job_runs_once_and_is_watched(
    sandbox: Harness, nightly: Service, act: Act, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    lose(sandbox, "POST /cron-jobs", fault)
    world, until = sandbox.sandbox.world, Polling.until

    def ending(self: Polling, ctx: Any, look: Callable[[], Any], looks: int | None = None) -> Any:
        """The run ends while it is watched."""
        if looks == cron_jobs.UNTIL_DEADLINE:
            edge.end_run(world, nightly.render_id, "successful")
        return until(self, ctx, look, 3)

    monkeypatch.setattr(Polling, "until", ending)

    done = act("deployments.run_cron", service=nightly.render_id)

    assert (done.status, done.error, done.result["status"]) == ("succeeded", "", "successful")
    assert sent(sandbox, "/runs") == 1


@pytest.mark.sampled(3)
@pytest.mark.parametrize("fault", LOST)
def test_a_run_that_is_under_way_is_cancelled_once(sandbox: Harness, nightly: Service, act: Act, fault: str) -> None:
    sandbox.render.cron_runs.start(nightly.render_id)
    lose(sandbox, "DELETE /cron-jobs", fault)

    done = act("deployments.cancel_cron", service=nightly.render_id)

    assert (done.status, done.result["status"], done.risk) == ("succeeded", "canceled", "routine")
    assert sum(call.startswith("DELETE") for call in sandbox.writes()) == 1


@pytest.mark.sampled(3)
@pytest.mark.parametrize("fault", LOST)
def test_a_secret_file_is_set_and_deleted_and_no_other_touched(
    sandbox: Harness, api: Service, act: Act, fault: str
) -> None:
    files, content = sandbox.sandbox.world.files[api.render_id], '{\n  "key": "planted-secret-4711"\n}\n'
    before = dict(files)
    lose(sandbox, "PUT .*/secret-files", fault)

    done = act("deployments.set_secret_file", name="new.json", value=content)

    assert (done.status, done.error) == ("succeeded", "")
    assert files == before | {"new.json": content}
    assert "planted-secret" not in str(list(Operation.objects.values())) + str(list(Entry.objects.values()))
    assert api.variables.filter(kind="file", key="new.json").exists()
    assert act("deployments.delete_secret_file", name="new.json").status == "succeeded"
    assert files == before


def test_a_domain_is_verified_once_its_entry_is_there(sandbox: Harness, api: Service, act: Act) -> None:
    edge.add_domain(sandbox.sandbox.world, api.render_id, "new.sampelit.example")

    early = act("deployments.verify_domain", domain="new.sampelit.example")
    sandbox.sandbox.world.things["dns"].append("new.sampelit.example")
    done = act("deployments.verify_domain", domain="New.Sampelit.Example.")

    assert (early.status, done.status) == ("failed", "succeeded")
    assert "does not see the DNS entry of new.sampelit.example yet; nothing else was changed" in early.error


def test_a_redirect_moves_to_its_place(sandbox: Harness, api: Service, act: Act) -> None:
    web = Service.objects.get(name="sampelit-web")

    done = act("deployments.move_route", service=web.render_id, source="/*", priority="0")
    unknown = act("deployments.move_route", service=web.render_id, source="/nowhere", priority="0")

    assert (done.status, done.result["was"]) == ("succeeded", 1)
    assert [rule.source for rule in sandbox.render.routes.list(web.render_id)] == ["/*", "/pricing"]
    assert "It has: /*, /pricing" in unknown.error


def test_the_audit_log_shows_every_event_in_renders_word_and_counts_it(sandbox: Harness, act: Act) -> None:
    world = sandbox.sandbox.world
    world.things["audit"] = [at_render._entry(world, "AnEventOf2027", "ben@sampelit.example", {"field": "x"})]

    done = act("deployments.read_audit_log", service=None)
    world.plan = "hobby"
    refused = act("deployments.read_audit_log", service=None, hours="2")

    assert done.status == "succeeded"
    assert done.result["events"]["AnEventOf2027"] == 1
    assert "ben@sampelit.example: UpdateEnvVarsEvent field=env_vars" in done.log
    assert done.result["entries"] == 4
    assert "plan does not include" in refused.error


def test_a_service_follows_renders_environment_by_the_votes_of_the_stricter(
    sandbox: Harness, read: Callable[[], Any], api: Service, act: Act
) -> None:
    staging = Service.objects.get(name=STAGING)
    sandbox.sandbox.world.things["moved"] = {staging.render_id: "production"}
    read()
    kind, given = kinds.get("deployments.follow_environment"), {"service": staging.render_id}
    assert [check.name for check in workspace.places(None)] == [f"{STAGING} place"]
    assert {place.kind for place in kind.reaches(staging.environment, given)} == {"staging", "production"}
    Environment.objects.update(votes_sensitive=0)
    ada = holder("ada", "deployments.change_service")

    done = finish(request(kind.name, by=ada, environment=staging.environment, parameters=given))

    assert (done.status, done.error, done.result["environment"]) == ("succeeded", "", "production")
    assert Service.objects.get(pk=staging.pk).environment.kind == "production"
    assert list(workspace.places(None)) == []
    assert Entry.objects.get(code="deployments.settings_changed", subject=STAGING).actor == "ada"
    assert sandbox.writes() == []


def test_a_part_that_render_refuses_keeps_what_was_known_of_it(sandbox: Harness, read: Callable[[], Any]) -> None:
    before = read()
    assert set(before.addresses) == {sandbox.service(), sandbox.service(STAGING)}
    sandbox.control("fault", match="GET /environments", kind="402")

    after = read()

    assert after.environments == before.environments != {}
    assert list(after.notes) == ["environments"]


REFUSED = [
    ("deployments.recover_database", {"database": PORTALS, "at": "tomorrow", "name": "x"}, "is no time"),
    ("deployments.recover_database", {"database": PORTALS, "at": "2099-01-01T00:00:00Z", "name": "x"}, "not over yet"),
    (
        "deployments.recover_database",
        {"database": PORTALS, "at": "2026-11-01T00:00:00Z", "name": "X Y"},
        "small letters",
    ),
    ("deployments.restart_database", {"database": "nobody's"}, "Known: sampelit-ops-db"),
    ("deployments.start_maintenance", {"run": "mrn-unknown"}, "plans no maintenance"),
    ("deployments.run_cron", {"service": "sampelit-api"}, "is no cron job"),
    ("deployments.set_secret_file", {"service": "sampelit-api", "name": "../x", "value": "y"}, "letters, digits"),
    ("deployments.set_secret_file", {"service": "sampelit-web", "name": "x", "value": "y"}, "static site"),
    ("deployments.set_secret_file", {"service": "sampelit-api", "name": "x"}, "Give either"),
    ("deployments.verify_domain", {"service": "sampelit-api", "domain": "a b"}, "app.example.com"),
    ("deployments.move_route", {"service": "sampelit-api", "source": "/a", "priority": "0"}, "no static site"),
    ("deployments.move_route", {"service": "sampelit-web", "source": "/a", "priority": "first"}, "0 to 1000"),
    ("deployments.read_audit_log", {"hours": "0"}, "1 to 2160"),
    ("deployments.follow_environment", {"service": "sampelit-api"}, "as at Render"),
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("kind", "given", "reason"), REFUSED)
def test_bad_input_is_refused(
    read, api: Service, operator: User, kind: str, given: dict[str, str], reason: str
) -> None:
    read()

    with pytest.raises(Refused, match=reason):
        kinds.get(kind).clean(api.environment, given)


def test_maintenance_is_put_off_no_longer_than_render_allows(planned: dict[str, Any], api: Service) -> None:
    late = (timezone.now() + timedelta(days=8)).isoformat()

    with pytest.raises(Refused, match="at the latest"):
        kinds.get("deployments.reschedule_maintenance").clean(api.environment, {"run": planned["id"], "at": late})
