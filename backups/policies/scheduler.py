"""What `tick` does for backups: start due slots, mark late and missed ones, alert, remind daily, sweep orphans.

In: the clock. Out: Slot rows (unique per policy and instant, so several ticks start one operation), notifications.
"""

from __future__ import annotations

import logging
import os
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from backups.models import Policy, Run, Slot
from backups.models.run import RunStatus
from backups.policies.cron import slots_between
from ledger.services import record
from operations.accounts import SYSTEM, system_user
from operations.authority import why_not
from operations.engine.request import request
from operations.models import Environment, Operation
from operations.notify import enqueue
from operations.periodic.clock import database_time
from operations.periodic.isolation import Failed, each, tell
from providers import notify
from providers.counting import counted
from providers.errors import ProviderError, Refused

logger = logging.getLogger("backups.scheduler")
LOOK_BACK = timedelta(days=92)  # a portal that was away for longer shows a quarter of missed slots, not all
REMIND_EVERY = timedelta(days=1)
RED = ("failed", "late", "missed")
MAY_ACKNOWLEDGE = "backups.request_export"


def run_due(now: datetime | None = None) -> int:
    """Start what is due, judge what has ended; answers how many operations were started."""
    now, failed, started = now or database_time(), Failed(), 0
    for policy in _scheduled():
        with each(f"policy {policy}", failed):
            started += _start_due(policy, now)
    for slot in Slot.objects.filter(status__in=["started", "late"]).select_related("policy__environment", "operation"):
        with each(f"slot {slot}", failed):
            _judge(slot, now)
    _remind(now, failed)
    tell(failed)
    return started


def _scheduled() -> list[Policy]:
    return list(Policy.objects.filter(enabled=True).exclude(cron="").select_related("environment"))


def _start_due(policy: Policy, now: datetime) -> int:
    """Of all slots since the last one, the newest is started and the others are missed (nobody was there)."""
    last = Slot.objects.filter(policy=policy).order_by("-at").values_list("at", flat=True).first()
    after = max(last or policy.scheduled_at, now - LOOK_BACK, policy.scheduled_at)
    due = list(slots_between(policy.cron, policy.time_zone, after, now))
    for at in due[:-1]:
        _insert(policy, at, Slot.Status.MISSED, "No worker was there at its time.")
    if not due:
        return 0
    if now - due[-1] > timedelta(minutes=policy.grace_minutes):
        _insert(policy, due[-1], Slot.Status.MISSED, "No worker was there within its grace time.")
        return 0
    return _start(policy, due[-1])


