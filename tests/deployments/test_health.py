"""Health by status and body, streaks, and the automatic way back: once, never in a loop, never across a loss."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from deployments import jobs
from deployments.health import probing
from deployments.health.assessment import assess
from deployments.models import Deployment, HealthCheck, Service
from deployments.render.sync import poll
from ledger.models import Entry
from operations.engine import kinds
from operations.engine.specs import Consequence
from operations.models import Notification, Operation
from providers.http.health_probe import HealthResponse
from tests.deployments.conftest import finish
from tests.render_sandbox import Harness

pytestmark = pytest.mark.django_db

VERDICTS = [
    (200, b'{"status": "healthy", "database": "connected", "version": "1.4"}', "", True),
    (200, b'{"status": "degraded", "database": "disconnected"}', "", False),
    (200, b'{"status": "healthy", "database": "disconnected"}', "", False),
    (503, b'{"status": "unhealthy"}', "", False),
    (503, b'{"status": "healthy"}', "", False),
    (200, b"OK", "", True),
    (204, b"", "", True),
    (302, b"", "", False),
    (200, b'["healthy"]', "", False),
    (200, b'{"status": ""}', "", False),
    (200, b'{"status": null}', "", False),
    (None, b"", "no answer (TimeoutError)", False),
]


@pytest.mark.parametrize(("status", "body", "error", "healthy"), VERDICTS)
def test_the_verdict_reads_status_and_body(status: int | None, body: bytes, error: str, healthy: bool) -> None:
    assert assess(HealthResponse(status, body, error=error)).healthy is healthy


def test_healthy_only_after_enough_good_probes(sandbox: Harness, api: Service) -> None:
    probing.probe(api)
    assert Service.objects.get(pk=api.pk).health == "unknown"
    probing.probe(api)

    row = Service.objects.get(pk=api.pk)
    assert (row.health, row.health_streak, row.deployments.get(status="live").health) == ("healthy", 2, "healthy")
    assert row.version == row.deployments.get(status="live").short
    assert not Entry.objects.filter(code="deployments.healthy").exists()


def test_degraded_is_told_once_and_so_is_the_recovery(sandbox: Harness, api: Service) -> None:
    for status in ("", "degraded", ""):
        sandbox.control("health", service=api.name, status=status)
        for _ in range(4):
            probing.probe(Service.objects.select_related("environment").get(pk=api.pk))

    codes = Entry.objects.filter(code__in=["deployments.healthy", "deployments.unhealthy"]).order_by("sequence")
    assert list(codes.values_list("code", "actor")) == [
        ("deployments.unhealthy", "system"),
        ("deployments.healthy", "system"),
    ]
    subjects = list(Notification.objects.order_by("pk").values_list("subject", flat=True))
    assert subjects == ["sampelit-api is unhealthy", "Resolved: sampelit-api is healthy"]
    assert Notification.objects.first().url.endswith(
        f"/deployments/deployment/{api.deployments.get(status='live').pk}/change/"
    )


def test_one_bad_probe_changes_nothing(sandbox: Harness, api: Service) -> None:
    for status in ("", "", "degraded", ""):
        sandbox.control("health", service=api.name, status=status)
        probing.probe(Service.objects.get(pk=api.pk))

    assert Service.objects.get(pk=api.pk).health == "healthy"


def test_the_job_probes_what_is_due_and_skips_maintenance(sandbox: Harness, api: Service) -> None:
    jobs.probe_health()
    assert set(HealthCheck.objects.values_list("service__name", flat=True)) == {"sampelit-api", "sampelit-api-staging"}
    Service.objects.update(maintenance=True)

    assert probing.due() == []


def test_a_decided_service_is_asked_once_a_period(sandbox: Harness, api: Service) -> None:
    for _ in range(3):
        jobs.probe_health()

    assert probing.due() == []
    Service.objects.update(probed_at=timezone.now() - timedelta(hours=1))
    assert len(probing.due()) == 2


def bad_deploy(sandbox: Harness, api: Service) -> Deployment:
    """A good version was seen healthy, then a degraded one goes live; probes have decided."""
    for _ in range(2):
        probing.probe(Service.objects.select_related("environment").get(pk=api.pk))
    sandbox.control("push", branch="main", message="Break the pool", behaviour="degraded")
    sandbox.control("manual", service=api.name)
    poll()
    for _ in range(3):
        probing.probe(Service.objects.select_related("environment").get(pk=api.pk))
    return api.deployments.get(status="live")


def test_it_rolls_back_by_itself_once(transactional_db: None, sandbox: Harness, api: Service) -> None:
    Service.objects.update(auto_rollback=True)
    good = api.deployments.get(status="live")

    bad_deploy(sandbox, api)

    operation = Operation.objects.get(kind="deployments.rollback")
    assert (operation.requested_by.username, operation.status, operation.risk) == ("system", "queued", "routine")
    assert finish(operation).status == "succeeded"
    assert api.deployments.get(status="live").commit_sha == good.commit_sha
    sandbox.control("health", service=api.name, status="degraded")
    for _ in range(3):
        probing.probe(Service.objects.select_related("environment").get(pk=api.pk))
    assert Operation.objects.filter(kind="deployments.rollback").count() == 1


def test_without_opting_in_it_only_tells(sandbox: Harness, api: Service) -> None:
    bad_deploy(sandbox, api)

    assert not Operation.objects.exists()
    assert Notification.objects.filter(subject="sampelit-api is unhealthy").exists()


def test_it_never_rolls_back_across_something_that_is_not_undone(
    sandbox: Harness, api: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = [lambda environment, parameters: [Consequence("DROP TABLE leads will not be undone", "bad")]]
    monkeypatch.setitem(kinds.registry.consequences, "deployments.rollback", tell)
    Service.objects.update(auto_rollback=True)

    bad_deploy(sandbox, api)

    assert not Operation.objects.exists()


def test_old_probes_are_pruned(api: Service) -> None:
    old = timezone.now() - timedelta(days=15)
    HealthCheck.objects.create(service=api, healthy=True, checked_at=old)

    assert probing.prune() == 1
