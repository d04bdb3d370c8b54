"""One message per flip: a named condition turns bad, or good again, and only the change is told.

In: the condition's name and whether it is bad now. Out: at most one message. The state is a heartbeat row. What turns
to and fro is told once as that, and again when it has kept still.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from operations.models import Environment, Heartbeat
from operations.notify.outbox import enqueue, whom_to_call
from operations.periodic.clock import database_time

FLAPS = 2  # turned bad so often
FLAP_WINDOW = timedelta(minutes=30)  # within this
RESOLVED = "Resolved: "
KEPT_STILL = timedelta(minutes=15)


@transaction.atomic
def alarm(
    name: str,
    bad: bool,
    *,
    subject: str,
    body: str = "",
    path: str = "",
    daily: bool = False,
    about: Environment | None = None,
    service: str = "",
    ended: str = RESOLVED,
) -> bool:
    """Tell people if `name` changed between good and bad since the last call; whether it did is the answer.

    A condition that is good when first heard of is no news. `daily` repeats a bad one once a day, on every channel.
    `ended` stands before the subject where it is bad no longer.
    """
    body = "\n".join(filter(None, (body, whom_to_call(about if bad else None, service))))
    row, _ = Heartbeat.objects.get_or_create(
        name=f"alarm:{name}"[:120], defaults={"beat_at": database_time(), "detail": {"bad": False, "flips": 0}}
    )
    row = Heartbeat.objects.select_for_update().get(pk=row.pk)
    if row.detail.get("flapping"):
        return _flapping(row, bad, subject=subject, body=body, path=path)
    if row.detail["bad"] == bad:
        days = (database_time() - row.beat_at).days
        if bad and daily and days:
            key = f"alarm:{name}:{row.detail['flips']}:day {days}"
            enqueue(key, subject=f"Still, after {days} days: {subject}", body=body, path=path, urgent=True)
        return False
    turned = [at for at in row.detail.get("turned_bad", []) if at > (database_time() - FLAP_WINDOW).timestamp()]
    turned += [database_time().timestamp()] if bad else []
    flapping = bad and len(turned) >= FLAPS
    _turn(row, bad, turned_bad=turned, flapping=flapping)
    prefix = "Turns to and fro: " if flapping else "" if bad else ended
    more = f"\nIt is told again when it has kept still for {KEPT_STILL}." if flapping else ""
    enqueue(f"alarm:{name}:{row.detail['flips']}", subject=prefix + subject, body=body + more, path=path)
    return True


def _turn(row: Heartbeat, bad: bool, **more: object) -> None:
    row.detail = {**row.detail, "bad": bad, "flips": row.detail["flips"] + 1, **more}
    row.beat_at = database_time()
    row.save(update_fields=["detail", "beat_at"])


def _flapping(row: Heartbeat, bad: bool, *, subject: str, body: str, path: str) -> bool:
    """Nothing is told until it has kept still; then what it came to."""
    if row.detail["bad"] != bad:
        _turn(row, bad)
        return False
    if database_time() - row.beat_at < KEPT_STILL:
        return False
    _turn(row, bad, flapping=False, turned_bad=[])
    prefix = "Still, and no longer to and fro: " if bad else "Resolved: "
    enqueue(f"{row.name}:{row.detail['flips']}", subject=prefix + subject, body=body, path=path)
    return True
