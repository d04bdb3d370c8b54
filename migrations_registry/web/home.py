"""What the home page and the sidebar show of migrations: open schema drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest
from django.urls import reverse

from migrations_registry.history.states import APPLIED, CHANGED, PENDING
from migrations_registry.history.status_cell import Column
from migrations_registry.history.status_matrix import columns
from migrations_registry.models import DriftIncident, MigrationFile
from migrations_registry.web import drift_page
from operations import home_panels, navigation
from operations.home_panels import Panel
from operations.notes import service as notes


def schema_drift(request: HttpRequest) -> Panel | None:
    """Shown only while an incident is open."""
    if not request.user.has_perm("migrations_registry.view_driftincident"):
        return None
    row = DriftIncident.objects.filter(status="open").select_related("environment").order_by("-opened_at").first()
    if row is None:
        return None
    names = "; ".join(f"{change['kind']} {change['name']} {change['change']}" for change in row.changes[:3])
    url = reverse("admin:migrations_registry_driftincident_change", args=[row.pk])
    return Panel("Schema drift", str(row), "bad", "altered", names, url, row.environment.runbook())


@dataclass(frozen=True)
class Schema:
    """The schema of one environment in a line: its newest applied file, how many wait, and what is odd about it."""

    live: str
    pending: int
    odd: str
    tone: str
    read_at: datetime | None


def schemas(request: HttpRequest) -> dict[str, Schema]:
    """By environment, from the kept readings, for those who may look at migrations; nothing while no file is known."""
    if not request.user.has_perm("migrations_registry.view_migrationfile"):
        return {}
    files = list(MigrationFile.objects.newest().order_by("position", "path").only("path", "stream"))
    return {column.environment.slug: _schema(files, column) for column in columns()} if files else {}


def _schema(files: Sequence[MigrationFile], column: Column) -> Schema:
    states = [(file, column.states.get(str(file.pk), {}).get("state")) for file in files]
    applied = [file.name for file, state in states if state == APPLIED]
    changed = sum(state == CHANGED for _, state in states)
    unknown = len({file.stream for file in files} - column.baselined)
    odd = "drift" if column.drift else f"{changed} changed" if changed else ""
    odd = odd or (f"{unknown} stream{'s' if unknown > 1 else ''} not baselined" if unknown else "")
    pending = sum(state == PENDING for _, state in states)
    tone = "bad" if column.drift or changed else "warn"
    return Schema(applied[-1] if applied else "", pending, odd, tone, column.read_at)


def register() -> None:
    notes.register("drift", drift_page.subject)
    home_panels.register(50, schema_drift)
    link = "admin:migrations_registry_driftincident_changelist"
    navigation.register(navigation.NavLink("Migrations", 25, "Drift", link, "migrations_registry.view_driftincident"))
