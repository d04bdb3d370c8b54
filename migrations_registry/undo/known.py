"""What the portal knows of an application that is to be undone, as one value; and why it cannot be undone, if so.

In: an application. Out: Known: schemas before and after, and by request that had a part in it (one that was stopped and
gone on with has several) what each table lost, in which transactions, and the restore point.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from backups.models import Run
from migrations_registry.analysis.parsing.parser import Raw, parse
from migrations_registry.analysis.risk import is_outside
from migrations_registry.models import Application, MigrationFile
from migrations_registry.undo.keep_choice import KEEP, NOTHING, given_up
from migrations_registry.undo.losses import TableLoss, renamed, table_losses, unrecoverable
from migrations_registry.undo.objects import Looks
from providers.errors import Refused


@dataclass(frozen=True)
class Part:
    """What one request destroyed, in these transactions, after this restore point."""

    losses: tuple[TableLoss, ...]
    xids: tuple[int, ...]
    run: Run | None


@dataclass(frozen=True)
class Known:
    """`beyond`: what no copy holds, in sentences."""

    row: Application
    looks: Looks
    parts: tuple[Part, ...]
    beyond: tuple[str, ...]


def known(row: Application) -> Known:
    """Raises Refused where too little was written down, or it is not applied any more."""
    if row.status != Application.Status.APPLIED or row.undone_by:
        why = "was undone already" if row.undone_by else f"is {row.get_status_display().lower()}"
        raise Refused(f"{row.file.name} on {row.environment} {why}. Nothing was requested.")
    if row.schema_before is None or row.schema_after is None or not is_measured(row):
        raise Refused(
            f"What {row.file.name} did to {row.environment} was not written down in full (it was applied by an earlier "
            "version, acts outside of the database, or changed too much). Nothing was requested. Restore its restore "
            "point into scratch and bring back by hand what is missing."
        )
    before, after = row.schema_before.fingerprint(), row.schema_after.fingerprint()
    changes = changes_of(row.steps)
    looks = Looks(before, after, renamed(changes, before))
    found = tuple(_parts(row, looks))
    return Known(row, looks, found, (*unrecoverable(changes), *_unkept(row, found)))


def _parts(row: Application, looks: Looks) -> Iterator[Part]:
    """The requests that this one went on with, the oldest first, then itself; each by its own transactions."""
    rows = Application.objects.filter(file=row.file, environment=row.environment, started_at__lte=row.started_at)
    left = xids_of(row.steps)
    for each in rows.order_by("started_at", "operation"):
        own = left & xids_of(each.steps)
        left -= own
        changes = changes_of(step for step in row.steps if xids_of([step]) & own)
        if changes:
            yield Part(tuple(table_losses(changes, looks)), tuple(sorted(own)), _restore_point(each))


def xids_of(steps: Iterable[dict[str, Any]]) -> set[int]:
    """The transactions of a journal's steps."""
    return {int(xid) for step in steps for xid in [step["xid"], *step.get("xids", [])] if xid}


def changes_of(steps: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """None of a statement that ran alone: what those that may be undone destroy, the schema before tells."""
    return [change for step in steps for change in step["effects"].get("changes", [])]


def is_measured(row: Application) -> bool:
    """Whether all that its steps did was written down, so that it can be undone."""
    return all(_is_measured(step, row.file) for step in row.steps)


def _unkept(row: Application, parts: tuple[Part, ...]) -> Iterator[str]:
    """What somebody chose not to keep, or what has no restore point any more."""
    keep = str(row.asked_with().get(KEEP, ""))
    for table in {".".join(loss.table) for part in parts for loss in part.losses}:
        if keep == NOTHING or table in given_up(keep):
            yield f"What was in {table}: it was not kept, as was chosen."


def _is_measured(step: dict[str, Any], file: MigrationFile) -> bool:
    if step["transactional"]:
        return bool(step.get("effects", {}).get("all"))
    (at,) = step["statements"]
    found = parse(file.data)[at]
    return isinstance(found, Raw) and not is_outside(found.kind) and "did" in step.get("effects", {})


def _restore_point(row: Application) -> Run | None:
    return Run.objects.select_related("policy__environment").filter(pk=row.asked_for()[1]).first()
