"""Schema changes behind the portal's back as lines of an evidence report; registered, because backups import no app."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Q

from backups.evidence import incident_sources
from backups.evidence.periods import moment
from backups.evidence.report import IncidentLine
from migrations_registry.models import DriftIncident
from operations.models import Environment


def register() -> None:
    incident_sources.register(drift)


def drift(environment: Environment, start: datetime, end: datetime) -> Iterator[IncidentLine]:
    """Opened before the period's end and not over before it began."""
    rows = DriftIncident.objects.filter(environment=environment, opened_at__lt=end)
    for row in rows.filter(Q(resolved_at=None) | Q(resolved_at__gte=start)).order_by("opened_at")[:500]:
        resolved = moment(row.resolved_at) if row.resolved_at else ""
        what = f"Schema drift: {len(row.changes)} change{'s' if len(row.changes) != 1 else ''}"
        yield IncidentLine(moment(row.opened_at), what, row.status, resolved, row.resolved_by, row.reason)
