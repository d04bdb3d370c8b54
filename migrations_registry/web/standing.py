"""Where a file stands on an environment, by our own rows: applied when, by whom, with which restore point; what is in
the way before anybody asks; and the one thing to do first. Reads no target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from migrations_registry.history.in_the_way import in_the_way
from migrations_registry.history.status_cell import Cell, Column, cell_of
from migrations_registry.models import Application
from migrations_registry.services.planning import Review
from operations.binding import refuse_frozen
from providers.errors import Refused


@dataclass(frozen=True)
class Standing:
    """`applied` is the attempt that succeeded; `certain_to_fail` why asking is in vain; `way`: one may ask for all that
    stands before it too, `first`: for its baseline alone."""

    cell: Cell | None
    applied: Any
    certain_to_fail: str
    way: bool = False
    first: bool = False

    @property
    def restore_point(self) -> str:
        """The page of the copy that was made before it."""
        run = self.applied.restore_point if self.applied is not None else ""
        return reverse("admin:backups_run_change", args=[run]) if run else ""


def standing(reviewed: Review, column: Column | None) -> Standing:
    """By the last reading, the newest attempt and what is baselined."""
    file, environment = reviewed.file, reviewed.environment
    why = in_the_way(file, column) if column else ""
    if column and file.stream not in column.baselined:
        return Standing(cell_of(file, column, None), None, why, way=True, first=True)
    attempt = _newest_attempt(reviewed)
    partly = attempt if attempt and attempt.status == Application.Status.PARTLY else None
    cell = cell_of(file, column, partly) if column else None
    word = cell.word if cell else ""
    applied = attempt if attempt and attempt.status == Application.Status.APPLIED else None
    if word == "applied" or (applied and word != "pending"):
        return Standing(cell, applied, f"It is applied on {environment} already.")
    try:
        refuse_frozen(environment)
    except Refused as frozen:
        return Standing(cell, None, frozen.reason)
    return Standing(cell, None, why, way=bool(why))


def _newest_attempt(reviewed: Review) -> Any:
    """The attempt with who asked for it, why, and the copy that was made before it."""
    rows = Application.objects.filter(file__sha256=reviewed.file.sha256, environment=reviewed.environment)
    row: Any = rows.select_related("file").defer("file__content").order_by("-started_at").first()
    if row is not None:
        operation, row.restore_point = row.asked_for()
        row.asked_by = operation.requested_by.username if operation else ""
        row.reason = operation.reason if operation else ""
    return row
