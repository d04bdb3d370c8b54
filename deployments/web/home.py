"""The home page: is production healthy, what is live and who shipped it, and every service by environment."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.conf import settings
from django.db.models import Subquery
from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import reverse

from deployments.health.home_card import is_stale, panel_of, said_of
from deployments.models import Service, SyncState
from deployments.render import client
from deployments.web import environment_page
from deployments.web.service_page import live_deployments
from operations import home_panels, navigation
from operations.engine.tick import NEVER
from operations.home_panels import Panel
from operations.models import Environment, Heartbeat
from operations.navigation import NavLink
from operations.notes import service as notes
from operations.web.formatting import duration, relative

KINDS = (Environment.Kind.PRODUCTION, Environment.Kind.STAGING, Environment.Kind.PREVIEW)


@dataclass(frozen=True)
class Place:
    """An environment, or all previews together, with its services."""

    name: str
    kind: str
    url: str
    services: list[Service]
    slug: str = ""  # empty: previews


def services(request: HttpRequest) -> list[Service]:
    """Every service of an environment with its live deploy and whether Render is silent, asked once a request."""
    known: list[Service] | None = getattr(request, "services_of_home", None)
    if known is None:
        silence = SyncState.objects.filter(pk=1).exclude(error="").values("error_kind")[:1]
        rows = Service.objects.filter(removed_at=None, environment__kind__in=KINDS).select_related("environment")
        polled = Heartbeat.objects.filter(name="job:deployments.poll", beat_at__gt=NEVER).values("beat_at")[:1]
        rows = rows.annotate(silence=Subquery(silence), polled_at=Subquery(polled), asked_at=Now())
        rows = rows.prefetch_related(live_deployments())
        known = list(rows.order_by("-environment__protected", "environment__slug", "-type", "name"))
        request.services_of_home = known  # type: ignore[attr-defined]
    return known


def production(request: HttpRequest) -> list[Service]:
    rows = [row for row in services(request) if row.environment and row.environment.kind == Environment.Kind.PRODUCTION]
    return sorted(rows, key=lambda row: (row.type != "web_service", row.name))


def places(request: HttpRequest) -> list[Place]:
    """Production first; previews are one group, however many there are."""
    if not request.user.has_perm("deployments.view_service"):
        return []
    made: dict[str, Place] = {}
    for kind in KINDS:
        for row in services(request):
            if row.environment and row.environment.kind == kind:
                row.said = said_of(row, row.asked_at)  # type: ignore[attr-defined]
                place = _place(row.environment)
                made.setdefault(place.name, place).services.append(row)
    return list(made.values())


def _place(environment: Environment) -> Place:
    if environment.kind == Environment.Kind.PREVIEW:
        return Place("Previews", environment.kind, reverse("admin:deployments_previews"), [])
    url = reverse("admin:deployments_environment", args=[environment.slug])
    return Place(environment.name, environment.kind, url, [], environment.slug)


def health(request: HttpRequest) -> Panel:
    """Is production healthy? Beside what is not, its runbook."""
    everything = production(request)
    panel = panel_of(everything, client.configured())
    place = everything[0].environment if everything else None
    if place is None or not place.runbook_url or panel.tone not in ("bad", "warn"):
        return panel
    service = next((row.name for row in everything if row.name in panel.badge), "")
    return replace(panel, runbook=place.runbook(service))


def live(request: HttpRequest) -> Panel:
    """What is live and who shipped it; says so when Render cannot be asked."""
    known = production(request)
    rows = [deploy for service in known if service.is_web for deploy in service.live_now]  # type: ignore[attr-defined]
    row = max(rows, key=lambda deploy: deploy.created_at, default=None)
    kind = known[0].silence if known else _silence()  # type: ignore[attr-defined]
    trouble = f"Render does not answer: {kind}" if kind is not None else _live_doubt(known)
    if row is None:
        return Panel("Live", "Nothing known", "warn", detail=trouble or "Run sampelit-ops sync_deployments.")
    took = duration(row.duration.total_seconds()) if row.duration else ""
    at = relative(row.finished_at or row.created_at)
    several = len({deploy.service_id for deploy in rows}) > 1
    detail = " · ".join(piece for piece in (row.service.name if several else "", row.who, at, took) if piece)
    url = reverse("admin:deployments_deployment_change", args=[row.pk])
    return Panel("Live", row.short, "warn" if trouble else "idle", trouble, detail, url)


def _live_doubt(known: list[Service]) -> str:
    """Why what is said to be live may not be."""
    for row in known:
        if row.is_web and len(live := row.live_now) > 1:  # type: ignore[attr-defined]
            return f"Render calls {len(live)} deploys of {row.name} live"
        if (polled := row.polled_at) is None:  # type: ignore[attr-defined]
            return "no worker has asked Render yet"
        if is_stale(polled, row.asked_at, settings.RENDER_POLL_SECONDS):  # type: ignore[attr-defined]
            return f"Render was last asked {relative(polled)}"
    return ""


def _silence() -> str | None:
    return SyncState.objects.filter(pk=1).exclude(error="").values_list("error_kind", flat=True).first()


def register() -> None:
    notes.register("environment", environment_page.subject)
    home_panels.register(10, health)
    home_panels.register(20, live)
    navigation.register(
        NavLink("Deployments", 12, "Services", "admin:deployments_service_changelist", "deployments.view_service")
    )
    navigation.register(
        NavLink(
            "Deployments",
            14,
            "Edge functions",
            "admin:deployments_edgefunction_changelist",
            "deployments.view_edgefunction",
        )
    )
    navigation.register(
        NavLink(
            "Health", 86, "Advisors", "admin:deployments_advisorfinding_changelist", "deployments.view_advisorfinding"
        )
    )
