"""The page of one deployment: where it stands, how long against the usual, health, log tail, and the way back."""

from __future__ import annotations

from datetime import timedelta
from statistics import median
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from deployments.models import Deployment
from deployments.models.deployment import WAS_LIVE, Status
from deployments.web import charts, logs, remote
from deployments.web.badges import status_badge
from deployments.web.verbs import last_good, verb
from operations.web.pages import render_page

PHASES = [
    ("build_in_progress", "Build"),
    ("pre_deploy_in_progress", "Pre-deploy"),
    ("update_in_progress", "Switch"),
    ("live", "Live"),
]
AROUND = ("cpu", "memory", "http-latency")
FAILED_AT = {"build_failed": 0, "pre_deploy_failed": 1, "update_failed": 2}


@permission_required("deployments.view_deployment", raise_exception=True)
def page(request: HttpRequest, pk: str) -> HttpResponse:
    """`/admin/deployments/deployment/<pk>/change/`."""
    row = get_object_or_404(Deployment.objects.select_related("service__environment", "operation"), pk=pk)
    context = {"title": str(row), **facts(request, row)}
    return render_page(request, "admin/deployments/deployment/page.html", context)


@permission_required("deployments.view_deployment", raise_exception=True)
def of(request: HttpRequest, render_id: str) -> HttpResponse:
    """`/admin/deployments/deployment/of/<render_id>/`: to the page; Render's id is what an operation's result knows."""
    return redirect("admin:deployments_deployment_change", get_object_or_404(Deployment, render_id=render_id).pk)


@permission_required("deployments.view_deployment", raise_exception=True)
def fragment(request: HttpRequest, pk: str) -> HttpResponse:
    """What changes while a deploy runs, refetched by the page."""
    row = get_object_or_404(Deployment.objects.select_related("service__environment", "operation"), pk=pk)
    return TemplateResponse(request, "admin/deployments/deployment/live.html", facts(request, row))


def facts(request: HttpRequest, row: Deployment) -> dict[str, Any]:
    """Everything the page shows."""
    service = row.service
    older = (
        service.deployments.filter(status__in=WAS_LIVE, created_at__lt=row.created_at).order_by("-created_at").first()
    )
    sources = readers(row)
    answers, missing = remote.read(f"deployment:{row.pk}:{row.status}", sources, 2 if row.moving else 60)
    seconds = row.duration.total_seconds() if row.duration else None
    checks = list(row.health_checks.order_by("-checked_at")[:30])
    return {
        "row": row,
        "badge": status_badge(row),
        "service": service,
        "environment": service.environment,
        "steps": steps(row),
        "seconds": seconds,
        "usual": usual(row),
        "log": answers.get("log", []),
        "beside": "service log" in sources,
        "service_log": answers.get("service log", []),
        "full": logs.PAGE,
        "missing": missing,
        "older": older,
        "compare_url": service.compare_url(older.commit_sha, row.commit_sha) if older else "",
        "commit_url": service.commit_url(row.commit_sha),
        "verbs": verbs(request, row),
        "strip": charts.health_strip(checks) if checks else "",
        "checks": checks,
        "metrics": [charts.metric(name, answers[name], [row.finished_at]) for name in AROUND if name in answers],
        **supabase(request, row),
    }


def verbs(request: HttpRequest, row: Deployment) -> list[Any]:
    """Cancel while it moves; back to the last good one while it is live; back to this one when it was live."""
    service = row.service
    if row.moving:
        return [verb(request.user, "deployments.cancel", service, "Cancel", tone="danger", deployment=row.render_id)]
    again = verb(request.user, "deployments.deploy", service, "Deploy this commit again", commit=row.commit_sha)
    back = last_good(service) if row.status in (Status.LIVE, Status.UPDATE_FAILED) else None
    if row.status == Status.DEACTIVATED and not row.seeded:
        back = row
    if back is None:
        return [again] if row.commit_sha else []
    label = f"Roll back to {back.short}" if back.pk != row.pk else "Roll back to this"
    return [verb(request.user, "deployments.rollback", service, label, tone="danger", deployment=back.render_id), again]


def steps(row: Deployment) -> list[tuple[str, str, str]]:
    """(label, tone, word) of each phase."""
    names = [name for name, _ in PHASES]
    if row.status in FAILED_AT:
        at, tone = FAILED_AT[row.status], "bad"
    elif row.status in names:
        at, tone = names.index(row.status), "ok" if row.status == Status.LIVE else "run"
    else:
        at, tone = (len(names) - 1, "ok") if row.was_live else (-1, "")
    done = [(label, "ok", "done") for _, label in PHASES[: max(at, 0)]]
    here = [(PHASES[at][1], tone, {"bad": "failed", "run": "running", "ok": "done"}[tone])] if at >= 0 else []
    return done + here + [(label, "", "not reached") for _, label in PHASES[at + 1 :]]


def usual(row: Deployment) -> float | None:
    """The median duration in seconds of the service's last twenty good deploys."""
    rows = row.service.deployments.filter(status__in=WAS_LIVE, created_at__lt=row.created_at).order_by("-created_at")[
        :20
    ]
    took = [deploy.duration.total_seconds() for deploy in rows if deploy.duration]
    return median(took) if took else None


def readers(row: Deployment) -> dict[str, remote.Reader]:
    """Both logs, and CPU, memory and latency from half an hour before to half an hour after the switch."""
    sources: dict[str, remote.Reader] = {"log": lambda api: logs.lines(api, row, "deploy")}
    if row.was_live and not row.moving and row.service.type != "static_site":
        sources["service log"] = lambda api: logs.lines(api, row, "service")
    if row.finished_at is None or not row.service.is_web:
        return sources
    start, end = row.finished_at - timedelta(minutes=30), row.finished_at + timedelta(minutes=30)

    def metric(name: str) -> remote.Reader:
        return lambda api: api.metrics.series(name, row.service.render_id, start, min(end, timezone.now()), 60)

    return sources | {name: metric(name) for name in AROUND}


def supabase(request: HttpRequest, row: Deployment) -> dict[str, Any]:
    """What the database and the functions logged from the start to five minutes after the switch."""
    end = min((row.finished_at or timezone.now()) + timedelta(minutes=5), timezone.now())
    return remote.supabase_log(
        request, row.service.environment, row.created_at, end, f"deployment:{row.pk}:{row.status}"
    )
