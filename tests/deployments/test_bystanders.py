"""Every write of deployments names its rows and what they were before: others, and what moved meanwhile, stay."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from deployments.functions import advisors, removal
from deployments.health import probing
from deployments.kinds import source
from deployments.models import AdvisorFinding, Deployment, EdgeFunction, HealthCheck, Service
from deployments.models.deployment import GONE, TRANSITIONS, Status
from deployments.render import record_deploy, service_rows
from ledger.models import Entry
from operations.models import Environment, Notification, Task
from providers.render import Deploy

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=9)


def service(number: int = 1, **fields: object) -> Service:
    return Service.objects.create(render_id=f"srv-{number}", name=f"api-{number}", **fields)


def deployment(of: Service, status: str = "live", **fields: object) -> Deployment:
    made = of.deployments.count()
    return Deployment.objects.create(
        service=of, render_id=f"dep-{made}", status=status, created_at=LONG_AGO + timedelta(hours=made), **fields
    )


@pytest.mark.sampled(3, by="before")
@pytest.mark.parametrize(("before", "after"), sorted((old, new) for old, ends in TRANSITIONS.items() for new in ends))
def test_a_deployment_advances_alone_and_only_from_where_it_stands(before: str, after: str) -> None:
    api = service()
    row, twin = deployment(api, before), deployment(api, before)

    answers = [Deployment.objects.advance(row.pk, before, after) for _ in range(2)]

    assert answers == [True, False]
    assert dict(Deployment.objects.values_list("pk", "status")) == {row.pk: after, twin.pk: before}


def test_a_rollback_goes_back_to_what_was_live_is_known_and_was_no_story() -> None:
    api, words = service(), [GONE, "", "deactivated"]
    made = {
        deployment(api, status, provider_status=word, seeded=seeded): (status, word, seeded)
        for status, word, seeded in product(Status.values, words, [False, True])
    }

    assert set(Deployment.objects.superseded()) == {
        row for row, (status, word, seeded) in made.items() if status == "deactivated" and word != GONE and not seeded
    }


def test_a_deployment_that_is_healthy_already_became_so_when_it_did(settings) -> None:
    settings.HEALTH_GOOD_PROBES = 2
    api = service()
    live = deployment(api, health="healthy", health_at=LONG_AGO)
    HealthCheck.objects.bulk_create(HealthCheck(service=api, deployment=live, healthy=True) for _ in range(2))

    probing._judge_deployment(live)

    live.refresh_from_db()
    assert live.health_at == LONG_AGO


def test_a_change_of_health_is_of_one_service_and_told_by_whoever_made_it() -> None:
    api, other = (service(number, health="healthy") for number in (1, 2))
    seen = Service.objects.get(pk=api.pk)
    check = HealthCheck.objects.create(service=api, healthy=False, detail="503")

    probing._turn(api, "unhealthy", check)
    told = Notification.objects.count()
    Service.objects.filter(pk=api.pk).update(health="unknown")
    probing._turn(seen, "unhealthy", check)

    assert dict(Service.objects.values_list("pk", "health")) == {api.pk: "unknown", other.pk: "healthy"}
    assert (told, Notification.objects.count()) == (1, 1)


def test_only_the_services_open_reminder_of_autodeploy_is_closed() -> None:
    olga, api = User.objects.create(username="olga"), service()
    autodeploy = Task.Kind.REENABLE_AUTODEPLOY
    closed = {"closed_at": LONG_AGO, "closed_by": olga, "resolution": "by hand"}
    for key, kind, fields in (
        ("autodeploy:srv-1:open", autodeploy, {}),
        ("autodeploy:srv-1:done", autodeploy, closed),
        ("autodeploy:srv-1:other", Task.Kind.OTHER, {}),
        ("autodeploy:srv-10:open", autodeploy, {}),
    ):
        Task.objects.create(kind=kind, title=key, dedupe_key=key, **fields)

    source._close_tasks(SimpleNamespace(operation=SimpleNamespace(pk="1", requested_by=olga)), api)  # type: ignore[arg-type]

    resolutions = dict(Task.objects.values_list("dedupe_key", "resolution"))
    assert resolutions == {
        "autodeploy:srv-1:open": "operation 1",
        "autodeploy:srv-1:done": "by hand",
        "autodeploy:srv-1:other": "",
        "autodeploy:srv-10:open": "",
    }


def test_a_service_comes_back_alone() -> None:
    back, other = (service(number, removed_at=LONG_AGO) for number in (1, 2))

    service_rows._mark_back(back)

    assert dict(Service.objects.values_list("pk", "removed_at")) == {back.pk: None, other.pk: LONG_AGO}


def test_what_another_recorded_meanwhile_of_a_deploy_is_not_told_again() -> None:
    row = deployment(service(), "build_in_progress")
    Deployment.objects.filter(pk=row.pk).update(status="live")

    moved = record_deploy._moved(row, Deploy(id=row.render_id, status="update_failed", created_at=row.created_at))

    assert moved is False
    assert Deployment.objects.get().status == "live"
    assert not Entry.objects.exists()


def test_a_finding_is_ignored_alone() -> None:
    production = Environment.objects.create(slug="production", name="P", kind="production")
    first, other = (
        AdvisorFinding.objects.create(environment=production, advisor="security", name=key, cache_key=key)
        for key in ("rls-a", "rls-b")
    )

    advisors.ignore(first, "operator", "The table is public on purpose.")

    assert dict(AdvisorFinding.objects.values_list("pk", "status")) == {first.pk: "ignored", other.pk: "open"}


@pytest.mark.parametrize("by", ["operator", "system"])
def test_a_function_is_removed_once_and_on_one_environment(by: str) -> None:
    production, staging = (Environment.objects.create(slug=slug, name=slug) for slug in ("production", "staging"))
    rows = {
        (environment.slug, slug): EdgeFunction.objects.create(environment=environment, slug=slug)
        for environment, slug in product((production, staging), ("capture", "kept"))
    }

    for _ in range(2):
        removal.mark_removed(production, "capture", by)

    assert list(EdgeFunction.objects.exclude(removed_at=None)) == [rows["production", "capture"]]
    assert Entry.objects.filter(code="deployments.function_removed").count() == 1
