"""The outbox: channels, once per key, backoff, signature, flips."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.db import transaction
from django.utils import timezone
from pytest_django.fixtures import Settings
from standardwebhooks import Webhook

from operations import notify
from operations.models import Heartbeat, Notification
from operations.notify import deadman, delivery
from operations.notify.delivery import MOST_ATTEMPTS
from providers.errors import ProviderError, Refused
from tests.operations.notify.conftest import Outside

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cw=="


def _due_again() -> None:
    Notification.objects.filter(sent_at=None).exclude(next_attempt_at=None).update(next_attempt_at=timezone.now())


def test_every_configured_channel(db: None, settings: Settings, outside: Outside) -> None:
    settings.EMAIL_HOST = "smtp.example.com"
    settings.NOTIFY_EMAILS = ["team@example.com"]
    settings.SLACK_WEBHOOK_URL = "https://hooks.slack.com/services/x"
    settings.NOTIFY_WEBHOOK_URL, settings.NOTIFY_WEBHOOK_SECRET = "https://hook.example.com/", SECRET

    assert notify.enqueue("k", subject="S", body="B", path="/admin/", to=["ada@example.com"]) == 3
    assert notify.deliver_due() == 3

    assert sorted(mail.outbox[0].bcc) == ["ada@example.com", "team@example.com"]
    assert "/admin/" in mail.outbox[0].body
    assert [url for url, *_ in outside.posts] == ["https://hooks.slack.com/services/x", "https://hook.example.com/"]
    _, body, headers = outside.posts[1]
    assert Webhook(SECRET).verify(body, headers)["subject"] == "S"


def test_nothing_configured_goes_to_the_log(db: None) -> None:
    assert notify.enqueue("k", subject="S") == 1
    assert notify.deliver_due() == 1
    assert Notification.objects.get().channel == "log"


def test_the_same_key_is_told_once(message: Notification, outside: Outside) -> None:
    assert notify.enqueue("demo:1", subject="Export failed again") == 0

    notify.deliver_due()
    notify.deliver_due()

    assert len(outside.posts) == 1


def test_goes_away_with_its_transaction(db: None) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        notify.enqueue("k", subject="S")
        raise RuntimeError

    assert not Notification.objects.exists()


def test_slack_text_is_escaped(message: Notification, outside: Outside) -> None:
    notify.deliver_due()

    text = json.loads(outside.posts[0][1])["text"]
    assert "&lt;here&gt; &amp; there" in text
    assert "|Open>" in text


def test_failures_wait_longer_each_time_then_give_up(message: Notification, outside: Outside) -> None:
    outside.answers = [ProviderError("slack answered 503.", retryable=True)] * (MOST_ATTEMPTS + 1)
    waits = []
    for _ in range(MOST_ATTEMPTS):
        _due_again()
        notify.deliver_due()
        message.refresh_from_db()
        if message.next_attempt_at:
            waits.append(round((message.next_attempt_at - timezone.now()).total_seconds()))

    assert waits == sorted(waits)
    assert waits[:3] == [30, 60, 120]
    assert waits[-1] == 3600
    assert (message.state, message.attempts, message.error) == ("failed", MOST_ATTEMPTS, "slack answered 503.")
    assert notify.deliver_due() == 0


def test_a_retry_succeeds(message: Notification, outside: Outside) -> None:
    outside.answers = [ProviderError("no answer", retryable=True)]
    assert notify.deliver_due() == 0
    _due_again()

    assert notify.deliver_due() == 1

    message.refresh_from_db()
    assert (message.state, message.attempts, message.error) == ("sent", 2, "")


@pytest.mark.parametrize("error", [Refused("private address"), ProviderError("answered 404.", retryable=False)])
def test_what_cannot_help_is_not_repeated(message: Notification, outside: Outside, error: Exception) -> None:
    outside.answers = [error]

    notify.deliver_due()

    message.refresh_from_db()
    assert message.state == "failed"


def test_a_claimed_message_is_not_taken_twice(message: Notification, outside: Outside) -> None:
    from operations.notify.delivery import _claimed

    assert len(list(_claimed(20))) == 1
    assert list(_claimed(20)) == []


def test_slow_messages_are_sent_once_by_two_tickers(
    message: Notification, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first takes as long as the others would have been held for; another ticker comes meanwhile."""
    notify.enqueue("demo:2", subject="Another")
    sent: list[str] = []

    def send(row: Notification) -> None:
        sent.append(row.dedupe_key)
        if len(sent) == 1:
            others = Notification.objects.exclude(pk=row.pk)
            others.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
            notify.deliver_due()

    monkeypatch.setattr(delivery, "send", send)

    notify.deliver_due()

    assert len(sent) == len(set(sent)) == Notification.objects.count()