def _insert(policy: Policy, at: datetime, status: str, reason: str = "") -> bool:
    """False when another tick was faster: the row is unique."""
    _, created = Slot.objects.get_or_create(policy=policy, at=at, defaults={"status": status, "reason": reason[:300]})
    if created and status == Slot.Status.MISSED:
        record(
            "backups.slot.missed",
            actor=SYSTEM,
            environment=policy.environment.slug,
            subject=str(policy),
            data={"at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "reason": reason},
        )
    return created


def _start(policy: Policy, at: datetime) -> int:
    with transaction.atomic():
        if not _insert(policy, at, Slot.Status.STARTED):
            return 0
        try:
            with transaction.atomic():
                operation = request_export(policy)
        except (Refused, PermissionDenied) as refusal:
            Slot.objects.filter(policy=policy, at=at).update(status=Slot.Status.FAILED, reason=str(refusal)[:300])
            transaction.on_commit(lambda: send(policy, "/fail"))
            return 0
        Slot.objects.filter(policy=policy, at=at).update(operation=operation)
    send(policy, "/start")
    return 1


def request_export(policy: Policy, reason: str = "scheduled") -> Operation:
    """Ask for one export as `system`. Raises Refused."""
    return request(
        "backups.export",
        by=system_user("backups.request_export"),
        environment=policy.environment,
        parameters={"policy": policy.name},
        reason=reason,
        channel="schedule",
    )


def _judge(slot: Slot, now: datetime) -> None:
    """A slot is kept only by a proven run; late after its grace time, failed with its operation."""
    operation = slot.operation
    proven = operation is not None and Run.objects.filter(operation=operation, status=RunStatus.PROVEN).exists()
    if proven:
        if _turn(slot, Slot.Status.PROVEN, ""):
            send(slot.policy, "")
    elif operation is not None and operation.terminal:
        if _turn(slot, Slot.Status.FAILED, operation.error or f"The operation was {operation.status}."):
            send(slot.policy, "/fail")
    elif slot.status == Slot.Status.STARTED and now - slot.at > timedelta(minutes=slot.policy.grace_minutes):
        _turn(slot, Slot.Status.LATE, f"Not proven within {slot.policy.grace_minutes} minutes.")


def _turn(slot: Slot, status: str, reason: str) -> bool:
    return Slot.objects.filter(pk=slot.pk, status=slot.status).update(status=status, reason=reason[:300]) == 1


def _remind(now: datetime, failed: Failed) -> None:
    """Tell about a policy's red slots at once and then daily, until somebody acknowledges them by name."""
    red = Slot.objects.filter(status__in=RED, acknowledged_by="").select_related("policy")
    by_policy: dict[int, list[Slot]] = {}
    for slot in red.order_by("at"):
        by_policy.setdefault(slot.policy_id, []).append(slot)
    for slots in by_policy.values():
        told_at = max((slot.alerted_at for slot in slots if slot.alerted_at), default=None)
        if told_at is None or now - told_at >= REMIND_EVERY:
            with each(f"the reminder of {slots[0].policy}", failed):
                _tell(slots, now, again=told_at is not None)


@transaction.atomic
def _tell(slots: list[Slot], now: datetime, again: bool) -> None:
    newest = slots[-1]
    reminders = newest.reminders + 1 if again else newest.reminders
    changed = Slot.objects.filter(pk=newest.pk, alerted_at=newest.alerted_at).update(
        alerted_at=now, reminders=reminders
    )
    if not changed:
        return
    policy, still = newest.policy, "still " if again else ""
    enqueue(
        f"backups.slot:{policy.pk}:{newest.pk}:{now:%Y%m%d}",
        subject=f"Backup of {policy} is {still}{newest.status}",
        body=f"Red: {counted(len(slots), 'slot')}. The newest, of {newest.at:%Y-%m-%d %H:%M} UTC, is {newest.status}. "
        f"{newest.reason} This repeats daily until somebody acknowledges it.",
        path=reverse("admin:backups_slot_changelist"),
        urgent=again,
        about=policy.environment,
    )


@transaction.atomic
def acknowledge(slots: QuerySet[Slot], by: User) -> int:
    """A person takes over red slots; answers how many. Raises PermissionDenied."""
    for place in Environment.objects.filter(policies__slots__in=slots.order_by()).distinct() or [None]:
        refusal = why_not(by, MAY_ACKNOWLEDGE, place, f"{by.username} may not acknowledge slots.")
        if refusal:
            raise PermissionDenied(f"{refusal} Nothing was changed.")
    red = slots.filter(status__in=RED, acknowledged_by="")
    names = [str(slot) for slot in red.select_related("policy__environment")]
    changed = red.update(acknowledged_by=by.username, acknowledged_at=database_time())
    if changed:
        record("backups.slot.acknowledged", actor=by.username, subject=names[0][:200], data={"slots": names[:50]})
    return changed


def send(policy: Policy, suffix: str) -> None:
    """Call the policy's URL; a failing ping is logged, because the silence outside speaks for itself."""
    url = os.environ.get(policy.ping_url_env, "") if policy.ping_url_env else ""
    if not url:
        return
    try:
        notify.ping(url.rstrip("/") + suffix)
    except (ProviderError, Refused) as error:
        logger.warning("the ping of %s failed: %s", policy, error)
