"""The status of every registered file on every environment, side by side, from the kept readings: never from a target.

In: readings, files, the journal of half-done applications. Out: `Stream`s of rows and cells for the page and the shell.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import JSONField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import JSONObject

from migrations_registry.history.status_cell import BASELINE, Cell, Column, Unknown, cell_of
from migrations_registry.models import Application, DriftIncident, HistoryReading, MigrationFile
from operations.models import Environment
from operations.navigation import page_of, page_of_request


@dataclass(frozen=True)
class Row:
    file: MigrationFile
    url: str
    cells: list[Cell]


@dataclass(frozen=True)
class Stream:
    """The files of one stream; `open` names the environments on which it is not baselined, with the way to do it."""

    name: str
    label: str
    rows: list[Row]
    open: list[tuple[str, str]]


def columns(only: str = "", *, previews: bool = False, files: bool = False) -> list[Column]:
    """Every environment, unread previews only where asked for, with all that its column needs, in one question; also
    the files that there are, where these are wanted."""
    incidents = DriftIncident.objects.filter(environment=OuterRef("pk"), status=DriftIncident.Status.OPEN)
    incident = incidents.values(as_json=JSONObject(pk="pk", changes="changes", opened_at="opened_at"))[:1]
    known: QuerySet[Any] = (
        Environment.objects.of_the_product()
        .select_related("history_reading")
        .annotate(
            streams=ArrayAgg("baselines__stream", distinct=True, filter=Q(baselines__isnull=False), default=[]),
            drift=Subquery(incident),
            files=_files() if files else Value([], JSONField()),
        )
    )
    if only:
        return [_column(environment) for environment in known.filter(slug=only)]
    if previews:
        return [_column(environment) for environment in known]
    return [_column(environment) for environment in known.exclude(kind=Environment.Kind.PREVIEW, history_reading=None)]


def _files() -> ArraySubquery:
    newest = MigrationFile.objects.newest().order_by("position", "path")
    return ArraySubquery(newest.values(as_json=JSONObject(pk="pk", path="path", stream="stream")))


def _column(environment: Any) -> Column:
    row: HistoryReading = getattr(environment, "history_reading", None) or HistoryReading()
    slug = environment.slug
    return Column(
        environment,
        row.read_at,
        row.tried_at,
        row.problem,
        row.obstacle,
        row.has_table,
        row.role,
        frozenset(environment.streams),
        environment.drift,
        row.states,
        tuple(Unknown(slug, stray["version"], stray["name"], stray.get("by", "")) for stray in row.unknown),
        tuple(environment.files),
    )


def streams(shown: Sequence[Column]) -> list[Stream]:
    """The matrix, stream by stream, in two questions."""
    files = list(MigrationFile.objects.newest().defer("content").order_by("position", "path"))
    known = cells(files, shown)
    matrix = []
    for name, label in MigrationFile.Stream.choices:
        mine = [file for file in files if file.stream == name]
        if mine:
            rows = [Row(file, _review(file, shown), known[file.pk]) for file in mine]
            missing = [column.environment.slug for column in shown if name not in column.baselined]
            ways = [(slug, page_of_request(BASELINE, environment=slug, stream=name)) for slug in missing]
            matrix.append(Stream(name, str(label), rows, ways))
    return matrix


def cells(files: Iterable[MigrationFile], shown: Sequence[Column]) -> dict[int, list[Cell]]:
    """The row of each of these files, by its key; one question."""
    stuck = _half_done()
    return {
        file.pk: [cell_of(file, column, stuck.get((column.environment.pk, file.path))) for column in shown]
        for file in files
    }


def _half_done() -> dict[tuple[int, str], Application]:
    """By environment and path, the attempt whose journal says that some of its steps are done and others are not."""
    rows = Application.objects.filter(status=Application.Status.PARTLY).select_related("file").defer("file__content")
    return {(row.environment_id, row.file.path): row for row in rows.order_by("started_at")}


def _review(file: MigrationFile, shown: Sequence[Column]) -> str:
    first = f"?environment={shown[0].environment.slug}" if shown else ""
    return page_of(file) + first


def as_json(matrix: Iterable[Stream], shown: Sequence[Column]) -> list[dict[str, Any]]:
    """One object per file and environment, then the history rows that no file explains."""
    objects: list[dict[str, Any]] = [
        {
            "environment": cell.environment,
            "stream": stream.name,
            "path": row.file.path,
            "sha256": row.file.sha256,
            "state": cell.word,
            "note": cell.note,
        }
        for stream in matrix
        for row in stream.rows
        for cell in row.cells
    ]
    rows = [unknown for column in shown for unknown in column.unknown]
    return objects + [
        {
            "environment": unknown.environment,
            "version": unknown.version,
            "path": unknown.name,
            "state": "unknown to us",
            "note": f"written by {unknown.by}" if unknown.by else "",
        }
        for unknown in rows
    ]
