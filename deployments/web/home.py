"""Two answers of the home page: is production healthy, and what is live and who shipped it."""

from __future__ import annotations

from django.db.models import QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse

from deployments.models import Deployment, Service, SyncState
from deployments.models.deployment import Status
from deployments.render import client
from operations import home_panels, navigation
from operations.home_panels import Panel
from operations.models import Environment
from operations.navigation import NavLink
from operations.web.formatting import duration, relative


def production() -> QuerySet[Service]:
    services = Service.objects.filter(environment__kind=Environment.Kind.PRODUCTION, removed_at=None)
    return services.select_related("environment").order_by("-type", "name")


def health(request: HttpRequest) -> Panel:
    """Is production healthy? Red when a probe says no or a service is suspended, amber when nobody has looked, nobody
    can tell, or maintenance is on."""
    everything = list(production())
    if suspended := [service for service in everything if service.suspended and service.is_web]:
        names = ", ".join(service.name for service in suspended)
        by = suspended[0].suspenders.replace("_", " ")
        return Panel("Health", "Suspended", "bad", names, f"by {by}" if by else "", _environment_url(suspended))
    services = [service for service in everything if service.health_url and not service.suspended]
    url = _environment_url(services)
    if not services:
        detail = (
            "No production service has a health address yet." if client.configured() else "RENDER_API_KEY is not set."
        )
        return Panel("Health", "Unknown", "warn", detail=detail, url=url)
    bad = [service for service in services if service.health == Service.Health.UNHEALTHY]
    if maintained := [service for service in services if service.maintenance]:
        return Panel("Health", "In maintenance", "warn", ", ".join(s.name for s in maintained), url=url)
    if bad:
        since = relative(bad[0].health_since) if bad[0].health_since else ""
        return Panel("Health", "Not healthy", "bad", bad[0].name, f"{bad[0].health_detail} {since}".strip(), url)
    if doubtful := [service for service in services if service.doubt]:
        return Panel("Health", "Cannot tell", "warn", doubtful[0].name, doubtful[0].doubt, url)
    service = next((each for each in services if each.health == Service.Health.UNKNOWN), services[0])
    if service.health == Service.Health.UNKNOWN:
        return Panel(
            "Health", "Not probed yet", "warn", service.name, "The first probe runs within half a minute.", url
        )
    badge = f"{service.health_check_path or 'health'} {service.latency_ms} ms"
    return Panel(
        "Health", "Healthy", "ok", badge, f"probed {relative(service.probed_at)}" if service.probed_at else "", url
    )


def live(request: HttpRequest) -> Panel:
    """What is live and who shipped it; says so when Render cannot be asked."""
    ids = production().values("pk")
    row = (
        Deployment.objects.filter(service__in=ids, status=Status.LIVE, service__type="web_service")
        .select_related("service__environment")
        .order_by("-created_at")
        .annotate(trouble=Subquery(SyncState.objects.filter(pk=1).exclude(error="").values("error_kind")[:1]))
        .first()
    )
    broken = SyncState.objects.filter(pk=1).exclude(error="")
    kind = row.trouble if row else broken.values_list("error_kind", flat=True).first()
    trouble = f"Render does not answer: {kind}" if kind is not None else ""
    if row is None:
        return Panel("Live", "Nothing known", "warn", detail=trouble or "Run manage.py sync_deployments.")
    took = duration(row.duration.total_seconds()) if row.duration else ""
    at = relative(row.finished_at or row.created_at)
    detail = " · ".join(piece for piece in (row.who, at, took) if piece)
    url = reverse("admin:deployments_deployment_change", args=[row.pk])
    return Panel("Live", row.short, "warn" if trouble else "idle", trouble, detail, url)


def _environment_url(services: list[Service]) -> str:
    environment = services[0].environment if services else None
    return reverse("admin:deployments_environment", args=[environment.slug]) if environment else ""


def register() -> None:
    home_panels.register(10, health)
    home_panels.register(20, live)
    navigation.register(
        NavLink("Operate", 12, "Services", "admin:deployments_service_changelist", "deployments.view_service")
    )
    navigation.register(
        NavLink(
            "Operate",
            14,
            "Edge functions",
            "admin:deployments_edgefunction_changelist",
            "deployments.view_edgefunction",
        )
    )
    navigation.register(
        NavLink(
            "Watch", 38, "Advisors", "admin:deployments_advisorfinding_changelist", "deployments.view_advisorfinding"
        )
    )
