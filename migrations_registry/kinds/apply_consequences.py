"""What the confirmation and the vote on a migration say: steps, losses, declared effects, what is kept before.

In: a review. Out: lines, in the order in which a person should read them.
"""

from __future__ import annotations

from typing import Any

from migrations_registry.analysis.risk import DEFAULT_POLICY
from migrations_registry.apply.target_checks import MB, needed_bytes
from migrations_registry.effects.model import ALTERED, REWRITTEN, SET_BACK, UPDATED
from migrations_registry.services.declared_effects import declared_here
from migrations_registry.services.planning import Review
from migrations_registry.services.rehearsal_lines import lines_of
from migrations_registry.services.rehearsals import newest_rehearsal
from migrations_registry.services.undo_forecast import undo_forecast
from migrations_registry.undo.forecast import FULLY, NO
from operations.engine.specs import Consequence

SHOWN = 25
_WARNS = {UPDATED, REWRITTEN, SET_BACK, ALTERED}


def told(review: Review) -> list[Consequence]:
    """All of them."""
    lines = [_step_line(step) for step in review.plan.steps]
    lines += _measured(review)
    if len(review.plan.steps) > 1:
        lines.append(
            Consequence(
                f"{len(review.plan.steps)} steps: if one fails, those before it stay. The file is then partly "
                "applied and the next request goes on where it stopped.",
                "warn",
            )
        )
    lines += [
        Consequence(f"Will be lost (line {loss.line}): {loss.what}{_amount(loss)}", "bad")
        for loss in review.plan.losses
    ]
    lines += _declared(review)
    lines += _rehearsed(review)
    if said := undo_forecast(review):
        tone = {FULLY: "ok", NO: "bad"}.get(said.answer, "warn")
        lines.append(Consequence(f"Can it be undone by migrations.undo: {said}.", tone))
    if review.plan.maintenance:
        lines.append(Consequence(f"Needs maintenance mode: {review.plan.maintenance}", "warn"))
    if review.plan.restore_point:
        lines += _restore_point(review)
    if (needed := needed_bytes(review) or 0) >= MB:
        need = f"Tables are written anew: about {needed // MB:,} MB of disk are needed while it runs"
        lines.append(Consequence(f"{need}. The database cannot tell how much is free.", "warn"))
    if review.no_facts_because:
        lines.append(Consequence(f"Judged without live facts: {review.no_facts_because}", "warn"))
    return lines


def _declared(review: Review) -> list[Consequence]:
    """What may happen to what is there; anything else is rolled back."""
    found = declared_here(review)
    lines = [
        Consequence(f"Declares: {line}.", "bad" if line.loses else "warn" if line.verb in _WARNS else "idle")
        for line in found.lines[:SHOWN]
    ]
    if len(found.lines) > SHOWN:
        lines.append(Consequence(f"Declares {len(found.lines) - SHOWN} more; its review lists them.", "warn"))
    if found.along:
        lines.append(Consequence(f"Goes along with CASCADE: {', '.join(found.along)}.", "bad"))
    return [*lines, *(Consequence(f"Not measured before COMMIT: {remark}.", "warn") for remark in found.remarks)]


def _rehearsed(review: Review) -> list[Consequence]:
    row = newest_rehearsal(review.file, review.environment)
    if row is not None:
        return [Consequence(text, tone) for text, tone in lines_of(row)]
    return [Consequence("Not rehearsed on a restored copy so far.")] if review.environment.protected else []


def _step_line(step: Any) -> Consequence:
    locks = ", ".join(f"{touched.label} ({touched.lock})" for touched in step.objects if not touched.is_new)
    return Consequence(f"{step.title}. Locks: {locks or 'nothing that exists'}.")


def _measured(review: Review) -> list[Consequence]:
    """What an earlier try destroyed before it was rolled back, which the analysis had not foreseen."""
    losses = review.file.measured_losses
    return [Consequence(f"Measured when it was tried and rolled back: {loss}.", "bad") for loss in losses]


def _restore_point(review: Review) -> list[Consequence]:
    """What is copied before, and how what is written after that is not lost."""
    lines = [Consequence(f"Needs a proven restore point first: {review.plan.restore_point}", "warn")]
    if review.reached:
        names = ", ".join(table.qualified for table in review.reached[:8])
        more = f" and {len(review.reached) - 8} more" if len(review.reached) > 8 else ""
        lines.append(Consequence(f"The restore point holds {names}{more}, with what they cascade to.", "ok"))
    if not review.plan.maintenance:
        limit = review.policy.maintenance_seconds if review.policy else DEFAULT_POLICY.maintenance_seconds
        lines.append(
            Consequence(
                f"What is written after it is copied and kept under the change's own locks, within {limit} s; "
                "else nothing is changed.",
                "ok",
            )
        )
    return lines


def _amount(loss: Any) -> str:
    return f", about {loss.rows:,} rows" if loss.rows else ""