@pytest.mark.parametrize("fails", [False, True])
def test_one_delivery_changes_one_message(message: Notification, outside: Outside, fails: bool) -> None:
    notify.enqueue("demo:2", subject="Another")
    other = Notification.objects.filter(dedupe_key__startswith="demo:2")
    other.update(next_attempt_at=timezone.now() + timedelta(seconds=90))
    before = other.values().get()
    outside.answers = [ProviderError("no answer", retryable=True)] * fails

    assert notify.deliver_due() == 1 - fails

    assert other.values().get() == before


def test_a_bad_secret_is_said(db: None, settings: Settings, outside: Outside) -> None:
    settings.NOTIFY_WEBHOOK_URL, settings.NOTIFY_WEBHOOK_SECRET = "https://hook.example.com/", "whsec_***"
    notify.enqueue("k", subject="S")

    notify.deliver_due()

    assert outside.posts == []
    assert "NOTIFY_WEBHOOK_SECRET" in Notification.objects.get().error


def test_subjects_cannot_smuggle_headers(db: None, settings: Settings) -> None:
    settings.EMAIL_HOST, settings.NOTIFY_EMAILS = "smtp.example.com", ["team@example.com"]
    notify.enqueue("k", subject="Hello\r\nBcc: mallory@example.com")

    notify.deliver_due()

    assert mail.outbox[0].subject == "Hello Bcc: mallory@example.com"
    assert mail.outbox[0].bcc == ["team@example.com"]


def test_secrets_are_redacted(db: None) -> None:
    notify.enqueue("k", subject="postgresql://u:hunter2@h/db", body="rnd_abcdefgh12345678")

    row = Notification.objects.get()
    assert "hunter2" not in row.subject
    assert "rnd_" not in row.body


def test_one_message_per_flip(db: None) -> None:
    alarms = [notify.alarm("health:production", bad, subject="Down") for bad in (False, True, True, False, False, True)]

    assert alarms == [False, True, False, True, False, True]
    assert list(Notification.objects.order_by("pk").values_list("subject", flat=True)) == [
        "Down",
        "Resolved: Down",
        "Turns to and fro: Down",
    ]


@pytest.mark.usefixtures("one_clock")
@pytest.mark.parametrize("ends_bad", [False, True])
def test_what_turns_to_and_fro_is_told_as_that_and_again_when_it_keeps_still(db: None, ends_bad: bool) -> None:
    turns = [bad for _ in range(20) for bad in (True, False)] + [ends_bad] * 2
    with time_machine.travel(datetime(2026, 11, 29, 3, 0, tzinfo=UTC), tick=False) as clock:
        for bad in turns:
            notify.alarm("health:api", bad, subject="Down")
            clock.shift(30)
        clock.shift(timedelta(minutes=16))
        for _ in range(3):
            notify.alarm("health:api", ends_bad, subject="Down")

    told = list(Notification.objects.order_by("pk").values_list("subject", flat=True))
    last = "Still, and no longer to and fro: Down" if ends_bad else "Resolved: Down"
    assert told == ["Down", "Resolved: Down", "Turns to and fro: Down", last]


@pytest.mark.parametrize(
    ("beats", "pings"),
    [
        ({}, 0),
        ({"worker:a": 0, "canary:export": 0}, 1),
        ({"worker:a": 0}, 1),
        ({"worker:a": 600}, 0),
        ({"worker:a": 0, "canary:urgent": 600}, 0),
    ],
)
def test_the_dead_man_switch(db: None, settings: Settings, outside: Outside, beats: dict[str, int], pings: int) -> None:
    settings.DEADMAN_PING_URL = "https://hc-ping.com/uuid"
    for name, age in beats.items():
        Heartbeat.objects.create(name=name, beat_at=timezone.now() - timedelta(seconds=age))

    deadman.ping()

    assert len(outside.posts) == pings


def test_a_failing_ping_is_tried_logged_and_hurts_nobody(
    db: None, settings: Settings, outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DEADMAN_PING_URL = "https://hc-ping.com/uuid"
    Heartbeat.objects.create(name="worker:a", beat_at=timezone.now())
    outside.answers = [ProviderError("no answer", retryable=True)]

    deadman.ping()

    assert [url for url, *_ in outside.posts] == [settings.DEADMAN_PING_URL]
    assert "the dead-man ping failed: no answer" in caplog.text
