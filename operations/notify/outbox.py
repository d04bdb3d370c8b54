"""Writes messages into the outbox, one row per channel that is configured; the same key is never written twice.

In: subject, text, a path of the portal, a dedupe key. Out: rows, in the caller's transaction. Secrets are redacted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from operations.models import Environment, Notification
from operations.models.operation import database_now
from providers.redact import redact

Channel = Notification.Channel


def enqueue(dedupe_key: str, *, subject: str, **said: Any) -> int:
    """Queue what `messages` makes of it; returns how many rows are new (0: it was queued before)."""
    return store(messages(dedupe_key, subject=subject, **said))


def messages(
    dedupe_key: str,
    *,
    subject: str,
    body: str = "",
    path: str = "",
    to: Iterable[str] = (),
    urgent: bool = False,
    privately: bool = False,
    about: Environment | None = None,
    service: str = "",
) -> list[Notification]:
    """A message for every first channel, not stored yet.

    `path` is completed to a deep link; `to` adds people to NOTIFY_EMAILS. Without any channel it goes to the log.
    `urgent` is for what nobody answered: it goes to the second channel too. `privately`: by mail to `to` alone.
    `about` adds who answers for that environment, and its runbook for `service`.
    """
    people = sorted({*(() if privately else settings.NOTIFY_EMAILS), *filter(None, to)})
    first = [Channel.EMAIL if settings.EMAIL_HOST and people else Channel.LOG] if privately else channels(people)
    ways = [(channel, people, channel) for channel in first] + (second_channel() if urgent else [])
    return [
        Notification(
            dedupe_key=f"{dedupe_key[:235]}:{mark}",
            channel=channel,
            recipients="\n".join(names) if channel == Channel.EMAIL else "",
            subject=redact(" ".join(subject.split()))[:200],
            body=redact("\n".join(filter(None, (body, whom_to_call(about, service))))),
            url=settings.OPS_BASE_URL.rstrip("/") + path if path else "",
            next_attempt_at=database_now(),
        )
        for channel, names, mark in ways
    ]


def store(rows: list[Notification]) -> int:
    """How many of them are new."""
    known = set(Notification.objects.filter(dedupe_key__in=[row.dedupe_key for row in rows]).values_list("dedupe_key"))
    new = [row for row in rows if (row.dedupe_key,) not in known]
    Notification.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def whom_to_call(about: Environment | None, service: str = "") -> str:
    """The lines of a message that say who answers for it and what to do; empty where nobody wrote that down."""
    if about is None:
        return ""
    owners = f"Owners: {about.owners}" if about.owners else ""
    runbook = f"Runbook: {about.runbook(service)}" if about.runbook_url else ""
    return "\n".join(filter(None, (owners, runbook)))


def channels(people: list[str]) -> list[str]:
    """Which channels are configured here and now."""
    ready = _configured(people)
    first = [channel for channel in ready if channel not in settings.OPS_SECOND_CHANNEL]
    return first or ready or [Channel.LOG]


def _configured(people: list[str]) -> list[str]:
    is_configured = {
        Channel.EMAIL: bool(settings.EMAIL_HOST and people),
        Channel.SLACK: bool(settings.SLACK_WEBHOOK_URL),
        Channel.WEBHOOK: bool(settings.NOTIFY_WEBHOOK_URL and settings.NOTIFY_WEBHOOK_SECRET),
    }
    return [channel for channel, configured in is_configured.items() if configured]


def second_channel() -> list[tuple[str, list[str], str]]:
    """Channel, people and mark of what OPS_SECOND_CHANNEL names: slack, webhook, email, or mail addresses."""
    people, wanted = list(settings.NOTIFY_EMAILS), settings.OPS_SECOND_CHANNEL
    targets: list[tuple[str, list[str], str]] = []
    if len(_configured(people)) > 1:
        targets = [(channel, people, channel) for channel in _configured(people) if channel in wanted]
    others = sorted(item for item in wanted if "@" in item)
    if others:
        channel = Channel.EMAIL if settings.EMAIL_HOST else Channel.LOG
        targets.append((channel, others, "second"))
    return targets


def addresses(people: QuerySet[User]) -> list[str]:
    """Where these people get mail, each address once."""
    return sorted(set(people.exclude(email="").values_list("email", flat=True)))


def now_due() -> Q:
    return Q(sent_at=None, next_attempt_at__lte=database_now())
