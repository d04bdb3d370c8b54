"""What the home page and the sidebar show of migrations: open schema drift."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from migrations_registry.models import DriftIncident
from operations import home_panels, navigation
from operations.home_panels import Panel


def schema_drift(request: HttpRequest) -> Panel | None:
    """Shown only while an incident is open."""
    if not request.user.has_perm("migrations_registry.view_driftincident"):
        return None
    row = DriftIncident.objects.filter(status="open").select_related("environment").order_by("-opened_at").first()
    if row is None:
        return None
    names = "; ".join(f"{change['kind']} {change['name']} {change['change']}" for change in row.changes[:3])
    url = reverse("admin:migrations_registry_driftincident_change", args=[row.pk])
    return Panel("Schema drift", str(row), "bad", "altered", names, url)


def register() -> None:
    home_panels.register(50, schema_drift)
    link = "admin:migrations_registry_driftincident_changelist"
    navigation.register(navigation.NavLink("Migrations", 25, "Drift", link, "migrations_registry.view_driftincident"))
