"""One message per flip: a named condition turns bad, or good again, and only the change is told.

In: the condition's name and whether it is bad now. Out: at most one message. The state is a heartbeat row.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from operations.models import Heartbeat
from operations.notify.outbox import enqueue


@transaction.atomic
def alarm(name: str, bad: bool, *, subject: str, body: str = "", path: str = "", daily: bool = False) -> bool:
    """Tell people if `name` changed between good and bad since the last call; whether it did is the answer.

    A condition that is good when first heard of is no news. `daily` repeats a bad one once a day, on every channel.
    """
    row, _ = Heartbeat.objects.get_or_create(
        name=f"alarm:{name}"[:120], defaults={"beat_at": timezone.now(), "detail": {"bad": False, "flips": 0}}
    )
    row = Heartbeat.objects.select_for_update().get(pk=row.pk)
    if row.detail["bad"] == bad:
        days = (timezone.now() - row.beat_at).days
        if bad and daily and days:
            key = f"alarm:{name}:{row.detail['flips']}:day {days}"
            enqueue(key, subject=f"Still, after {days} days: {subject}", body=body, path=path, urgent=True)
        return False
    row.detail = {"bad": bad, "flips": row.detail["flips"] + 1}
    row.beat_at = timezone.now()
    row.save(update_fields=["detail", "beat_at"])
    prefix = "" if bad else "Resolved: "
    enqueue(f"alarm:{name}:{row.detail['flips']}", subject=prefix + subject, body=body, path=path)
    return True
