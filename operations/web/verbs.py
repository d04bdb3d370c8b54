"""What a person could do: buttons that ask for an act, and those of an operation's page, each with the reason why it is
disabled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, User
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from operations import authority
from operations.approvals.break_glass import why_not_break_glass
from operations.approvals.tasks import seen_by
from operations.approvals.voting import objection, typed_for, why_not_vote
from operations.engine import kinds
from operations.engine.cancel import why_not_cancel
from operations.models import Environment, Operation, Status
from operations.navigation import page_of_request

MAY_NOT = "Your role may not request this."


@dataclass(frozen=True)
class Verb:
    """A button: `why_not` is the reason it is disabled; `typed` what a person must type on its page; `url` leads there
    where that is not the operation's page for `name`."""

    name: str
    label: str
    why_not: str
    style: str = ""
    says: str = ""
    needs_reason: bool = False
    typed: str = ""
    url: str = ""


def asking(
    user: User | AnonymousUser,
    kind: str,
    environment: Environment | None,
    label: str,
    style: str = "",
    /,
    **given: str,
) -> Verb:
    """The way to a kind's confirmation page, filled in; disabled for those who may not ask for it there."""
    where = {"environment": environment.slug} if environment else {}
    why_not = kinds.get(kind).why_not(user, environment, MAY_NOT)
    return Verb(kind, label, why_not, style, url=page_of_request(kind, **where, **given))


def column(title: str, ways: Callable[[Any], Sequence[Verb]]) -> Callable[[Any], SafeString]:
    """A column of a list with what may be asked of each row: `ways` makes the buttons of one."""

    @admin.display(description=title)
    def shown(row: Any) -> SafeString:
        links = [(way.style, way.url, way.label) for way in ways(row) if not way.why_not]
        return format_html_join(" ", '<a class="button {}" href="{}">{}</a>', links)

    return shown


def verbs(operation: Operation, user: User) -> list[Verb]:
    """What this person could do with it, in the order of the page."""
    shown: list[Verb] = []
    if operation.status == Status.AWAITING_APPROVAL:
        typed, why_not = typed_for(operation), why_not_vote(operation, user)
        style, against = "danger" if typed else "primary", why_not or objection(operation)
        shown = [
            Verb("approve", "Approve", against, style, "Your vote counts for exactly this content.", typed=typed),
            Verb("reject", "Refuse", why_not, "danger", "One refusal ends the request.", needs_reason=True),
        ]
        if not why_not_break_glass(operation, user):
            says = "Replaces the missing votes for 30 minutes. All approvers are told; somebody else reviews it."
            shown.append(Verb("break-glass", "Break the glass", "", "danger", says, needs_reason=True))
    if operation.status in (Status.AWAITING_APPROVAL, Status.QUEUED) and _voted(operation, user):
        shown.append(Verb("revoke", "Take my vote back", "", says="It counts no more; possible until a worker starts."))
    if operation.terminal:
        why_not = _why_not_retry(operation, user)
        if operation.status != Status.SUCCEEDED:
            shown.append(Verb("retry", "Request again", why_not, says="A new operation with the same parameters."))
        if operation.status == Status.FAILED and seen_by(operation) is None:
            may_not = authority.why_not(user, "operations.close_task", operation.environment, "Your role may not.")
            says = "It stays failed, with your name and reason; the home page goes back to what is open."
            shown.append(Verb("acknowledge", "Acknowledge", may_not, says=says, needs_reason=True))
    else:
        why_not = "It is stopping already." if operation.cancel_requested_at else why_not_cancel(operation, user)
        says = "A running step stops at its next border; always-steps still run."
        shown.append(Verb("cancel", "Cancel", why_not, "danger", says))
    return shown


def _why_not_retry(operation: Operation, user: User) -> str:
    kind = kinds.registry.kinds.get(operation.kind)
    if kind is None:
        return "No installed part knows this kind any more."
    return kind.why_not(user, operation.environment, MAY_NOT)


def _voted(operation: Operation, user: User) -> bool:
    votes = operation.approvals.all()
    return any(vote.approved_by_id == user.pk and vote.decision == "approve" and not vote.revoked_at for vote in votes)
