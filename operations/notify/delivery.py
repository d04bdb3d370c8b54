"""Takes due messages from the outbox and sends each, with backoff; a crash between claim and send only repeats it.

In: the tick. Out: rows with `sent_at`, or with the error and the time of the next attempt. Never in a transaction while
it waits for somebody else's server.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from django.conf import settings
from django.db import transaction

from operations.models import Notification
from operations.models.operation import database_now
from operations.notify.outbox import now_due
from operations.periodic.clock import database_time
from operations.periodic.isolation import one_by_one
from providers import notify
from providers.errors import ProviderError, Refused

logger = logging.getLogger("operations.notify")
MOST_ATTEMPTS = 12
_HELD = 120.0
_SLOWEST = 3600.0


def deliver_due(limit: int = 20) -> int:
    """Send what is due; returns how many went out."""
    return sum(one_by_one(_claimed(limit), _deliver))


def _claimed(limit: int) -> Iterator[Notification]:
    """One after the other, each for longer than its sending may take, so that two tickers never send the same one."""
    for _ in range(limit):
        with transaction.atomic():
            due = Notification.objects.filter(now_due()).order_by("next_attempt_at")
            row = due.select_for_update(skip_locked=True).first()
            if row is None:
                return
            Notification.objects.filter(pk=row.pk).update(next_attempt_at=database_now(_HELD))
        yield row


def _deliver(row: Notification) -> bool:
    try:
        send(row)
    except (ProviderError, Refused) as error:
        _failed(row, str(error), retryable=getattr(error, "retryable", False))
        return False
    sent = {"sent_at": database_time(), "attempts": row.attempts + 1, "error": "", "next_attempt_at": None}
    Notification.objects.filter(pk=row.pk).update(**sent)
    return True


def send(row: Notification) -> None:
    """Through its channel, now. Raises ProviderError or Refused."""
    text = f"{row.body}\n\n{row.url}".strip()
    if row.channel == Notification.Channel.EMAIL:
        notify.mail(row.recipients.splitlines(), row.subject, text)
    elif row.channel == Notification.Channel.SLACK:
        notify.slack(settings.SLACK_WEBHOOK_URL, row.subject, row.body, row.url)
    elif row.channel == Notification.Channel.WEBHOOK:
        secret, payload = settings.NOTIFY_WEBHOOK_SECRET, _payload(row)
        notify.webhook(settings.NOTIFY_WEBHOOK_URL, secret, f"ops_{row.pk}", database_time(), payload)
    else:
        logger.info("notification: %s %s", row.subject, row.url)


def _payload(row: Notification) -> dict[str, object]:
    return {
        "type": "ops.notification",
        "key": row.dedupe_key.rpartition(":")[0],
        "at": row.created_at.isoformat(),
        "subject": row.subject,
        "body": row.body,
        "url": row.url,
    }


def _failed(row: Notification, error: str, *, retryable: bool) -> None:
    """Wait 30 s, doubled each time up to an hour; give up after twelve attempts or when repeating cannot help."""
    attempts = row.attempts + 1
    wait = min(30.0 * 2 ** min(row.attempts, 10), _SLOWEST)
    again = database_now(wait) if retryable and attempts < MOST_ATTEMPTS else None
    Notification.objects.filter(pk=row.pk).update(attempts=attempts, error=error[:1000], next_attempt_at=again)
    logger.warning("notification %s through %s failed: %s", row.pk, row.channel, error)
