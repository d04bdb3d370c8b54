"""Every registered migration on every environment, side by side, from the kept readings; no target is asked here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse

from migrations_registry.history import status_matrix
from migrations_registry.history.status_cell import BASELINE, MARK, Column
from migrations_registry.history.status_matrix import Stream
from operations.engine import kinds
from operations.web.pages import render_page

PERMISSION = "migrations_registry.view_migrationfile"
ORDER = ("partly applied", "changed", "out of order", "unrecorded", "pending", "applied", "not read")


@permission_required(PERMISSION, raise_exception=True)
def page(request: HttpRequest) -> HttpResponse:
    """GET only; `?environment=` shows one."""
    shown = status_matrix.columns(request.GET.get("environment", ""))
    places = {column.environment.slug: column.environment for column in shown}

    def may(kind: str, slug: str) -> bool:
        return not kinds.get(kind).why_not(request.user, places[slug], "no")

    streams = [_offered(stream, may) for stream in status_matrix.streams(shown)]
    context: dict[str, Any] = {
        "title": "Migration status",
        "columns": shown,
        "streams": streams,
        "unknown": [(row, may(MARK, row.environment)) for column in shown for row in column.unknown],
        "counts": _counts(streams, shown),
    }
    return render_page(request, "admin/migrations_registry/migrationfile/status.html", context)


def _offered(stream: Stream, may: Callable[[str, str], bool]) -> Stream:
    """Without the ways that the reader may not go."""
    ways = [(slug, url if may(BASELINE, slug) else "") for slug, url in stream.open]
    rows = [
        replace(
            row,
            cells=[
                each if not each.url or may(each.kind, each.environment) else replace(each, url="")
                for each in row.cells
            ],
        )
        for row in stream.rows
    ]
    return replace(stream, rows=rows, open=ways)


def _counts(streams: list[Stream], shown: list[Column]) -> list[tuple[Column, list[tuple[str, str, int]]]]:
    """Per environment: word, tone and how many files, the alarming words first."""
    counts = []
    for number, column in enumerate(shown):
        cells = [row.cells[number] for stream in streams for row in stream.rows]
        tones = {cell.word: cell.tone for cell in cells}
        words = sorted(tones, key=ORDER.index)
        counts.append((column, [(word, tones[word], sum(cell.word == word for cell in cells)) for word in words]))
    return counts
