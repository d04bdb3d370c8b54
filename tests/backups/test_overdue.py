"""A copy that nobody proves turns red by itself, and is told daily until a later run is proven."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import RequestFactory
from django.utils import timezone

from backups.doctor import backups as doctor_backups
from backups.models import Run
from backups.policies import overdue
from backups.web import home as web_home
from backups.web.run_page import proven_badge
from operations.models import Notification
from tests.backups.conftest import ended

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_stored_run_without_its_proof_is_red_told_once_and_resolved_by_the_next(
    ask, rf: RequestFactory, admin_user
) -> None:
    ended(ask())
    operation = ask()
    policy = Run.objects.get().policy
    run = Run.objects.create(operation=operation, policy=policy, status="stored", stored_at=timezone.now())
    overdue.keep()
    before = proven_badge(run)
    Run.objects.filter(pk=run.pk).update(stored_at=timezone.now() - timedelta(minutes=policy.grace_minutes + 1))
    run.refresh_from_db()
    request = rf.get("/")
    request.user = admin_user

    overdue.keep()
    overdue.keep()
    panel = web_home.newest_proven_backup(request)
    [check] = doctor_backups.backup_proofs(None)
    Run.objects.filter(pk=run.pk).update(status="proven", proven_at=timezone.now(), manifest_sha256="0" * 64)
    overdue.keep()

    assert ("proving" in before.lower(), "proof overdue" in proven_badge(run).lower()) == (True, True)
    assert (panel.tone, panel.badge) == ("bad", "last run not proven")
    assert (check.tone, str(run) in check.found) == ("bad", True)
    told = (
        Notification.objects.filter(subject__contains="is not proven").order_by("pk").values_list("subject", flat=True)
    )
    assert [text.split(":")[0] for text in told] == [f"The newest backup of {policy} is not proven", "Resolved"]
