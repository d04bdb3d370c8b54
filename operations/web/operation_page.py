"""One operation: what was asked, how far it is, what a person may do now."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from operations.approvals.decision import decision_of
from operations.approvals.tasks import seen_by
from operations.engine import kinds
from operations.engine.deciding import places_of
from operations.models import Approval, Operation, Status
from operations.votes.judge import every_vote, needed
from operations.web import progress
from operations.web.pages import render_page
from operations.web.verbs import verbs

LOG_LINES = 200
OWN_PAGES = ("restore", "migration")  # led to by the page that shows a result
ALSO = {"present": "run", "compared_with": "run", "purged": "run", "retired": "run"}


def find(pk: str) -> Operation:
    rows = Operation.objects.select_related("environment", "requested_by", "break_glass_by", "retry_of")
    votes = Prefetch("approvals", Approval.objects.select_related("approved_by"))
    return get_object_or_404(rows.prefetch_related(votes), pk=pk)


def page(request: HttpRequest, pk: str) -> HttpResponse:
    """The operation's page; its live part is `fragment`."""
    operation = find(pk)
    assert isinstance(request.user, User)  # noqa: S101
    live = live_context(request, operation)
    context = {
        **live,
        "title": named(operation),
        "decision": decision_of(operation),
        "seen": seen_by(operation) if operation.status == Status.FAILED else None,
        "approve": next((verb for verb in live["verbs"] if verb.name == "approve"), None),
    }
    return render_page(request, "admin/operations/operation.html", context)


def named(operation: Operation) -> str:
    """As its page is called."""
    kind = kinds.registry.kinds.get(operation.kind)
    return f"{kind.label if kind else operation.kind} {operation.subject}".strip()


def votes_of(operation: Operation) -> dict[str, Any]:
    """Who voted, how many count and how many it takes."""
    places = places_of(operation)
    votes = every_vote(operation, places)
    counting = [vote for vote, why_not in votes if not (why_not or vote.revoked_at) and vote.decision == "approve"]
    wanted = needed(operation, places) if operation.status == Status.AWAITING_APPROVAL else operation.approvals_required
    state = f"{operation.status} {' '.join(str(vote.pk) for vote in counting)}".strip()
    return {"votes": votes, "counting": len(counting), "needed": wanted, "state": state}


def fragment(request: HttpRequest, pk: str) -> HttpResponse:
    """What refreshes while it runs."""
    return TemplateResponse(request, "admin/operations/live.html", live_context(request, find(pk)))


def log_file(request: HttpRequest, pk: str) -> HttpResponse:
    """`/admin/operations/operation/<pk>/log/`: all lines that are kept, as text; with `download`, as a file."""
    operation = get_object_or_404(Operation, pk=pk)
    answer = HttpResponse(operation.log, "text/plain; charset=utf-8")
    if "download" in request.GET:
        answer["Content-Disposition"] = f'attachment; filename="{operation.kind}-{operation.pk}.log"'
    return answer


def live_context(request: HttpRequest, operation: Operation) -> dict[str, Any]:
    assert isinstance(request.user, User)  # noqa: S101
    kind = kinds.registry.kinds.get(operation.kind)
    steps, log = list(operation.steps.all()), operation.log.splitlines()
    return {
        "operation": operation,
        "kind_label": kind.label if kind else operation.kind,
        "steps": steps,
        "trouble": progress.trouble(operation, steps),
        "attempts": max((step.attempt for step in steps), default=0),
        **votes_of(operation),
        "verbs": verbs(operation, request.user),
        "progress": progress.shown(operation),
        "log": "\n".join(log[-LOG_LINES:]),
        "older_lines": max(len(log) - LOG_LINES, 0),
        "result": result_of(operation),
        "deep_link": request.build_absolute_uri(reverse("admin:operations_operation_change", args=[operation.pk])),
    }


def result_of(operation: Operation) -> list[tuple[str, object, str]]:
    """What it left, as (label, words, address of its page or ""), and nothing that is empty.

    Parts that are numbered (jsonb sorts by length) are in their order; an id is shown by the name that kinds give it.
    """
    known = {each.name: each.named for kind in kinds.registry.kinds.values() for each in kind.parameters if each.named}

    def told(name: str, value: object) -> tuple[object, str]:
        of = known.get(ALSO.get(name, name))
        if of and isinstance(value, list):
            return "\n".join(of(operation.environment, str(item))[0] or _inline(item) for item in value), ""
        words, page = of(operation.environment, value) if of and isinstance(value, str) else ("", "")
        return (words, page) if words else (value if name in OWN_PAGES else _words(value), "")

    numbered = sorted(operation.result.items(), key=lambda item: _number(item[0]))
    return [(name.replace("_", " "), *told(name, value)) for name, value in numbered if value not in ([], {}, "", None)]


def _number(name: str) -> int:
    first = name.partition(" ")[0]
    return int(first) if first.isdecimal() else 0


def _words(value: object) -> object:
    """A list or an object of the result as lines for people; the shell prints it as JSON."""
    if isinstance(value, dict):
        known = ((name.replace("_", " "), item) for name, item in value.items() if item not in ([], {}, "", None))
        return "\n".join(f"{name}: {_inline(item)}" for name, item in known)
    return "\n".join(_inline(item) for item in value) if isinstance(value, list) else _inline(value)


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_inline(item)}" for name, item in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int | float) else str(value)
