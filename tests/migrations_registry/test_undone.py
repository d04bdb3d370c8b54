"""A rollback says which migrations stay; one that destroyed data is red, so the rollback needs a vote."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from deployments.models import Deployment, Service
from migrations_registry.discovery import discover
from migrations_registry.models import Application
from migrations_registry.services.registration import register_files
from migrations_registry.undone import by_a_rollback
from operations.models import Environment

pytestmark = pytest.mark.django_db


def test_only_what_came_after_the_target_is_told() -> None:
    production = Environment.objects.create(slug="production", name="Production", kind="production")
    service = Service.objects.create(render_id="srv-1", name="api", type="web_service", environment=production)
    now = timezone.now()
    Deployment.objects.create(service=service, render_id="dep-1", status="deactivated", created_at=now - timedelta(2))
    found, _ = discover(
        [
            ("database/schema/migration_01_old.sql", b"CREATE TABLE a (id int);"),
            ("database/schema/migration_02_new.sql", b"CREATE TABLE b (id int);"),
            ("database/schema/migration_03_drop.sql", b"DROP TABLE leads;"),
        ]
    )
    files = register_files(found, source="tests", by="ana")
    for file, days in zip(files, (3, 1, 0.5), strict=True):
        Application.objects.create(
            file=file,
            environment=production,
            operation=f"op{file.pk}",
            status="applied",
            ended_at=now - timedelta(days),
        )

    told = by_a_rollback(production, {"service": "srv-1", "deployment": "dep-1"})

    assert [(line.text.split(",")[0], line.tone) for line in told] == [
        ("will not be undone: migration_03_drop.sql", "bad"),
        ("will not be undone: migration_02_new.sql", "warn"),
    ]
    assert by_a_rollback(production, {"service": "srv-1", "deployment": "gone"}) == []
