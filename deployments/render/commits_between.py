"""What a deploy brings or a rollback takes away, for whoever votes: the commits between two, as deploys told of them.

In: a service, what is live and what is asked for. Out: answers and a block. A commit that was deployed nowhere is
known to the repository alone, so its own comparison is linked.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from deployments.models import Deployment, Service
from deployments.models.deployment import Status
from operations.engine.specs import Block, Fact
from operations.models import Environment

MOST = 50
TEMPLATE = "admin/deployments/commits.html"


def live_of(service: Service) -> Deployment | None:
    return service.deployments.filter(status=Status.LIVE).order_by("-created_at").first()


def brought(service: Service, wanted: str) -> list[Fact | Block]:
    """Of a deploy; `wanted` is empty for the newest commit of the branch."""
    live = live_of(service)
    known = service_commits(service).filter(commit_sha__startswith=wanted).first() if wanted else None
    going = _named(known) if known else wanted[:7] or f"the newest commit of {service.branch}"
    answers = [Fact("Live now", _named(live) if live else "nothing"), Fact("Goes live", going)]
    until = known.commit_at if known else None
    commits = _between(service, live.commit_at if live else None, until)
    compare = service.compare_url(live.commit_sha, known.commit_sha if known else wanted) if live else ""
    undo = Fact("Comes back", "by a rollback; no data is touched", tone="ok")
    return [*answers, undo, _block("Commits that go live", commits, compare)]


def taken_back(service: Service, target: Deployment) -> list[Fact | Block]:
    """Of a rollback."""
    live = live_of(service)
    commits = _between(service, target.commit_at, live.commit_at if live else None)
    compare = service.compare_url(target.commit_sha, live.commit_sha) if live else ""
    return [
        Fact("Live now", _named(live) if live else "nothing"),
        Fact("Goes back to", _named(target), tone="bad" if target.health == Deployment.Health.UNHEALTHY else ""),
        Fact("Comes back", "by deploying the newer commit again; no data is touched", tone="ok"),
        _block("Commits that are taken back", commits, compare),
    ]


def commits_here(environment: Environment) -> list[tuple[str, str]]:
    """(commit, title and where it is live) of what was deployed from the repositories of its services."""
    services = Service.objects.filter(environment=environment)
    live: dict[str, list[str]] = {}
    rows = Deployment.objects.filter(service__in=services, status=Status.LIVE)
    for sha, name in rows.order_by("service__name").values_list("commit_sha", "service__name"):
        live.setdefault(sha, []).append(name)
    shared = Q(service__in=services) | Q(service__repo__in=services.exclude(repo="").values("repo"))
    known = Deployment.objects.filter(shared).exclude(commit_sha="").order_by("-commit_at", "-created_at")
    told = {row.commit_sha: row.title for row in reversed(known[: MOST * 4])}
    newest = list(reversed(told.items()))[:MOST]
    return [(sha[:12], f"{title} (live on {', '.join(live[sha])})" if sha in live else title) for sha, title in newest]


def service_commits(service: Service) -> QuerySet[Deployment]:
    """Deploys of this repository, on whichever service."""
    rows = Deployment.objects.filter(service__repo=service.repo) if service.repo else service.deployments.all()
    return rows.exclude(commit_sha="").order_by("-commit_at", "-created_at")


def _between(service: Service, older: datetime | None, newer: datetime | None) -> list[Deployment]:
    """One deploy a commit, newest first; without a time at the lower end nobody can tell, so there are none."""
    if older is None:
        return []
    rows = service_commits(service).filter(commit_at__gt=older)
    rows = rows.filter(commit_at__lte=newer) if newer else rows
    return list({row.commit_sha: row for row in rows.select_related("service")[:MOST]}.values())


def _block(title: str, commits: list[Deployment], compare: str) -> Block:
    context = {"commits": [(row, row.service.commit_url(row.commit_sha)) for row in commits], "compare": compare}
    lines = [f"{row.short}  {row.title}" for row in commits]
    return Block(title, TEMPLATE, context, (*lines, *([f"all of them: {compare}"] if compare else [])))


def _named(row: Deployment) -> str:
    return f"{row.short} “{row.title}”" if row.title else row.short
