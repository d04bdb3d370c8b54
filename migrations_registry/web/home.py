"""What the home page and the sidebar show of migrations: open schema drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from migrations_registry.doctor import LATE
from migrations_registry.history.states import APPLIED, CHANGED, PENDING
from migrations_registry.history.status_cell import Column
from migrations_registry.history.status_matrix import columns
from migrations_registry.models import DriftIncident
from migrations_registry.web import drift_page
from operations import home_panels, navigation
from operations.home_panels import Panel
from operations.notes import service as notes
from operations.periodic.clock import database_time


def schema_drift(request: HttpRequest) -> Panel | None:
    """Shown only while an incident is open."""
    if not request.user.has_perm("migrations_registry.view_driftincident"):
        return None
    open_ones = [(column.drift, column.environment) for column in _columns(request) if column.drift]
    if not open_ones:
        return None
    found, environment = max(open_ones, key=lambda one: str(one[0]["opened_at"]))
    row = DriftIncident(pk=found["pk"], changes=found["changes"], environment=environment)
    names = "; ".join(f"{change['kind']} {change['name']} {change['change']}" for change in row.changes[:3])
    url = reverse("admin:migrations_registry_driftincident_change", args=[row.pk])
    return Panel("Schema drift", str(row), "bad", "altered", names, url, environment.runbook())


def _columns(request: HttpRequest) -> list[Column]:
    """Every environment with its history, its drift and the files that there are; asked once a request."""
    if not hasattr(request, "schema_columns"):
        request.schema_columns = columns(previews=True, files=True)  # type: ignore[attr-defined]
    return request.schema_columns  # type: ignore[attr-defined]


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
    return {
        column.environment.slug: _schema(column.files, column, database_time())
        for column in _columns(request)
        if column.files
    }


def _schema(files: Sequence[dict[str, Any]], column: Column, now: datetime) -> Schema:
    states = [(file, column.states.get(str(file["pk"]), {}).get("state")) for file in files]
    applied = [str(file["path"]).rpartition("/")[2] for file, state in states if state == APPLIED]
    changed = sum(state == CHANGED for _, state in states)
    unknown = len({file["stream"] for file in files} - column.baselined)
    odd = "drift" if column.drift else f"{changed} changed" if changed else ""
    odd = odd or (f"{unknown} stream{'s' if unknown > 1 else ''} not baselined" if unknown else "")
    unread = sum(state is None for _, state in states)
    late = column.read_at is not None and now - column.read_at > LATE
    odd = odd or ("not read lately" if late else f"{unread} not read yet" if unread and column.read_at else "")
    pending = sum(state == PENDING for _, state in states)
    tone = "bad" if column.drift or changed else "warn"
    return Schema(applied[-1] if applied else "", pending, odd, tone, column.read_at)


def register() -> None:
    notes.register("drift", drift_page.subject)
    home_panels.register(50, schema_drift)
    link = "admin:migrations_registry_driftincident_changelist"
    navigation.register(navigation.NavLink("Migrations", 25, "Drift", link, "migrations_registry.view_driftincident"))
