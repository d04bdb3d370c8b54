"""Slots: when they fall, that each starts once, what late, failed and missed look like, and who is told."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.forms import model_to_dict
from django.utils import timezone

from backups.models import Policy, Run, Slot
from backups.policies import scheduler
from backups.policies import scheduler as policies_scheduler
from backups.policies.cron import next_slots, slots_between
from backups.policies.defaults import ensure_policies
from backups.web.policy_form import PolicyForm
from operations.models import Environment, Notification, Operation
from operations.periodic.isolation import Failed
from providers.errors import Refused
from tests.people import holder

HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_slots_follow_the_zone_through_both_clock_changes() -> None:
    spring = list(slots_between("30 3 * * *", "Europe/Madrid", at("2026-03-28T00:00"), at("2026-03-31T00:00")))
    autumn = list(slots_between("30 3 * * *", "Europe/Madrid", at("2026-10-24T00:00"), at("2026-10-27T00:00")))

    assert [slot.hour for slot in spring] == [2, 1, 1]
    assert [slot.hour for slot in autumn] == [1, 2, 2]


def test_a_time_that_a_clock_change_repeats_or_skips_gives_at_most_one_slot_a_day() -> None:
    autumn = list(slots_between("30 2 * * *", "Europe/Madrid", at("2026-10-24T12:00"), at("2026-10-26T12:00")))
    spring = list(slots_between("30 2 * * *", "Europe/Madrid", at("2026-03-28T12:00"), at("2026-03-30T12:00")))

    assert len(autumn) == 2
    assert len(spring) == 2


def test_the_next_slot() -> None:
    assert next_slots("15 * * * *", "UTC", at("2026-01-01T10:20"), 2) == [
        at("2026-01-01T11:15"),
        at("2026-01-01T12:15"),
    ]


@pytest.fixture
def policy(db) -> Policy:
    environment = Environment.objects.create(slug="production", name="P", kind="production", protected=True)
    ensure_policies(environment)
    Policy.objects.filter(name="whole-database").update(enabled=False)
    Policy.objects.update(scheduled_at=timezone.now() - timedelta(days=10))
    return Policy.objects.get(name="audit-trail")


def test_a_due_slot_starts_one_operation_however_many_ticks_look(policy: Policy) -> None:
    now = at("2026-11-23T10:16")
    Policy.objects.update(scheduled_at=at("2026-11-23T10:00"))

    assert [scheduler.run_due(now), scheduler.run_due(now)] == [1, 0]
    operation = Operation.objects.get()
    assert (operation.kind, operation.requested_by.username) == ("backups.export", "system")
    assert Slot.objects.get().operation == operation


@pytest.mark.parametrize("refused", ["", "audit-trail", "whole-database"])
def test_policies_that_are_due_at_once_have_a_slot_each(policy: Policy, monkeypatch, refused: str) -> None:
    whole = scheduler.request_export

    def refuse_one(policy: Policy) -> Operation:
        if policy.name == refused:
            raise Refused("The database is away. Nothing was requested.")
        return whole(policy)

    monkeypatch.setattr(scheduler, "request_export", refuse_one)
    Policy.objects.update(scheduled_at=at("2026-11-23T09:00"), cron="15 * * * *", enabled=True)
    Slot.objects.create(policy=policy, at=at("2026-11-23T09:15"), status="started")

    scheduler.run_due(at("2026-11-23T10:16"))

    for slot in Slot.objects.filter(at=at("2026-11-23T10:15")).select_related("policy"):
        asked = slot.operation.parameters if slot.operation else None
        assert asked == (None if slot.policy.name == refused else {"policy": slot.policy.name})
        assert slot.status == ("failed" if slot.policy.name == refused else "started")
    assert Slot.objects.filter(at=at("2026-11-23T10:15")).count() == 2
    assert not Slot.objects.get(policy=policy, at=at("2026-11-23T09:15")).reason.startswith("The database")


def test_slots_nobody_was_there_for_are_missed_and_the_newest_runs(policy: Policy) -> None:
    Policy.objects.update(scheduled_at=at("2026-11-23T07:00"))

    scheduler.run_due(at("2026-11-23T10:20"))

    assert list(Slot.objects.order_by("at").values_list("status", flat=True)) == ["missed"] * 3 + ["started"]


def test_a_portal_that_was_away_for_weeks_shows_every_slot_of_them(policy: Policy) -> None:
    Policy.objects.update(scheduled_at=at("2026-10-01T00:00"), cron="15 3 * * *")

    scheduler.run_due(at("2026-11-23T03:20"))

    assert Slot.objects.filter(status="missed").count() == 53
    assert Slot.objects.get(status="started").at == at("2026-11-23T03:15")


def edited(policy: Policy, **changes: object) -> Policy:
    """The policy after somebody saved its page."""
    values = {name: value for name, value in model_to_dict(policy).items() if value is not None}
    form = PolicyForm({**values, "lines": "users", **changes}, instance=policy)
    assert form.is_valid(), form.errors
    return form.save()


def test_slots_of_a_time_without_this_schedule_were_not_missed(policy: Policy) -> None:
    edited(edited(policy, enabled=False), enabled=True)

    scheduler.run_due()

    assert not Slot.objects.exists()


def test_an_edit_of_something_else_hides_no_missed_slot(policy: Policy) -> None:
    before = policy.scheduled_at

    assert edited(policy, description="another").scheduled_at == before


def test_a_slot_is_late_then_failed_and_told_once_a_day(policy: Policy) -> None:
    Policy.objects.update(scheduled_at=at("2026-11-23T10:00"), cron="15 10 * * *")
    scheduler.run_due(at("2026-11-23T10:16"))
    scheduler.run_due(at("2026-11-23T11:30"))
    late = Slot.objects.get().status
    Operation.objects.update(status="cancelled", ended_at=timezone.now())
    scheduler.run_due(at("2026-11-23T11:31"))
    first = Notification.objects.count()
    scheduler.run_due(at("2026-11-23T20:00"))
    same_day = Notification.objects.count()
    Slot.objects.update(at=at("2026-11-24T10:15"))
    scheduler.run_due(at("2026-11-24T11:31"))

    assert (late, Slot.objects.get().status) == ("late", "failed")
    assert (first, same_day, Notification.objects.count()) == (1, 1, 2)


def test_acknowledging_by_name_stops_the_reminders(policy: Policy) -> None:
    user = holder("olga", "request_export")
    Slot.objects.create(policy=policy, at=timezone.now(), status="failed")

    assert scheduler.acknowledge(Slot.objects.all(), user) == 1
    scheduler._remind(timezone.now(), Failed())

    assert Slot.objects.get().acknowledged_by == "olga"
    assert Notification.objects.count() == 0


def test_a_slot_is_acknowledged_once_and_only_while_it_is_red(policy: Policy) -> None:
    olga, ada = holder("olga", "request_export"), holder("ada", "request_export")
    Slot.objects.create(policy=policy, at=timezone.now(), status="failed")
    Slot.objects.create(policy=policy, at=timezone.now() - HOUR, status="proven")

    answers = [scheduler.acknowledge(Slot.objects.all(), by) for by in (olga, ada)]

    assert answers == [1, 0]
    assert list(Slot.objects.order_by("at").values_list("acknowledged_by", flat=True)) == ["", "olga"]


def test_a_slot_that_another_ticker_judged_meanwhile_stays_as_judged(policy: Policy) -> None:
    now = timezone.now()
    read, other = (Slot.objects.create(policy=policy, at=now - hours * HOUR, status="started") for hours in (48, 72))
    Slot.objects.filter(pk=read.pk).update(status="proven")

    scheduler._judge(read, now)
    scheduler._judge(other, now)

    assert not scheduler._turn(read, Slot.Status.FAILED, "")
    assert list(Slot.objects.order_by("at").values_list("status", flat=True)) == ["late", "proven"]


def test_two_tickers_around_midnight_tell_of_a_red_slot_once(policy: Policy) -> None:
    midnight = at("2026-11-24T00:00")
    red, older = (Slot.objects.create(policy=policy, at=midnight - hours * HOUR, status="failed") for hours in (2, 3))
    both_read = [Slot.objects.select_related("policy").get(pk=red.pk) for _ in range(2)]

    for slot, minutes in zip(both_read, (-1, 1), strict=True):
        scheduler._tell([slot], midnight + timedelta(minutes=minutes), again=False)

    assert Notification.objects.count() == 1
    older.refresh_from_db()
    assert older.alerted_at is None


def test_what_nobody_answers_goes_to_the_second_channel_until_a_person_takes_it(policy: Policy, settings) -> None:
    settings.EMAIL_HOST, settings.NOTIFY_EMAILS = "mail", ["ops@x.eu"]
    settings.SLACK_WEBHOOK_URL, settings.OPS_SECOND_CHANNEL = "https://hooks.example/x", ["slack", "boss@x.eu"]
    now = timezone.now()
    Slot.objects.create(policy=policy, at=now, status="failed")
    told = []
    for day in range(3):
        scheduler._remind(now + timedelta(days=day, minutes=1), Failed())
        told.append(sorted(Notification.objects.values_list("channel", "recipients")))
        Notification.objects.all().delete()
    out = io.StringIO()
    User.objects.create_superuser("admin")
    call_command("slots", "acknowledge", environment="production", actor="admin", stdout=out)
    scheduler._remind(now + timedelta(days=9), Failed())

    again = [("email", "boss@x.eu"), ("email", "ops@x.eu"), ("slack", "")]
    assert told == [[("email", "ops@x.eu")], again, again]
    assert Notification.objects.count() == 0
    slot = Slot.objects.get()
    assert (slot.acknowledged_by, slot.reminders, bool(slot.acknowledged_at)) == ("admin", 2, True)
    assert "1 slot acknowledged by admin" in out.getvalue()


def test_a_stranger_may_not_acknowledge(policy: Policy) -> None:
    User.objects.create_user("vera")

    with pytest.raises(CommandError, match="may not acknowledge"):
        call_command("slots", "acknowledge", actor="vera")


def test_a_policy_that_is_off_is_not_run(policy: Policy) -> None:
    Policy.objects.update(enabled=False)

    assert scheduler.run_due(timezone.now()) == 0

    assert not Slot.objects.exists(), "no slot of its was opened, started or missed"


def test_the_outside_ping_says_start_then_success_only_after_the_proof_and_fail_else(
    policy: Policy, monkeypatch
) -> None:
    called: list[str] = []
    monkeypatch.setenv("SOME_PING_URL", "https://hc.example/uuid/")
    monkeypatch.setattr(policies_scheduler.notify, "ping", called.append)
    now = at("2026-03-01T10:16")
    Policy.objects.filter(pk=policy.pk).update(ping_url_env="SOME_PING_URL", cron="15 * * * *", scheduled_at=now - HOUR)
    scheduler.run_due(now)
    operation = Operation.objects.get()
    run = Run.objects.create(operation=operation, policy=policy, status="stored", stored_at=now)
    scheduler.run_due(now + timedelta(minutes=5))
    stored = list(called)

    Run.objects.filter(pk=run.pk).update(status="proven", proven_at=now, manifest_sha256="0" * 64)
    scheduler.run_due(now + timedelta(minutes=6))
    scheduler.run_due(now + HOUR)
    Operation.objects.exclude(pk=operation.pk).update(status="cancelled")
    scheduler.run_due(now + HOUR + timedelta(minutes=1))

    base = "https://hc.example/uuid"
    assert stored == [f"{base}/start"]
    assert called == [f"{base}/start", base, f"{base}/start", f"{base}/fail"]
