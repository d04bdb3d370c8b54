"""A policy's retention on one page: every run, why it is kept, what would be retired, whose data may be deleted."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse

from backups.models import Policy, Run
from backups.retention.facts import planned
from backups.retention.model import Line, Plan
from operations.web import formatting
from operations.web.pages import render_page

SHOWN = 300
WORDS = {
    "keep": ("kept", "ok"),
    "retire": ("would be retired", "warn"),
    "retired": ("retired", "idle"),
    "retained": ("retained by the store", "idle"),
    "due": ("data may be deleted", "warn"),
}


@permission_required("backups.view_policy", raise_exception=True)
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """The dry run; it changes nothing."""
    gone = Count("runs", filter=Q(runs__purged_at__isnull=False))
    policy = Policy.objects.select_related("environment").annotate(purged=gone).filter(pk=pk).first()
    if policy is None:
        raise Http404
    plan = planned(policy)
    context = {
        "title": f"Retention of {policy}",
        "policy": policy,
        "plan": plan,
        "lines": _lines(plan),
        "more": max(0, len(plan.lines) - SHOWN),
        "counts": [*_counts(plan), ("data deleted", policy.purged)],
        "rule": policy.rule(),
    }
    return render_page(request, "admin/backups/policy/retention.html", context)


def _counts(plan: Plan) -> list[tuple[str, int]]:
    return [(word, len(plan.of(verdict))) for verdict, (word, _) in WORDS.items()]


def _lines(plan: Plan) -> list[dict[str, Any]]:
    """What would change first, then the rest, newest first."""
    order = {verdict: number for number, verdict in enumerate(("due", "retire", "retained", "retired", "keep"))}
    shown = sorted(plan.lines, key=lambda line: order[line.verdict])[:SHOWN]
    runs = Run.objects.in_bulk([line.run for line in shown])
    return [_row(line, runs[line.run]) for line in shown]


def _row(line: Line, run: Run) -> dict[str, Any]:
    word, tone = WORDS[line.verdict]
    reasons = [*line.reasons, *([f"until {line.until:%Y-%m-%d %H:%M} UTC"] if line.until else [])]
    return {"run": run, "badge": formatting.badge(word, tone), "reasons": ", ".join(reasons)}
