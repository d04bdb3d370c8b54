"""What the portal knows of an application that is to be undone, as one value; and why it cannot be undone, if so.

In: an application. Out: Known: schemas before and after, what each table lost, transactions, the restore point.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from backups.models import Run
from migrations_registry.fingerprint import Fingerprint
from migrations_registry.models import Application
from migrations_registry.undo.losses import TableLoss, table_losses, unrecoverable
from migrations_registry.undo.names import parts
from migrations_registry.undo.objects import ObjectPlan, object_plan
from providers.errors import Refused


@dataclass(frozen=True)
class Known:
    """`renamed`: quoted names that were given up for others; `beyond`: what no copy holds, in sentences."""

    row: Application
    before: Fingerprint
    after: Fingerprint
    losses: tuple[TableLoss, ...]
    xids: tuple[int, ...]
    renamed: frozenset[str]
    beyond: tuple[str, ...]
    run: Run | None

    def plan(self, now: Fingerprint) -> ObjectPlan:
        return object_plan(self.before, self.after, now, self.renamed)


def known(row: Application) -> Known:
    """Raises Refused where too little was written down, or it is not applied any more."""
    if row.status != Application.Status.APPLIED or row.undone_by:
        why = "was undone already" if row.undone_by else f"is {row.get_status_display().lower()}"
        raise Refused(f"{row.file.name} on {row.environment} {why}. Nothing was requested.")
    if row.schema_before is None or row.schema_after is None or not all(map(_is_measured, row.steps)):
        raise Refused(
            f"What {row.file.name} did to {row.environment} was not written down in full (it was applied by an earlier "
            "version, outside of a transaction, or changed too much). Nothing was requested. Restore its restore point "
            "into scratch and bring back by hand what is missing."
        )
    before, after = row.schema_before.fingerprint(), row.schema_after.fingerprint()
    changes = [change for step in row.steps for change in step["effects"]["changes"]]
    return Known(
        row,
        before,
        after,
        tuple(table_losses(changes, before, after)),
        tuple(int(xid) for step in row.steps for xid in [step["xid"], *step.get("xids", [])] if xid),
        frozenset(_renamed(changes, before)),
        (*unrecoverable(changes), *_begun_before(row)),
        _restore_point(row),
    )


def _begun_before(row: Application) -> Iterator[str]:
    """Batches of an earlier request, whose restore point is another one."""
    for begun in {step.get("marks", row.operation) for step in row.steps} - {row.operation}:
        yield f"What operation {begun} had changed when it was stopped: its old values are in its own restore point."


def _is_measured(step: dict[str, Any]) -> bool:
    return bool(step["transactional"] and step.get("effects", {}).get("all"))


def _renamed(changes: list[dict[str, Any]], before: Fingerprint) -> Iterator[str]:
    """The quoted names, as the fingerprint has them, of what has another name now."""
    given_up = {tuple(change["name"]) for change in changes if change["renamed"]}
    yield from (item.name for item in before.objects if parts(item.name) in given_up)


def _restore_point(row: Application) -> Run | None:
    return Run.objects.select_related("policy__environment").filter(pk=row.asked_for()[1]).first()
