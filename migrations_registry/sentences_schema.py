"""What the timeline says about drift, baselines and applications; and what the home page says about drift."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from ledger.models import Entry
from ledger.registry import sentence
from migrations_registry import drift
from migrations_registry.models import DriftIncident
from migrations_registry.undone import by_a_rollback
from operations import home_panels, navigation
from operations.engine import kinds, tick
from operations.home_panels import Panel


def register() -> None:
    """Offer job, panel and link to the registries."""
    tick.every("migrations_registry.drift", drift.EVERY_SECONDS, drift.hourly)
    kinds.consequences("deployments.rollback", by_a_rollback)
    home_panels.register(50, schema_drift)
    navigation.register(
        navigation.NavLink(
            "Watch", 75, "Drift", "admin:migrations_registry_driftincident_changelist",
            "migrations_registry.view_driftincident",
        )
    )  # fmt: skip


@sentence("migrations_registry.drift.found")
def _found(entry: Entry) -> str:
    changes = entry.payload["changes"]
    first = changes[0] if isinstance(changes, list) and changes else ""
    more = int(str(entry.payload["count"])) - 1
    return f"The schema of {entry.subject} changed without an operation: {first}{f' and {more} more' if more else ''}."


@sentence("migrations_registry.drift.resolved")
def _resolved(entry: Entry) -> str:
    return f"Drift on {entry.subject} {entry.payload['status']} by {entry.actor}: {entry.payload['reason']}"


@sentence("migrations_registry.drift.first_seen")
def _first(entry: Entry) -> str:
    return f"The schema of {entry.subject} was looked at for the first time: {entry.payload['objects']} objects."


@sentence("migrations_registry.baseline.made")
def _baselined(entry: Entry) -> str:
    return f"The stream {entry.subject} was baselined on {entry.environment} by observation; no SQL was run."


@sentence("migrations_registry.history.marked")
def _marked(entry: Entry) -> str:
    return f"{entry.subject} marked as {entry.payload['state']} in the history of {entry.environment}; no SQL was run."


@sentence("migrations_registry.applied")
def _applied(entry: Entry) -> str:
    return f"{entry.subject} was applied to {entry.environment}, verified and recorded in its history."


@sentence("migrations_registry.not_applied")
def _not_applied(entry: Entry) -> str:
    return f"{entry.subject} on {entry.environment}: {entry.payload['state']}. {entry.payload['reason']}"


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
