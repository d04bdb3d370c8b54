"""The journal of one attempt, in Application: which steps of the file were begun and ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from migrations_registry.analysis import analyse
from migrations_registry.models import Application, MigrationFile
from migrations_registry.services.planning import Review
from operations.engine.claim import lock
from operations.engine.context import StepContext

PENDING, STARTED, DONE = "pending", "started", "done"


@dataclass
class Attempt:
    """One application, its file and the lease under which its journal is written."""

    ctx: StepContext
    row: Application

    @property
    def file(self) -> MigrationFile:
        return self.row.file

    @property
    def tables(self) -> list[str]:
        """Relations that exist and are touched, as schema.name."""
        return sorted({name for each in self.row.steps for name in each["tables"]})

    def statements(self, step: dict[str, Any]) -> list[bytes]:
        """The stored bytes of a step's statements."""
        found = analyse(self.file.data, assume_in_transaction=True).statements
        return [self.file.data[found[at].start : found[at].end] for at in step["statements"]]

    def note(self, step: dict[str, Any], **values: Any) -> None:
        """Write something about a step down at once, under the lease."""
        step.update(values)
        self.save("steps")

    def save(self, *fields: str) -> None:
        with transaction.atomic():
            lock(self.ctx.lease)
            self.row.save(update_fields=list(fields))


def load(ctx: StepContext) -> Attempt:
    """The attempt that preflight opened."""
    rows = Application.objects.select_related("file", "environment")
    return Attempt(ctx, rows.get(operation=ctx.operation.pk))


def open_attempt(ctx: StepContext, found: Review) -> Attempt:
    """The attempt's row with the plan's steps; what an earlier, partly done one finished stays finished."""
    earlier = Application.objects.filter(file=found.file, environment=ctx.environment, status="partly").first()
    done = {each["number"]: each for each in earlier.steps if each["status"] == DONE} if earlier else {}
    steps = [
        done.get(each.number)
        or {
            "number": each.number,
            "transactional": each.transactional,
            "statements": list(each.statements),
            "title": each.title,
            "tables": sorted({".".join(one.name) for one in each.objects if not one.is_new}),
            "status": STARTED if _begun(earlier, each.number) else PENDING,
            "xid": "",
            "attempts": 0,
        }
        for each in found.plan.steps
    ]
    Application.objects.get_or_create(
        operation=ctx.operation.pk, defaults={"file": found.file, "environment": ctx.environment, "steps": steps}
    )
    return load(ctx)


def _begun(earlier: Application | None, number: int) -> bool:
    """A statement outside transactions that was begun before may have left something; it is looked at, not trusted."""
    steps = earlier.steps if earlier else []
    return any(each["number"] == number and each["status"] == STARTED and not each["transactional"] for each in steps)
