"""Polling: nothing missed, nothing doubled, who did it, superseded is not failed, unknown words are kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from deployments.models import Deployment, Service, SyncState
from deployments.models.deployment import Status
from deployments.render.history import read_history
from deployments.render.listed import SyncReport
from deployments.render.record_deploy import observe
from deployments.render.sync import poll, sync_service
from ledger.models import Entry
from operations.models import Environment
from providers.http.errors import Rejected, Unauthorized
from providers.render import Deploy
from tests.render_sandbox import API, Harness

pytestmark = pytest.mark.django_db


def test_one_token_shows_services_environments_and_history(sandbox: Harness) -> None:
    seen: list[tuple[str, int]] = []

    report = poll(progress=lambda name, count: seen.append((name, count)))

    assert (report.services, report.created, report.failed) == (5, 59, [])
    assert set(Environment.objects.values_list("slug", "kind", "protected")) == {
        ("production", "production", True),
        ("staging", "staging", True),
        ("sampelit-web-pr-41", "preview", True),
    }
    assert Service.objects.get(name=API).environment.slug == "production"
    assert ("sampelit-api", 14) in seen
    assert Entry.objects.filter(code="deployments.history_read").count() == 5


def test_a_poll_with_nothing_new_writes_nothing(sandbox: Harness, known: SyncReport) -> None:
    poll()
    sandbox.sandbox.calls.clear()

    with CaptureQueriesContext(
        connection,
    ) as queries:
        report = poll()

    assert (report.created, report.changed) == (0, 0)
    assert [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))] == []
    assert len(sandbox.sandbox.calls) == 1 + 5


def test_a_push_is_seen_once_and_supersedes(sandbox: Harness, known: SyncReport) -> None:
    before = Deployment.objects.get(service__name="sampelit-web", status=Status.LIVE)
    commit = sandbox.control("push", branch="main", message="Show the interval")
    poll()
    poll()

    row = Deployment.objects.get(service__name="sampelit-web", commit_sha=commit["id"])
    before.refresh_from_db()
    assert (row.status, row.actor_source, row.who) == ("live", "outside", "outside the portal")
    assert (before.status, before.failed, before.word) == ("deactivated", False, "Superseded")
    assert Deployment.objects.filter(commit_sha=commit["id"]).count() == 1


def test_a_person_in_the_dashboard_is_named(sandbox: Harness, known: SyncReport) -> None:
    sandbox.control("manual", service=API, user="mara@sampelit.example")
    poll()

    row = Deployment.objects.filter(service__name=API).first()
    assert row is not None
    assert (row.trigger, row.actor, row.actor_source) == ("manual", "mara@sampelit.example", "event")


def test_each_state_of_a_slow_deploy_is_recorded_once(sandbox: Harness, known: SyncReport) -> None:
    sandbox.sandbox.world.phases.update(build_in_progress=60, pre_deploy_in_progress=60, update_in_progress=60)
    sandbox.control("manual", service=API, user="mara@sampelit.example")
    words = []
    for _ in range(4):
        poll()
        words.append(Deployment.objects.filter(service__name=API).first().status)
        sandbox.advance(60)

    assert words == ["build_in_progress", "pre_deploy_in_progress", "update_in_progress", "live"]
    told = Entry.objects.exclude(code__in=["deployments.history_read", "operations.environment.added"])
    assert list(told.order_by("sequence").values_list("code", flat=True)) == ["deployments.started", "deployments.live"]


def test_a_failed_build_leaves_what_was_live(sandbox: Harness, known: SyncReport) -> None:
    sandbox.control("fail", service=API, phase="build")
    sandbox.control("manual", service=API)
    poll()

    assert Deployment.objects.filter(service__name=API).first().failed
    assert Deployment.objects.filter(service__name=API, status=Status.LIVE).count() == 1
    assert Entry.objects.filter(code="deployments.failed").count() == 1


def test_an_unknown_status_is_kept_and_shown(sandbox: Harness, known: SyncReport) -> None:
    sandbox.deploys()[-1] |= {"status": "hibernating", "updatedAt": sandbox.sandbox.world.stamp()}
    poll()

    row = Deployment.objects.get(render_id=sandbox.deploys()[-1]["id"])
    assert (row.status, row.provider_status, row.word) == ("unknown", "hibernating", "hibernating")


def test_a_stale_answer_moves_nothing_back(sandbox: Harness, known: SyncReport) -> None:
    row = Deployment.objects.get(service__name=API, status=Status.LIVE)
    sandbox.deploys()[-1] |= {"status": "build_in_progress", "updatedAt": "2026-01-01T00:00:00Z"}
    poll()

    row.refresh_from_db()
    assert row.status == Status.LIVE


def test_a_stale_answer_takes_a_moving_deploy_no_step_back(sandbox: Harness, known: SyncReport) -> None:
    service = Service.objects.get(name=API)
    newer = {"id": "dep-stale", "status": "update_in_progress", "updatedAt": "2026-11-23T10:00:02Z"}
    older = {"id": "dep-stale", "status": "created", "updatedAt": "2026-11-23T10:00:01Z"}
    observe(service, Deploy.parse(newer))

    assert not observe(service, Deploy.parse(older))
    assert service.deployments.get(render_id="dep-stale").status == Status.UPDATE_IN_PROGRESS


def test_a_deleted_service_is_marked_not_lost(sandbox: Harness, known: SyncReport) -> None:
    sandbox.render.services.delete(sandbox.service("sampelit-web-pr-41"))
    poll()
    assert Service.objects.get(name="sampelit-web-pr-41").removed_at is None
    Service.objects.filter(missing_since__isnull=False).update(missing_since=timezone.now() - timedelta(minutes=1))
    poll()

    gone = Service.objects.get(name="sampelit-web-pr-41")
    assert gone.removed_at is not None
    assert gone.deployments.count() == 3


def test_a_revoked_key_is_told_once_and_the_portal_stays_up(sandbox: Harness, known: SyncReport) -> None:
    sandbox.control("key", value="rnd_replaced_000000000000")
    for _ in range(2):
        with pytest.raises(Unauthorized, match="Create a new key"):
            poll()

    state = SyncState.objects.get()
    assert state.error_kind == "Unauthorized"
    assert "rnd_" not in state.error


def test_changed_settings_go_to_the_ledger(sandbox: Harness, known: SyncReport) -> None:
    sandbox.render.services.set_autodeploy(sandbox.service(), True)
    poll()
    poll()

    entries = Entry.objects.filter(code="deployments.settings_changed")
    assert [entry.data for entry in entries] == ['{"changed":{"autodeploy":[false,true]},"service":"sampelit-api"}']


def test_a_deploy_that_render_forgot_is_kept_and_the_service_stays(sandbox: Harness, known: SyncReport) -> None:
    lost = sandbox.deploys().pop()
    sandbox.control("manual", service=API)
    poll()
    assert Deployment.objects.get(render_id=lost["id"]).status == "live"
    Deployment.objects.filter(missing_since__isnull=False).update(missing_since=timezone.now() - timedelta(minutes=1))
    poll()

    row = Deployment.objects.get(render_id=lost["id"])
    assert (row.status, row.provider_status) == ("deactivated", "gone")
    assert Service.objects.get(name=API).removed_at is None


@pytest.mark.sampled(3, by="kept")
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://dashboard.render.com/web/srv-1", True),
        ("http://127.0.0.1:8000/x?y=1#z", True),
        ("javascript:alert(1)", False),
        ("JAVASCRIPT:alert(1)", False),
        ("\tjavascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//elsewhere.example", False),
        ("https://a\nb", False),
        ("https://a/" + "x" * 600, False),
        ("https:javascript", False),
    ],
)
def test_only_a_web_address_becomes_a_link(sandbox: Harness, given: str, kept: bool) -> None:
    service = sandbox.service(API)
    sandbox.sandbox.world.services[service]["dashboardUrl"] = given

    poll()

    assert Service.objects.get(name=API).dashboard_url == (given if kept else "")


def test_a_history_that_is_read_again_is_told_once(sandbox: Harness, api: Service) -> None:
    told = Entry.objects.filter(code="deployments.history_read")
    before = told.count()

    read_history(sandbox.render, api, SyncReport(), full=True)

    assert told.count() == before


def long_history(sandbox: Harness, deploys: int) -> str:
    world, service = sandbox.sandbox.world, sandbox.service(API)
    sample = world.deploys[service][0]
    for number in range(deploys):
        at = f"2025-0{1 + number % 9}-11T00:00:{number % 60:02d}Z"
        times = dict.fromkeys(("createdAt", "startedAt", "finishedAt", "updatedAt"), at)
        world.deploys[service].insert(0, {**sample, "id": world.new_id("dep", str(number)), **times})
    return service


def test_a_first_reading_goes_on_where_it_ended(sandbox: Harness) -> None:
    service = long_history(sandbox, 350)

    read = []
    for _ in range(9):
        poll(seconds=0.000_001)
        read.append(Deployment.objects.filter(service__render_id=service).count())

    assert sorted(set(read)) == [100, 200, 300, 364]
    assert Service.objects.get(render_id=service).history_complete
    told = Entry.objects.filter(code="deployments.history_read", subject=API)
    assert [entry.payload["deploys"] for entry in told] == [364]


def test_what_is_new_is_read_while_the_first_reading_goes_on(sandbox: Harness) -> None:
    service = long_history(sandbox, 350)
    report, row = SyncReport(), Service(render_id=service, name=API)
    row.save()
    sync_service(sandbox.render, row, report, until=0.0)

    made = sandbox.control("manual", service=API, user="alfonso@sampelit.example")
    sync_service(sandbox.render, row, report, until=0.0)

    newest = row.deployments.order_by("-created_at")[0]
    assert (newest.render_id, newest.actor) == (made["id"], "alfonso@sampelit.example")
    assert row.deployments.count() == 201


def test_a_cursor_that_render_no_longer_takes_begins_the_reading_anew(sandbox: Harness) -> None:
    service = long_history(sandbox, 350)
    poll()
    row = Service.objects.get(render_id=service)
    Service.objects.filter(pk=row.pk).update(history_complete=False, history_cursor="expired")
    row.refresh_from_db()
    sandbox.control("fault", match=f"GET .*{service}/deploys.*cursor=expired", kind="400")

    with pytest.raises(Rejected):
        read_history(sandbox.render, row, SyncReport())
    read_history(sandbox.render, Service.objects.get(pk=row.pk), SyncReport())

    assert Service.objects.get(pk=row.pk).history_complete
