"""Notes of an incident: in the ledger, by whom and when; who may write; and everything as one text."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backups.models import Incident
from ledger.models import Entry
from ledger.services import record, verify
from operations.models import Environment
from operations.notes import service
from providers.errors import Refused
from tests.people import holder

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident() -> Incident:
    place = Environment.objects.create(
        slug="production", name="Production", kind="production", owners="Ana", runbook_url="https://wiki.example/r"
    )
    opened = timezone.now() - timedelta(hours=2)
    record("deployments.failed", actor="ana", environment="production", subject="api 8a9ceef")
    return Incident.objects.create(
        code="rows_removed", environment=place, subject="votes", summary="2", opened_at=opened
    )


def test_a_note_is_an_entry_of_the_ledger_and_everything_goes_out_as_a_text(incident: Incident, client: Client) -> None:
    operator = holder("operator", "close_task", "view_incident", "view_operation")
    client.force_login(operator)
    about = f"incident-{incident.pk}"
    page = client.get(reverse("admin:backups_incident_change", args=[incident.pk]))
    notes = reverse("admin:operations_notes", args=[about])

    sent = client.post(notes, {"text": "Render's region is down; <b>waiting</b>", "form_key": f"{0:032}-1+"})

    assert (sent.status_code, sent["Location"]) == (302, f"{page.request['PATH_INFO']}#notes")
    entry = Entry.objects.get(code=service.NOTED)
    assert (entry.actor, entry.subject, entry.environment) == ("operator", about, "production")
    shown = client.get(page.request["PATH_INFO"]).text
    assert "&lt;b&gt;waiting&lt;/b&gt;" in shown
    text = client.get(notes).text
    for part in (
        "# Rows removed in votes",
        "Owners: Ana",
        "Runbook: https://wiki.example/r",
        "operator: Render's",
        "8a9ceef",
    ):
        assert part in text
    assert "Ended: not yet" in text
    assert verify().valid


@pytest.mark.parametrize(("text", "why"), [("  ", "is empty"), ("x" * 2001, "2,000 are allowed")])
def test_an_empty_or_endless_note_is_refused(incident: Incident, text: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        service.write(f"incident-{incident.pk}", text, by=holder("operator", "close_task"))
    assert not Entry.objects.filter(code=service.NOTED).exists()


def test_who_looks_reads_and_does_not_write_and_who_does_not_look_sees_nothing(
    incident: Incident, client: Client
) -> None:
    notes = reverse("admin:operations_notes", args=[f"incident-{incident.pk}"])
    client.force_login(holder("viewer", "view_incident", "view_operation"))

    written = client.post(notes, {"text": "no", "form_key": f"{0:032}-1+"})

    assert (written.status_code, client.get(notes).status_code) == (403, 200)
    page = client.get(reverse("admin:backups_incident_change", args=[incident.pk])).text
    assert "Your role may read notes" in page
    client.force_login(holder("other", "view_operation"))
    assert client.get(notes).status_code == 403
    for nothing in ("incident-0", "incident-x", "nothing-1", "incident", "environment-nowhere"):
        assert client.get(reverse("admin:operations_notes", args=[nothing])).status_code == 404
