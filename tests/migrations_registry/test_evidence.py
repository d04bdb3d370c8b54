"""Schema drift is part of an evidence report, though backups know nothing of migrations."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from backups.evidence import incident_sources
from migrations_registry.models import DriftIncident, SchemaFingerprint
from operations.models import Environment


def test_drift_of_the_period_is_a_line_of_the_report(db: None) -> None:
    place = Environment.objects.create(slug="production", name="Production", kind="production")
    prints = [SchemaFingerprint.objects.create(environment=place, sha256=str(n) * 64) for n in (1, 2)]
    now = timezone.now()
    for days in (1, 40):
        DriftIncident.objects.create(
            environment=place,
            expected=prints[0],
            found=prints[1],
            changes=[{}],
            opened_at=now - timedelta(days=days),
            **({"status": "gone", "resolved_at": now - timedelta(days=30)} if days == 40 else {}),
        )

    lines = incident_sources.others(place, now - timedelta(days=7), now)

    assert [(line.what, line.status) for line in lines] == [("Schema drift: 1 change", "open")]
