"""Advisors' findings from first sight to resolution, ignored with a reason, and what turns amber meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from deployments.doctor import supabase_functions
from deployments.functions import advisors
from deployments.functions.sync import sync_all
from deployments.models import AdvisorFinding, ProjectSync
from ledger.models import Entry
from operations.models import Environment
from providers.errors import Refused
from providers.supabase.security import Advisors
from tests.missing import for_a_minute
from tests.people import holder
from tests.supabase_sandbox import REF, Stand, running


@pytest.fixture
def stand(tmp_path: Path, settings: Any, db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    Environment.objects.create(slug="production", name="Production", kind="production", supabase_ref=REF)
    with running(tmp_path, monkeypatch) as stand:
        settings.SUPABASE_ACCESS_TOKEN, settings.SUPABASE_API_BASE = stand.world.token, stand.base
        yield stand


def error() -> AdvisorFinding:
    return AdvisorFinding.objects.get(level="ERROR")


def amber() -> bool:
    return any("security advisor" in check.name and check.tone == "warn" for check in supabase_functions(None))


@pytest.mark.parametrize(("hours", "tone"), [(0, "ok"), (2, "warn"), (None, "warn")])
def test_a_project_that_was_not_asked_lately_is_not_green(stand: Stand, hours: int | None, tone: str) -> None:
    """The pass ends at a refused token or a limit: whoever comes after that was asked last when its row says."""
    sync_all()
    at = None if hours is None else timezone.now() - timedelta(hours=hours)
    ProjectSync.objects.update(ok_at=at)

    (check,) = [check for check in supabase_functions(None) if check.name.endswith("functions and advisors")]

    assert check.tone == tone
    assert "last read at" in check.found or "never" in check.found or hours == 0


def test_a_finding_is_open_then_resolved_then_open_again(stand: Stand) -> None:
    first = sync_all()
    same = sync_all()
    opened = (error().status, amber())
    stand.unprotected = []
    once = sync_all()
    for_a_minute(AdvisorFinding)
    gone = sync_all()
    resolved = (error().status, error().resolved_at is not None, amber())
    stand.unprotected = ["leads"]
    again = sync_all()

    assert (first.findings, same.findings, once.resolved, gone.resolved, again.findings) == (3, 0, 0, 1, 1)
    assert opened == ("open", True)
    assert resolved == ("resolved", True, False)
    assert (error().status, error().resolved_at) == ("open", None)
    assert Entry.objects.filter(code="deployments.findings_changed").count() == 3


def test_an_ignored_finding_stays_ignored_until_it_went_away(stand: Stand) -> None:
    sync_all()
    with pytest.raises(Refused, match="at least 10 characters"):
        advisors.ignore(error(), "operator", "no")

    advisors.ignore(error(), "operator", "The table is public on purpose.")
    sync_all()
    ignored = (error().status, amber())
    with pytest.raises(Refused, match="not open any more"):
        advisors.ignore(error(), "operator", "The table is public on purpose.")
    stand.unprotected = []
    sync_all()
    for_a_minute(AdvisorFinding)
    sync_all()
    stand.unprotected = ["leads"]
    sync_all()

    assert ignored == ("ignored", False)
    assert (error().status, error().reason) == ("open", "")


def test_what_a_person_ignores_while_it_is_read_stays_ignored(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """The advisors also say one finding twice."""
    sync_all()
    whole, known = advisors._store_finding, error().pk

    def meanwhile(row: AdvisorFinding, lint: Any) -> None:
        if row.pk == known:
            advisors.ignore(error(), "operator", "The table is public on purpose.")
        whole(row, lint)

    monkeypatch.setattr(advisors, "_store_finding", meanwhile)
    security = Advisors.security
    monkeypatch.setattr(Advisors, "security", lambda self, ref: [*security(self, ref), *security(self, ref)])
    again = sync_all()

    assert (again.failed, again.findings) == ([], 0)
    assert (error().status, error().ignored_by) == ("ignored", "operator")


def test_a_failed_reading_resolves_nothing(stand: Stand) -> None:
    sync_all()
    stand.fault("GET .*/advisors/performance", 403)

    sync_all()

    assert error().status == "open"
    assert Environment.objects.get().project_sync.error_kind == "Unauthorized"


def test_page_and_shell_ignore_with_a_reason_and_a_permission(stand: Stand, client: Client, settings: Any) -> None:
    sync_all()
    settings.DEMO, url = True, f"/admin/deployments/advisorfinding/{error().pk}/change/"
    client.force_login(holder("viewer", "deployments.view_advisorfinding"))
    assert client.post(url, {"reason": "The table is public on purpose."}).status_code == 403
    with pytest.raises(CommandError, match="may not ignore"):
        call_command("advisor_findings", ignore=error().pk, reason="The table is public.", actor="viewer")

    holder("operator", "deployments.ignore_finding")
    call_command("advisor_findings", ignore=error().pk, reason="The table is public.", actor="operator")
    ignored = error().status
    client.force_login(holder("other", "deployments.ignore_finding", "deployments.view_advisorfinding"))
    client.post(url, {"verb": "reopen"})

    assert (ignored, error().status) == ("ignored", "open")


def test_the_database_refuses_an_ignored_finding_without_a_reason(stand: Stand) -> None:
    sync_all()

    with pytest.raises(IntegrityError, match="finding_ignored_with_reason"), transaction.atomic():
        AdvisorFinding.objects.update(status="ignored", reason="")
