"""Whether a file could be undone on an environment, for those who decide about it. In: a review. Out: a Forecast."""

from __future__ import annotations

from collections.abc import Iterator

from migrations_registry.analysis.model import OPAQUE
from migrations_registry.analysis.risk import is_outside
from migrations_registry.drift import detect as drift_detect
from migrations_registry.effects import declared
from migrations_registry.models import Rehearsal
from migrations_registry.services.planning import Review
from migrations_registry.services.rehearsals import newest_rehearsal
from migrations_registry.undo.forecast import FULLY, Forecast, forecast
from migrations_registry.undo.keep_choice import NOTHING

UNFOLLOWED = "nobody can follow what it does, and it was not rehearsed on the schema of today"


def undo_forecast(review: Review) -> Forecast | None:
    """By what the text declares, and by the undo that a rehearsal tried; one that went through has followed what nobody
    else could."""
    trusted = drift_detect.trusted(review.environment)
    opaque = [finding for finding in review.analysis.findings if finding.severity == OPAQUE]
    row = newest_rehearsal(review.file, review.environment)
    is_followed = row is not None and row.status == Rehearsal.Status.PASSED and not row.is_of_another_schema
    said = forecast(
        declared(review.file.data, voted=review.plan.risk).allowances,
        trusted.fingerprint() if trusted else None,
        unfollowed=UNFOLLOWED if opaque and not is_followed else _outside(review),
        never=tuple(_never(review)),
    )
    seen = row.report.get("undo") if row and is_followed else None
    if not seen:
        return said
    said = said or Forecast(FULLY)
    return said.measured(seen["notes"], rows_lost=seen["rows_lost"], not_compared=seen["not_compared"])


def _outside(review: Review) -> str:
    lines = [statement.line for statement in review.analysis.statements if is_outside(statement.kind)]
    return f"line {lines[0]} acts outside of the database" if lines else ""


def _never(review: Review) -> Iterator[str]:
    if review.keep == NOTHING:
        yield "nothing is kept before, as was chosen"
    for table in review.unkept if review.keep != NOTHING else ():
        yield f"{table.qualified} is not kept before, as was chosen"
