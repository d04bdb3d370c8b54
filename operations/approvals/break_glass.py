"""Break-glass: in an emergency one person replaces missing votes, never the content; somebody else reviews it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django_otp import user_has_device

from ledger.authenticity import demand
from operations.authority import VOTE, holders, why_not
from operations.engine.deciding import places_of
from operations.engine.request import record_about, refusals_recorded
from operations.engine.wakeup import wake
from operations.engine.wording import said
from operations.models import Operation, Status, Task
from operations.periodic.clock import database_time
from operations.votes.said import GLASS
from operations.votes.signatures import signature
from providers.errors import Refused

WINDOW = timedelta(minutes=30)
DELAY_WHEN_ALONE = timedelta(minutes=30)


def why_not_break_glass(operation: Operation, by: User) -> str:
    """The reason it is refused, or nothing."""
    otherwise = "Only operators and admins may break the glass."
    for place in places_of(operation):
        if refusal := why_not(by, GLASS, place, otherwise):
            return refusal
    if operation.status != Status.AWAITING_APPROVAL:
        return f"It is {operation.get_status_display().lower()}; there is no missing vote to replace."
    if operation.expires_at < database_time():
        return "It has expired; it must be requested again."
    if not settings.DEMO and not user_has_device(by):
        return "Enrol a second factor first; break-glass needs one."
    return ""


def break_glass(operation: Operation, *, by: User, reason: str, channel: str = "admin") -> Operation:
    """Queue one operation without its votes, within 30 minutes; a team of fewer than two approvers waits 30 more."""
    with refusals_recorded(operation.kind, by, operation.environment):
        if len(reason.strip()) < 10:
            raise Refused("Say why in at least ten characters; nothing was changed.")
        demand()
        with transaction.atomic():
            rows = Operation.objects.select_for_update(of=("self",)).select_related("environment")
            row = rows.get(pk=operation.pk)
            refusal = why_not_break_glass(row, by)
            if refusal:
                raise PermissionDenied(f"{refusal} Nothing was changed.")
            reason = said(reason)
            signed = signature(by, GLASS, row)
            alone = holders(VOTE, row.environment).count() < 2
            begin = database_time() + (DELAY_WHEN_ALONE if alone else timedelta(0))
            _replace_votes(row, by, reason, begin)
            until = (begin + WINDOW).isoformat()
            record_about(row, GLASS, actor=by.username, reason=reason, channel=channel, until=until, **signed)
    row.refresh_from_db()
    return row


def _replace_votes(row: Operation, by: User, reason: str, begin: datetime) -> None:
    Operation.objects.advance(
        row.pk,
        Status.AWAITING_APPROVAL,
        Status.QUEUED,
        break_glass_by=by,
        break_glass_reason=reason,
        break_glass_from=begin,
        break_glass_until=begin + WINDOW,
        due_at=begin,
        error="",
    )
    Task.objects.create(
        kind=Task.Kind.REVIEW_BREAK_GLASS,
        title=f"Review the break-glass of {by.username}: {row.kind} on {row.environment}",
        body=reason,
        environment=row.environment,
        operation=row,
        not_by=by,
        dedupe_key=f"break-glass:{row.pk}:{begin:%Y%m%d%H%M%S%f}",
    )
    wake(row)
