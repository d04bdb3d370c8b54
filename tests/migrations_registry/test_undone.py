"""A rollback says which migrations stay; one that destroyed data is red, so the rollback needs a vote."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from deployments.health import auto_rollback
from deployments.health.sight import Sight
from deployments.models import Deployment, HealthCheck, Service
from migrations_registry.consequences import by_a_rollback
from migrations_registry.models import Application
from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import discover
from operations.engine.request import request
from operations.models import Environment, Operation
from providers.http.health_probe import HealthResponse
from tests.factories import person

pytestmark = pytest.mark.django_db


def test_only_what_came_after_the_target_is_told() -> None:
    production = Environment.objects.create(slug="production", name="Production", kind="production")
    service = Service.objects.create(render_id="srv-1", name="api", type="web_service", environment=production)
    now = timezone.now()
    Deployment.objects.create(service=service, render_id="dep-1", status="deactivated", created_at=now - timedelta(2))
    files, _ = discover(
        [
            ("database/schema/migration_01_old.sql", b"CREATE TABLE a (id int);"),
            ("database/schema/migration_02_new.sql", b"CREATE TABLE b (id int);"),
            ("database/schema/migration_03_drop.sql", b"DROP TABLE leads;"),
        ]
    )
    files = register_files(files, source="tests", by="ana")
    for file, days in zip(files, (3, 1, 0.5), strict=True):
        Application.objects.create(
            file=file,
            environment=production,
            operation=f"op{file.pk}",
            status="applied",
            ended_at=now - timedelta(days),
        )

    lines = by_a_rollback(production, {"service": "srv-1", "deployment": "dep-1"})

    assert [(line.text.split(",")[0], line.tone) for line in lines] == [
        ("Will not be undone: migration_03_drop.sql", "bad"),
        ("Will not be undone: migration_02_new.sql", "warn"),
    ]
    assert by_a_rollback(production, {"service": "srv-1", "deployment": "gone"}) == []


@pytest.fixture
def unhealthy() -> Deployment:
    """What is live on a service that may roll back by itself; an hour ago another deploy was live and healthy."""
    production = Environment.objects.create(slug="production", name="Production", kind="production", protected=True)
    service = Service.objects.create(
        render_id="srv-1", name="api", type="web_service", environment=production, auto_rollback=True
    )
    now = timezone.now()
    service.deployments.create(
        render_id="dep-good", status="deactivated", health="healthy", commit_sha="a" * 40, created_at=now - timedelta(1)
    )
    live = service.deployments.create(
        render_id="dep-bad", status="live", health="unhealthy", commit_sha="b" * 40, created_at=now
    )
    for _ in range(auto_rollback.BAD_PROBES):
        live.health_checks.create(service=service, healthy=False, verdict=HealthCheck.Verdict.BAD)
    return live


SEEN = Sight([HealthResponse(200, b"", 5)], timezone.now())


def _applied(live: Deployment, sql: bytes) -> None:
    files, _ = discover([("database/schema/migration_01_x.sql", sql)])
    (file,) = register_files(files, source="tests", by="ana")
    Application.objects.create(
        file=file, environment=live.service.environment, operation="op1", status="applied", ended_at=timezone.now()
    )


def _rollback(live: Deployment) -> Operation:
    return request(
        "deployments.rollback",
        by=person("olga"),
        environment=live.service.environment,
        parameters={"service": "srv-1", "deployment": "dep-good"},
        reason="it is broken",
    )


def test_a_rollback_across_a_destructive_migration_waits_for_votes(unhealthy: Deployment) -> None:
    _applied(unhealthy, b"DROP TABLE leads;")

    operation = _rollback(unhealthy)

    assert (operation.risk, operation.status) == ("sensitive", "awaiting_approval")
    assert operation.approvals_required > 0


def test_a_rollback_across_a_harmless_migration_waits_for_nobody(unhealthy: Deployment) -> None:
    _applied(unhealthy, b"CREATE TABLE b (id int);")

    assert _rollback(unhealthy).status == "queued"


def test_no_rollback_across_a_destructive_migration_is_automatic(unhealthy: Deployment) -> None:
    _applied(unhealthy, b"DROP TABLE leads;")

    assert auto_rollback.consider(unhealthy, SEEN) is None
    assert not Operation.objects.exists()


def test_a_rollback_across_a_harmless_migration_is_automatic(
    unhealthy: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    _applied(unhealthy, b"CREATE TABLE b (id int);")
    monkeypatch.setattr(auto_rollback, "_serves", lambda service: True)

    operation = auto_rollback.consider(unhealthy, SEEN)

    assert operation is not None
    assert (operation.requested_by.username, operation.status) == ("system", "queued")
