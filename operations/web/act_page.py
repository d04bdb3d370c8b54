"""The page of one verb on an operation: it shows what was asked once more, takes a reason or a typed name, and acts."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from operations.approvals.break_glass import break_glass
from operations.approvals.decision import decision_of
from operations.approvals.tasks import acknowledge
from operations.approvals.voting import approve, reject, revoke
from operations.engine.cancel import cancel, retry
from operations.engine.request import refusals_recorded
from operations.models import Operation, Status
from operations.web.operation_page import find, named, votes_of
from operations.web.pages import render_page, status_of
from operations.web.verbs import Verb, verbs
from providers.errors import ProviderError, Refused

DONE = {
    "approve": "You approved it.",
    "reject": "You refused it.",
    "revoke": "Your vote is taken back.",
    "break-glass": "You replaced the missing votes.",
    "cancel": "You asked for its end.",
    "retry": "It is requested again.",
    "acknowledge": "You acknowledged it.",
}


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
            messages.success(request, f"{DONE.get(verb, 'Done.')} It {_stands(done)}.")
            return redirect("admin:operations_operation_change", done.pk)
        except (Refused, PermissionDenied, ProviderError) as refusal:
            refused = refusal
    context = {
        **votes_of(operation),
        "decision": decision_of(operation),
        "title": f"{offered.label if offered else verb.capitalize()}: {named(operation)}",
        "operation": operation,
        "verb": offered,
        "error": str(refused or ""),
        "command": f"sampelit-ops {verb} {operation.pk}",
    }
    return render_page(request, "admin/operations/act.html", context, status=status_of(refused))


def _stands(operation: Operation) -> str:
    """What becomes of it now, after "It"."""
    if operation.status == Status.AWAITING_APPROVAL:
        votes = votes_of(operation)
        return f"has {votes['counting']} of {votes['needed']} votes and waits for more"
    if operation.status == Status.QUEUED:
        return "is queued: a worker takes it next"
    return f"is {operation.get_status_display().lower()} now"


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
    if verb == "acknowledge":
        return acknowledge(operation, by=user, resolution=reason)
    if verb == "cancel":
        return cancel(operation, by=user, reason=reason)
    raise Http404(f"There is no verb {verb}.")
