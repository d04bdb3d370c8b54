"""One restore or comparison on one page: what differs table by table, what arrived, and the next step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db.models import Sum
from django.http import Http404, HttpRequest

from backups.models import Restore, Run, Segment
from backups.models.run import RunStatus
from backups.restore.preview import along, comparison
from backups.restore.targets import where
from operations.databases import is_portal
from operations.web.verbs import Verb, asking

MOST_TABLES = 200
NOT_TABLES = ("removed", "written", "database", "place", "dropped_at", "schema", "notes", "not_valid")


def context(request: HttpRequest, pk: str) -> dict[str, Any]:
    restores = Restore.objects.select_related("run__policy__environment", "operation__requested_by")
    row = restores.filter(pk=pk).first() if pk.isdecimal() else None
    if row is None:
        raise Http404
    tables = {name: counts for name, counts in row.report.items() if name not in NOT_TABLES}
    asked = str(row.operation.parameters.get("tables", ""))
    return {
        "title": f"Restore of {row.run}",
        "restore": row,
        "where": where(row.target),
        "difference": _rows(tables),
        "along": sorted(along(tables).items()),
        "same": bool(tables) and not any(_total(counts) for counts in tables.values()),
        "told": {name: value for name, value in row.report.items() if name in NOT_TABLES and value},
        "asked_tables": asked,
        "arrived": _arrived(row, asked) if row.target == "scratch" and row.status == Restore.Status.SUCCEEDED else [],
        "restore_variable": row.run.policy.environment.variable("restore"),
        "next": onto_live(request, row.run, comparison(row.run, asked), asked) if row.target == "compare" else None,
    }


def _arrived(row: Restore, asked: str) -> list[dict[str, Any]]:
    """Rows of each table in the scratch database, the largest first: as in the run, with which each was compared."""
    if row.operation.parameters.get("chain"):
        return []  # only a part of each table was brought in
    names = [name.strip() for name in asked.split(",") if name.strip()]
    wanted = [name if "." in name else f"public.{name}" for name in names]
    rows = Segment.objects.filter(run=row.run).values("table").annotate(count=Sum("rows")).order_by("-count", "table")
    return [dict(row) for row in (rows.filter(table__in=wanted) if wanted else rows)[:MOST_TABLES]]


def onto_live(request: HttpRequest, run: Run, compared: Restore | None, tables: str = "") -> Verb:
    """The way to a restore onto the live tables, or why it is barred now."""
    environment = run.policy.environment
    values = {"run": run.pk, "target": "live", **({"tables": tables} if tables else {})}
    way = asking(request.user, "backups.restore", environment, f"Restore onto {environment.name}", "danger", **values)
    return replace(way, why_not=way.why_not or _why_not(run, compared))


def _why_not(run: Run, compared: Restore | None) -> str:
    if is_portal(run.policy.environment):
        return "The portal's own database comes back by sampelit-ops recover, into an empty one."
    if run.status != RunStatus.PROVEN:
        return f"This run is {run.status}; only a proven run may go onto live tables."
    if compared is None:
        return "Compare it with the live tables first; a comparison counts for 24 hours."
    return ""


def _rows(tables: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The tables that differ most first."""
    rows = [{"table": name, **counts, "total": _total(counts)} for name, counts in tables.items()]
    return sorted(rows, key=lambda row: (-row["total"], row["table"]))


def _total(counts: Mapping[str, Any]) -> int:
    return int(counts.get("added", 0)) + int(counts.get("changed", 0)) + int(counts.get("missing", 0))
