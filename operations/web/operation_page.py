"""One operation: what was asked, how far it is, what a person may do now and why a button is disabled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from operations import authority
from operations.approvals.break_glass import break_glass, why_not_break_glass
from operations.approvals.voting import approve, reject, revoke, why_not_vote
from operations.engine import kinds
from operations.engine.cancel import cancel, retry, why_not_cancel
from operations.engine.deciding import places_of
from operations.engine.request import refusals_recorded
from operations.models import Operation, Status
from operations.serializers import consequences_of
from operations.votes.judge import every_vote
from operations.web import progress
from operations.web.errors import status_of
from providers.errors import ProviderError, Refused

LOG_LINES = 200


@dataclass(frozen=True)
class Verb:
    """A button: `why_not` is the reason it is disabled; `typed` what a person must type on its page."""

    name: str
    label: str
    why_not: str
    style: str = ""
    says: str = ""
    needs_reason: bool = False
    typed: str = ""


def find(pk: str) -> Operation:
    rows = Operation.objects.select_related("environment", "requested_by", "break_glass_by", "retry_of")
    return get_object_or_404(rows.prefetch_related("approvals__approved_by"), pk=pk)


def verbs(operation: Operation, user: User) -> list[Verb]:
    """What this person could do with it, in the order of the page."""
    kind = kinds.registry.kinds.get(operation.kind)
    shown: list[Verb] = []
    if operation.status == Status.AWAITING_APPROVAL:
        typed = ""
        if operation.risk == "destructive" and kind is not None:
            typed = kind.confirm_text(operation.environment, operation.parameters)
        why_not = why_not_vote(operation, user)
        shown = [
            Verb("approve", "Approve", why_not, "primary", "Your vote counts for exactly this content.", typed=typed),
            Verb("reject", "Reject", why_not, "danger", "One refusal ends the request.", needs_reason=True),
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
    else:
        why_not = "It is stopping already." if operation.cancel_requested_at else why_not_cancel(operation, user)
        says = "A running step stops at its next border; always-steps still run."
        shown.append(Verb("cancel", "Cancel", why_not, "danger", says))
    return shown


def _why_not_retry(operation: Operation, user: User) -> str:
    kind = kinds.registry.kinds.get(operation.kind)
    if kind is None:
        return "No installed part knows this kind any more."
    place = kind.asked_of(operation.environment)
    return authority.why_not(user, kind.permission, place, "Your role may not request this.")


def _voted(operation: Operation, user: User) -> bool:
    votes = operation.approvals.all()
    return any(vote.approved_by_id == user.pk and vote.decision == "approve" and not vote.revoked_at for vote in votes)


def act_page(request: HttpRequest, pk: str, verb: str) -> HttpResponse:
    """GET asks once more, POST acts; the services check everything again."""
    operation, user = find(pk), request.user
    assert isinstance(user, User)  # noqa: S101 (admin_view lets only people in)
    offered = next((candidate for candidate in verbs(operation, user) if candidate.name == verb), None)
    if offered is None and request.method != "POST":
        messages.info(request, "That is not possible now; nothing was changed.")
        return redirect("admin:operations_operation_change", pk)
    refused: Refused | PermissionDenied | ProviderError | None = None
    if request.method == "POST":
        try:
            done = _act(operation, verb, user, request.POST.get("reason", ""), request.POST.get("typed", ""), offered)
            messages.success(request, f"Done: {verb.replace('-', ' ')}. It is {done.get_status_display().lower()} now.")
            return redirect("admin:operations_operation_change", done.pk)
        except (Refused, PermissionDenied, ProviderError) as refusal:
            refused = refusal
    context = {
        **admin.site.each_context(request),
        "title": f"{offered.label if offered else verb}: {operation}",
        "operation": operation,
        "verb": offered,
        "error": str(refused or ""),
        "consequences": consequences_of(operation),
        "command": f"manage.py ops {verb} {operation.pk}",
    }
    return TemplateResponse(request, "admin/operations/act.html", context, status=status_of(refused))


def _act(operation: Operation, verb: str, user: User, reason: str, typed: str, offered: Verb | None) -> Operation:
    if offered and not offered.why_not and offered.typed and typed != offered.typed:
        with refusals_recorded(operation.kind, user, operation.environment):
            raise Refused(f"Type {offered.typed} exactly. Nothing was changed.")
    if verb == "approve":
        return approve(operation, by=user, comment=reason)
    if verb == "reject":
        return reject(operation, by=user, comment=reason)
    if verb == "revoke":
        return revoke(operation, by=user)
    if verb == "break-glass":
        return break_glass(operation, by=user, reason=reason)
    if verb == "retry":
        return retry(operation, by=user, reason=reason)
    if verb == "cancel":
        return cancel(operation, by=user, reason=reason)
    raise Http404(f"There is no verb {verb}.")


def page(request: HttpRequest, pk: str) -> HttpResponse:
    """The operation's page; its live part is `fragment`."""
    operation = find(pk)
    assert isinstance(request.user, User)  # noqa: S101
    live = live_context(request, operation)
    context = {
        **admin.site.each_context(request),
        **live,
        "title": f"{live['kind_label']} {operation.subject}".strip(),
        "consequences": [] if operation.terminal else consequences_of(operation),
    }
    return TemplateResponse(request, "admin/operations/operation.html", context)


def fragment(request: HttpRequest, pk: str) -> HttpResponse:
    """What refreshes while it runs."""
    return TemplateResponse(request, "admin/operations/live.html", live_context(request, find(pk)))


def live_context(request: HttpRequest, operation: Operation) -> dict[str, Any]:
    assert isinstance(request.user, User)  # noqa: S101
    kind = kinds.registry.kinds.get(operation.kind)
    steps = list(operation.steps.all())
    return {
        "operation": operation,
        "kind_label": kind.label if kind else operation.kind,
        "steps": steps,
        "trouble": progress.trouble(operation, steps),
        "attempts": max((step.attempt for step in steps), default=0),
        "votes": every_vote(operation, places_of(operation)),
        "verbs": verbs(operation, request.user),
        "progress": progress.shown(operation),
        "log": "\n".join(operation.log.splitlines()[-LOG_LINES:]),
        "result": _result(operation),
        "deep_link": request.build_absolute_uri(reverse("admin:operations_operation_change", args=[operation.pk])),
    }


def _result(operation: Operation) -> list[tuple[str, object]]:
    return [(name.replace("_", " "), _words(value)) for name, value in operation.result.items()]


def _words(value: object) -> object:
    """A list or an object of the result as lines for people; the shell prints it as JSON."""
    if isinstance(value, dict):
        return "\n".join(f"{name}: {_inline(item)}" for name, item in value.items())
    return "\n".join(str(item) for item in value) if isinstance(value, list) else value


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_inline(item)}" for name, item in value.items())
    return str(value)
