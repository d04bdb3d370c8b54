"""What moves authority is told by a worker itself: rows that are deleted, planted or called sent silence nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyrage
import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.utils import timezone
from pytest_django.fixtures import Settings

from ledger.models import Entry
from ledger.services import record
from operations.factors import enrolments
from operations.models import Notification
from operations.notify.authority import moved
from operations.notify.first_hand import TOLD
from operations.notify.outbox import messages, store
from operations.notify.rules import sweep
from operations.periodic.isolation import SomeFailed
from operations.votes.standing import CONFIRMED
from providers.errors import ProviderError
from tests.operations.notify.conftest import Outside
from tests.people import holder

pytestmark = pytest.mark.django_db
KEY = {"credential": "aa", "public_key": "bb"}


@pytest.fixture(autouse=True)
def worker(settings: Settings) -> None:
    settings.OPS_SEAL_IDENTITY = str(pyrage.x25519.Identity.generate())
    settings.EMAIL_HOST, settings.NOTIFY_EMAILS = "smtp.example.com", ["team@example.com"]


@pytest.fixture
def entry() -> Entry:
    User.objects.filter(pk=holder("ada", "approve_operation").pk).update(email="ada@example.com")
    sweep()
    mail.outbox.clear()
    Notification.objects.all().delete()
    return record(enrolments.ADDED, actor="mallory", subject="laptop", data=KEY)


def test_it_is_told_once_to_everybody_who_votes(entry: Entry) -> None:
    for _ in range(3):
        sweep()

    (sent,) = mail.outbox
    assert (sent.subject, sorted(sent.bcc)) == (
        "mallory enrolled the passkey laptop",
        ["ada@example.com", "team@example.com"],
    )
    assert Notification.objects.get().sent_at is not None
    assert Entry.objects.get(code=TOLD, subject=str(entry.sequence)).payload["through"] == ["email"]


def planted_as_sent(entry: Entry) -> None:
    made = messages(f"authority:{entry.sequence}", subject="hidden")
    store([*made])
    Notification.objects.update(sent_at=timezone.now())


def planted_as_given_up(entry: Entry) -> None:
    store(messages(f"authority:{entry.sequence}", subject="hidden"))
    Notification.objects.update(next_attempt_at=None)


def an_entry_that_says_so(entry: Entry) -> None:
    record(TOLD, actor="system", subject=str(entry.sequence), data={"mark": "f" * 64, "through": ["email"]})


def an_entry_without_a_mark(entry: Entry) -> None:
    record(TOLD, actor="system", subject=str(entry.sequence), data={})


def the_mark_of_another(entry: Entry) -> None:
    other = record(enrolments.ADDED, actor="mallory", subject="phone", data=KEY)
    sweep()
    mark = Entry.objects.get(code=TOLD, subject=str(other.sequence)).payload["mark"]
    later = record(enrolments.ADDED, actor="mallory", subject="laptop", data=KEY)
    record(TOLD, actor="system", subject=str(later.sequence), data={"mark": mark})
    mail.outbox.clear()


def a_date_of_long_ago(entry: Entry) -> None:
    with time_machine.travel(timezone.now() - timedelta(days=9)):
        record(enrolments.ADDED, actor="mallory", subject="laptop", data=KEY)


@pytest.mark.parametrize(
    "attack",
    [
        planted_as_sent,
        planted_as_given_up,
        an_entry_that_says_so,
        an_entry_without_a_mark,
        the_mark_of_another,
        a_date_of_long_ago,
    ],
)
def test_nothing_that_the_web_writes_silences_it(entry: Entry, attack: Callable[[Entry], None]) -> None:
    attack(entry)

    sweep()

    assert "mallory enrolled the passkey laptop" in [sent.subject for sent in mail.outbox]


def test_a_channel_that_fails_is_left_to_the_outbox(entry: Entry, settings: Settings, outside: Outside) -> None:
    settings.SLACK_WEBHOOK_URL = "https://hooks.slack.com/services/x"
    outside.answers = [ProviderError("Slack answered 500.", retryable=True)]

    sweep()
    sweep()

    assert len(mail.outbox) == len(outside.posts) == 1
    assert Notification.objects.get(sent_at=None).channel == "slack"


def test_where_none_takes_it_the_next_round_begins_anew(entry: Entry, settings: Settings, outside: Outside) -> None:
    settings.EMAIL_HOST, settings.SLACK_WEBHOOK_URL = "", "https://hooks.slack.com/services/x"
    outside.answers = [ProviderError("Slack answered 404.", retryable=False)]

    with pytest.raises(SomeFailed, match="404"):
        sweep()
    assert not Entry.objects.filter(code=TOLD, subject=str(entry.sequence)).exists()
    sweep()

    assert len(outside.posts) == 2
    assert Entry.objects.filter(code=TOLD, subject=str(entry.sequence)).exists()


def test_without_the_workers_key_it_goes_into_the_outbox_once(entry: Entry, settings: Settings) -> None:
    settings.OPS_SEAL_IDENTITY = ""
    for _ in range(2):
        sweep()

    row = Notification.objects.get(dedupe_key__startswith=f"authority:{entry.sequence}:")
    assert (row.sent_at, mail.outbox) == (None, [])


MOVES: list[tuple[str, dict[str, Any], bool]] = [
    (enrolments.ADDED, KEY, True),
    (enrolments.KNOWN, KEY, True),
    (enrolments.REMOVED, {"credential": "aa"}, True),
    (enrolments.STARTED_OVER, {}, True),
    ("signin.user_activated", {}, True),
    ("signin.contact_changed", {"before": "old@example.com", "after": "new@example.com"}, True),
    ("signin.first_admin", {}, True),
    ("signin.role_given", {"role": "Approver"}, True),
    ("signin.role_given", {"role": "Admin"}, True),
    ("signin.role_given", {"role": "Viewer"}, False),
    (CONFIRMED, {"roles": ["Approver"]}, True),
    ("signin.invited", {"roles": ["Viewer", "Approver@staging"]}, True),
    ("signin.invited", {"roles": ["Operator"]}, False),
    ("signin.roles_changed", {"before": ["Viewer"], "after": ["Admin"]}, True),
    ("signin.roles_changed", {"before": ["Approver"], "after": ["Viewer"]}, False),
    ("signin.passkey_renamed", {"before": "phone"}, False),
]


@pytest.mark.parametrize(("code", "data", "is_told"), MOVES)
def test_what_is_told(code: str, data: dict[str, Any], is_told: bool) -> None:
    record(code, actor="mallory", subject="carl", data=data)

    assert bool(moved()) is is_told
    sweep()
    assert len(mail.outbox) == is_told
    assert not is_told or code != "signin.contact_changed" or "old@example.com" in mail.outbox[0].bcc
