"""Where a file stands on an environment, by our own rows: applied when, by whom, with which restore point; what is in
the way before anybody asks; and the one thing to do first. Reads no target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Subquery
from django.urls import reverse

from migrations_registry.history.status_cell import BASELINE, Cell, Column, ask, cell_of
from migrations_registry.models import Application
from migrations_registry.services.planning import Review
from operations.binding import refuse_frozen
from operations.models import Operation
from providers.errors import Refused


@dataclass(frozen=True)
class Standing:
    """`applied` is the attempt that succeeded; `certain_to_fail` why asking is in vain, `first` the way on."""

    cell: Cell | None
    applied: Any
    certain_to_fail: str
    first: str = ""
    first_label: str = ""

    @property
    def restore_point(self) -> str:
        """The page of the copy that was made before it."""
        run = self.applied.restore_point if self.applied else ""
        return reverse("admin:backups_run_change", args=[run]) if run else ""


def standing(reviewed: Review, column: Column | None) -> Standing:
    """By the last reading, the newest attempt and what is baselined."""
    file, environment = reviewed.file, reviewed.environment
    if column and file.stream not in column.baselined:
        return _unknown_stream(reviewed, cell_of(file, column, None))
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
    return Standing(cell, None, "")


def _newest_attempt(reviewed: Review) -> Any:
    """The attempt with who asked for it, why, and the copy that was made before it."""
    asked = Operation.objects.filter(pk=OuterRef("operation"))
    rows = Application.objects.filter(file__sha256=reviewed.file.sha256, environment=reviewed.environment)
    rows = rows.annotate(
        asked_by=Subquery(asked.values("requested_by__username")),
        reason=Subquery(asked.values("reason")),
        restore_point=Subquery(asked.values("result__restore_point")),
    )
    return rows.select_related("file").defer("file__content").order_by("-started_at").first()


def _unknown_stream(reviewed: Review, cell: Cell | None) -> Standing:
    file, slug = reviewed.file, reviewed.environment.slug
    why = (
        f"Its stream ({file.get_stream_display()}) is not baselined on {slug}: nobody knows which of its files are "
        "applied there, and applying one fails until that is agreed."
    )
    return Standing(cell, None, why, ask(BASELINE, environment=slug, stream=file.stream), "Baseline it first…")
