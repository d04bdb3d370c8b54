"""What the confirmation and the vote on a migration say: steps, losses, declared effects, what is kept before.

In: a review. Out: lines, in the order in which a person should read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from migrations_registry.analysis.cost import lasting, sized
from migrations_registry.analysis.model import STRENGTH
from migrations_registry.analysis.risk import DEFAULT_POLICY
from migrations_registry.apply.target_checks import MB, needed_bytes
from migrations_registry.effects.model import ALTERED, REWRITTEN, SET_BACK, UPDATED
from migrations_registry.rehearsal.preparation import run_for
from migrations_registry.services.declared_effects import declared_here
from migrations_registry.services.planning import Review
from migrations_registry.services.rehearsal_lines import lines_of
from migrations_registry.services.rehearsals import newest_rehearsal
from migrations_registry.services.undo_forecast import undo_forecast
from migrations_registry.undo.forecast import FULLY, NO
from migrations_registry.undo.keep_choice import COPIED, NOTHING
from operations.engine.specs import Consequence
from providers.postgres.migrate.cascade_reach import ReachedTable

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
        lines.append(Consequence(f"Can be undone by migrations.undo: {said}.", tone))
    if review.plan.maintenance:
        lines.append(Consequence(f"Needs maintenance mode: {review.plan.maintenance}", "warn"))
    if review.plan.restore_point:
        lines += _restore_point(review)
    if review.keep == COPIED:
        lines.append(Consequence("Where no drill can restore its copy, a signed copy is enough, as was chosen.", "bad"))
    elif review.plan.restore_point:
        lines += [Consequence(f"The newest proven run could not restore it: {text}", "bad") for text in _amber(review)]
    if review.keep == NOTHING:
        lines.append(Consequence("Nothing is kept before, as was chosen: what it destroys does not come back.", "bad"))
    elif review.unkept:
        lines += [Consequence(f"Not kept before, as was chosen: {_named(review.unkept)}.", "bad")]
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
    """Who waits for what, and for how long."""
    held = sorted((each for each in step.objects if not each.is_new), key=lambda each: -STRENGTH[each.lock])
    waits = "; ".join(touched.waits for touched in held) or "nobody waits"
    how_long = ": nobody knows how long" if step.blocks_seconds is None else ""
    if step.blocks_seconds:
        how_long = f": {lasting(step.blocks_seconds)}"
    return Consequence(f"{step.title}. {waits[0].upper()}{waits[1:]}{how_long}.")


def _measured(review: Review) -> list[Consequence]:
    """What an earlier try destroyed before it was rolled back, which the analysis had not foreseen."""
    losses = review.file.measured_losses
    return [Consequence(f"Measured when it was tried and rolled back: {loss}.", "bad") for loss in losses]


def _restore_point(review: Review) -> list[Consequence]:
    """What is copied before, and how what is written after that is not lost."""
    lines = [Consequence(f"Needs a proven restore point first: {review.plan.restore_point}", "warn")]
    if review.kept:
        lines.append(Consequence(f"The restore point holds {_named(review.kept)}, with what they cascade to.", "ok"))
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


def _amber(review: Review) -> list[str]:
    """What a restore point would not be proven of either, by the newest run that has its tables."""
    names = [table.qualified for table in review.kept]
    run = run_for(review.environment, names)
    proof = run.proofs.order_by("-pk").first() if run else None
    texts = proof.document.get("amber", []) if proof else []
    return [text for text in texts if any(text.startswith((f"{name}:", f"{name} ")) for name in names)]


def _named(tables: Sequence[ReachedTable]) -> str:
    more = f" and {len(tables) - 8} more" if len(tables) > 8 else ""
    return ", ".join(f"{table.qualified} ({sized(table.size_bytes)})" for table in tables[:8]) + more


def _amount(loss: Any) -> str:
    return f", about {loss.rows:,} rows" if loss.rows else ""
