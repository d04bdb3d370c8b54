"""Deployments as CSV or JSON, streamed row by row; spreadsheet formulas in commit messages are defused."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from deployments.models import Deployment
from ledger.export import safe_cell

COLUMNS = (
    "environment",
    "service",
    "deploy",
    "status",
    "health",
    "commit",
    "message",
    "trigger",
    "who",
    "source",
    "created_at",
    "started_at",
    "finished_at",
    "seconds",
    "operation",
)


def record(row: Deployment) -> dict[str, str | int | None]:
    """One deployment as plain values."""
    return {
        "environment": row.service.environment_slug,
        "service": row.service.name,
        "deploy": row.render_id,
        "status": row.provider_status or row.status,
        "health": row.health,
        "commit": row.commit_sha,
        "message": row.title,
        "trigger": row.trigger,
        "who": row.who,
        "source": row.actor_source,
        "created_at": row.created_at.isoformat(),
        "started_at": row.started_at.isoformat() if row.started_at else None,
        "finished_at": row.finished_at.isoformat() if row.finished_at else None,
        "seconds": int(row.duration.total_seconds()) if row.duration else None,
        "operation": row.operation_id or "",
    }


def rows_of(rows: QuerySet[Deployment]) -> Iterator[dict[str, str | int | None]]:
    for row in rows.select_related("service__environment").order_by("-created_at", "-id").iterator(1000):
        yield record(row)


def as_csv(rows: QuerySet[Deployment]) -> StreamingHttpResponse:
    def lines() -> Iterator[str]:
        yield ",".join(COLUMNS) + "\r\n"
        for values in rows_of(rows):
            buffer = io.StringIO()
            csv.writer(buffer).writerow([safe_cell(values[name]) for name in COLUMNS])
            yield buffer.getvalue()

    return _download(lines(), "text/csv; charset=utf-8", "deployments.csv")


def as_json(rows: QuerySet[Deployment]) -> StreamingHttpResponse:
    def lines() -> Iterator[str]:
        for number, values in enumerate(rows_of(rows)):
            yield ("[\n" if number == 0 else ",\n") + json.dumps(values)
        yield "\n]\n" if rows.exists() else "[]\n"

    return _download(lines(), "application/json", "deployments.json")


def _download(lines: Iterator[str], kind: str, name: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        lines, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
