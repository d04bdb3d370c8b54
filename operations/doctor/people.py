"""Checks of people and of the ways to reach them: approvers, second factors, mail, Slack, webhook, outbox."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import get_connection
from django.db.models import Exists, OuterRef

from operations.authority import VOTE, holders, holders_anywhere
from operations.doctor import Check, register
from operations.models import Authenticator, Environment, Notification, Passkey
from operations.notify.outbox import channels
from operations.periodic.clock import database_time
from providers import notify
from providers.errors import ProviderError, Refused
from providers.http import public_address

TOLD = "Approvals, failures and alarms must reach somebody who is not looking at this page."


@register
def approvers(environment: Environment | None) -> Iterator[Check]:
    """On every environment at least two people can vote, so that four eyes are possible."""
    counts = _approvers(environment)
    approving = min(counts.values())
    why = "Destructive acts on a protected environment need two votes of others; fewer approvers mean break-glass."
    tone = "ok" if approving >= 2 else ("warn" if settings.DEMO or approving == 1 else "bad")
    fix = "" if approving >= 2 else "Invite people with the role Approver."
    listed = ", ".join(f"{place}: {count} active" for place, count in counts.items())
    state = f"{approving} active" if len(set(counts.values())) == 1 else listed
    yield Check("approvers", tone, state, why, fix)


def _approvers(environment: Environment | None) -> dict[str, int]:
    """How many may vote on each environment; a preview counts only when it is asked about."""
    asked = [environment] if environment else [*Environment.objects.exclude(kind="preview")]
    return {str(place): holders(VOTE, place).count() for place in asked} or {"": holders(VOTE, None).count()}


@register
def second_factors(environment: Environment | None) -> Iterator[Check]:
    """Everybody who must have one has one (OPS_FACTOR_FOR)."""
    app = Authenticator.objects.filter(user=OuterRef("pk"), confirmed=True)
    passkey = Passkey.objects.filter(user=OuterRef("pk"))
    acting = User.objects.none()
    acts = ("approve_operation", "break_glass", "request_operation", "change_environment")
    for codename in acts if settings.OPS_FACTOR_FOR == "acting" else ("view_operation",):
        acting |= holders_anywhere(f"operations.{codename}")
    without = [
        str(name) for name in acting.exclude(Exists(app) | Exists(passkey)).values_list("username", flat=True)[:20]
    ]
    why = "A stolen password alone must not move production."
    fix = "They are led to enrolment at their next sign-in." if without else ""
    state = f"missing for {', '.join(without)}" if without else "everybody who must have one has one"
    yield Check("second factors", "warn" if without else "ok", state, why, fix)


@register
def mail(environment: Environment | None) -> Iterator[Check]:
    """The mail server accepts a connection and our login; nothing is sent."""
    if not settings.EMAIL_HOST:
        yield Check(
            "mail", "idle" if settings.DEMO else "warn", "EMAIL_HOST is not set", TOLD, "Set EMAIL_HOST and EMAIL_*."
        )
        return
    try:
        with get_connection(fail_silently=False):
            pass
    except (OSError, smtplib.SMTPException) as error:
        fix = "Check EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER and EMAIL_HOST_PASSWORD."
        yield Check("mail", "bad", f"{settings.EMAIL_HOST}: {type(error).__name__}: {error}", TOLD, fix)
    else:
        yield Check("mail", "ok", f"{settings.EMAIL_HOST} accepts our login", TOLD)


@register
def slack(environment: Environment | None) -> Iterator[Check]:
    """Slack knows the webhook: an empty message is answered 400 by a live one, 403 or 404 by a dead one."""
    if not settings.SLACK_WEBHOOK_URL:
        yield Check("slack", "idle", "SLACK_WEBHOOK_URL is not set", TOLD)
        return
    try:
        public_address.post(settings.SLACK_WEBHOOK_URL, b"{}", {"Content-Type": "application/json"})
    except public_address.Answered as answer:
        known = answer.status == 400
        fix = "" if known else "Make a new incoming webhook and set SLACK_WEBHOOK_URL."
        yield Check("slack", "ok" if known else "bad", "knows the webhook" if known else str(answer), TOLD, fix)
    except (ProviderError, Refused) as error:
        yield Check("slack", "bad", str(error), TOLD, "Check SLACK_WEBHOOK_URL and the network.")
    else:
        yield Check("slack", "ok", "answers", TOLD)


@register
def webhook(environment: Environment | None) -> Iterator[Check]:
    """The address is one that we would call, and the secret can sign."""
    if not settings.NOTIFY_WEBHOOK_URL:
        yield Check("webhook", "idle", "NOTIFY_WEBHOOK_URL is not set", TOLD)
        return
    try:
        host = public_address.check(settings.NOTIFY_WEBHOOK_URL).host
        notify.signature(settings.NOTIFY_WEBHOOK_SECRET, "doctor", database_time(), "{}")
    except (ProviderError, Refused) as error:
        yield Check("webhook", "bad", str(error), TOLD, "Check NOTIFY_WEBHOOK_URL and NOTIFY_WEBHOOK_SECRET.")
    else:
        yield Check("webhook", "ok", f"{host} has a public address and the secret signs", TOLD)


@register
def outbox(environment: Environment | None) -> Iterator[Check]:
    """Something is configured, and what was written went out."""
    people = list(settings.NOTIFY_EMAILS)
    if channels(people) == [Notification.Channel.LOG]:
        tone = "idle" if settings.DEMO else "warn"
        yield Check("notify", tone, "messages go to the log only", TOLD, "Set NOTIFY_EMAILS, Slack or a webhook.")
    since = database_time() - timedelta(days=1)
    lost = Notification.objects.filter(sent_at=None, next_attempt_at=None, created_at__gt=since).count()
    late = database_time() - timedelta(minutes=10)
    stuck = Notification.objects.filter(sent_at=None, created_at__lt=late).exclude(next_attempt_at=None).count()
    state = f"{lost} given up since yesterday, {stuck} older than ten minutes"
    fix = "Open Notifications in the admin and read the errors." if lost or stuck else ""
    yield Check("outbox", "bad" if lost else ("warn" if stuck else "ok"), state, TOLD, fix)
