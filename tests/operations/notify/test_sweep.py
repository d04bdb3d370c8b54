"""Messages derived from rows: each once, to the right people, never about the demo's story."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.fixtures import Settings

from operations.models import Notification, Operation, Task
from operations.notify import authority, rules
from operations.notify.rules import sweep
from tests.stepping import break_glass


@pytest.fixture(autouse=True)
def mail_is_configured(db: None, settings: Settings) -> None:
    settings.EMAIL_HOST = "smtp.example.com"


@pytest.fixture(autouse=True)
def no_authority_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The approver of these tests was confirmed a moment ago; that this is told is shown in test_first_hand.py."""
    monkeypatch.setattr(rules, "RULES", [rule for rule in rules.RULES if rule[1] is not authority.tell_of])


def _subjects() -> list[str]:
    return [row.subject for row in Notification.objects.order_by("pk")]


def test_approvers_are_asked_once(ask: Callable, approver: User, operator: User) -> None:
    User.objects.filter(pk=approver.pk).update(email="ada@example.com")
    User.objects.filter(pk=operator.pk).update(email="olga@example.com")
    operation = ask("rehearsal.destructive")

    assert sweep() == 1
    assert sweep() == 0

    row = Notification.objects.get()
    assert row.recipients == "ada@example.com"
    assert operation.pk in row.url
    assert "2 votes" in row.body


def test_routine_work_is_silent(ask: Callable) -> None:
    ask("rehearsal.routine")

    assert sweep() == 0


def test_one_reminder(ask: Callable) -> None:
    operation = ask("rehearsal.sensitive")
    sweep()
    Operation.objects.filter(pk=operation.pk).update(expires_at=timezone.now() + timedelta(hours=20))

    assert sweep() == 1
    assert sweep() == 0
    assert _subjects()[-1].startswith("Still waiting")


def test_another_sweep_in_between_reminds_of_nothing_twice(ask: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    soon = timezone.now() + timedelta(hours=20)
    waiting = {ask("rehearsal.sensitive", key=key).pk for key in "ab"}
    Operation.objects.filter(pk__in=waiting).update(expires_at=soon)
    reminded: list[str] = []

    def ask_while_another_sweeps(row: Operation, key: str, words: str) -> int:
        reminded.append(row.pk)
        rules.sweep()
        return 1

    monkeypatch.setattr(rules, "_ask", ask_while_another_sweeps)
    monkeypatch.setattr(rules, "RULES", [rule for rule in rules.RULES if rule[1] is rules._remind])
    rules.sweep()

    assert sorted(reminded) == sorted(waiting)


def test_break_glass_alerts(ask: Callable, operator: User, approver: User) -> None:
    User.objects.filter(pk=approver.pk).update(email="ada@example.com")
    operation = ask("rehearsal.destructive")
    break_glass(operation, by=operator, reason="production is down")

    sweep()

    row = Notification.objects.get(dedupe_key__startswith="break-glass:")
    assert row.recipients == "ada@example.com"
    assert "production is down" in row.body
    assert any(subject.startswith("To do: Review the break-glass") for subject in _subjects())


def test_failures_go_to_the_requester(ask: Callable, operator: User) -> None:
    User.objects.filter(pk=operator.pk).update(email="olga@example.com")
    operation = ask("rehearsal.routine")
    Operation.objects.filter(pk=operation.pk).update(status="running")
    Operation.objects.filter(pk=operation.pk).update(status="failed", ended_at=timezone.now(), error="disk full")

    assert sweep() == 1
    assert sweep() == 0

    row = Notification.objects.get()
    assert (row.recipients, "disk full" in row.body) == ("olga@example.com", True)


def test_closed_tasks_are_silent(db: None) -> None:
    Task.objects.create(title="old", kind="other", dedupe_key="a", closed_at=timezone.now())
    Task.objects.create(title="new", kind="other", dedupe_key="b")

    sweep()

    assert _subjects() == ["To do: new"]


@pytest.mark.parametrize("kind", Task.Kind.values)
def test_what_approvers_must_see_reaches_them(kind: str, approver: User, settings: Settings) -> None:
    User.objects.filter(pk=approver.pk).update(email="ada@example.com")
    settings.NOTIFY_EMAILS = ["team@example.com"]
    Task.objects.create(title="look", kind=kind, dedupe_key="a")

    sweep()

    theirs = {"review_break_glass", "review_restore_of_service", "always_step_failing"}
    recipients = ["ada@example.com", "team@example.com"] if kind in theirs else ["team@example.com"]
    assert Notification.objects.get().recipients.split() == recipients
