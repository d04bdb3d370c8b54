"""After our own run was brought onto the live tables, the next one is compared with that run, not with later ones."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from backups.models import Policy, Restore, Run
from backups.proof.baseline import last_good
from operations.models import Environment, Operation
from tests.factories import person

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("tables", "target", "expected"),
    [
        ("", "live", "old"),
        ("algorithm_audit_trail, users", "live", "old"),
        ("users", "live", "new"),
        ("", "schema:beside", "new"),
    ],
)
def test_what_a_live_restore_took_back_is_no_baseline(tables: str, target: str, expected: str) -> None:
    production = Environment.objects.create(slug="production", name="P", kind="production")
    policy = Policy.objects.create(environment=production, name="audit-trail", tables=["a"])
    by, now = person("ana"), timezone.now()

    def asked(kind: str, **parameters: str) -> Operation:
        return Operation.objects.create(
            kind=kind,
            environment=production,
            parameters=parameters,
            risk="routine",
            requested_by=by,
            approvals_required=0,
            content_sha256="0" * 64,
            status="queued",
            expires_at=now,
        )

    def proven(at: datetime) -> Run:
        return Run.objects.create(
            operation=asked("backups.export"),
            policy=policy,
            status="proven",
            manifest_sha256="a" * 64,
            snapshot_at=at,
            stored_at=at,
            proven_at=at,
            ended_at=at,
        )

    hours = [now - timedelta(hours=hours) for hours in (9, 6, 3, 0)]
    runs = {"old": proven(hours[0]), "new": proven(hours[1])}
    restore = asked("backups.restore", tables=tables)
    Restore.objects.create(operation=restore, run=runs["old"], target=target, status="succeeded", ended_at=hours[2])

    assert last_good(proven(hours[3])) == runs[expected]
