"""Files in order on one copy, through the runner's own transactions. In: a context, files, the copy. Out: Rehearsed.

The first that fails ends it; what fails only because the copy is no whole server is told apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from migrations_registry.analysis.model import STRENGTH
from migrations_registry.analysis.parsing.parser import parse
from migrations_registry.apply.transactions import run_steps
from migrations_registry.models import Application, MigrationFile
from migrations_registry.rehearsal.attempt import NOT_HERE, RehearsedAttempt, Stopped
from migrations_registry.rehearsal.hazards import Trace
from migrations_registry.rehearsal.restored import Restored
from migrations_registry.rehearsal.undone import Undone, keep, undone
from operations.engine.context import StepContext
from providers.errors import ProviderError, Refused

UNKNOWN = frozenset({"42P01", "3F000", "42704", "42883"})
PLATFORM = re.compile(
    r"\b(auth|storage|realtime|vault|cron|net|graphql|pgsodium|extensions)\b|^(publication|subscription|event trigger) "
)


@dataclass(frozen=True)
class Pending:
    """A file with the steps of its plan and the risk that is voted on."""

    file: MigrationFile
    steps: list[dict[str, Any]]
    risk: str


@dataclass(frozen=True)
class Rehearsed:
    """One file's attempt and why it stopped; `unable`: which says nothing about the target; `undo`: of the last."""

    attempt: RehearsedAttempt
    error: str = ""
    unable: bool = False
    undo: Undone | None = None

    @property
    def trace(self) -> Trace:
        locks: dict[tuple[str, str], str] = {}
        for cost in self.attempt.costs.values():
            for name, mode in cost.locks:
                locks[name] = max(mode, locks.get(name, mode), key=STRENGTH.__getitem__)
        effects = tuple(effect for step in self.attempt.effects.values() for effect in step)
        file = self.attempt.file
        return Trace(file.name, file.data.decode("utf-8", "replace"), locks, effects)


def rehearse(ctx: StepContext, files: Sequence[Pending], copy: Restored) -> list[Rehearsed]:
    """As many as ran; only the last can have an error. Raises ProviderError where the copy's server is gone."""
    done: list[Rehearsed] = []
    for pending in files:
        rehearsed = _one(ctx, pending, copy, with_undo=pending is files[-1])
        done.append(rehearsed)
        if rehearsed.error:
            break
    return done


def _one(ctx: StepContext, pending: Pending, copy: Restored, *, with_undo: bool) -> Rehearsed:
    row = Application(file=pending.file, environment=ctx.environment, operation=ctx.operation.pk, steps=pending.steps)
    attempt = RehearsedAttempt(ctx, row, other=copy.other, voted=pending.risk)
    kept = keep(copy, attempt) if with_undo else None
    try:
        run_steps(attempt, copy.own)
    except (ProviderError, Refused) as error:
        if copy.own.closed or copy.other.closed:
            raise
        if attempt.stopped and is_not_here(attempt.stopped):
            return Rehearsed(attempt, _unable(attempt.file, attempt.stopped), unable=True)
        return Rehearsed(attempt, str(error))
    return Rehearsed(attempt, undo=undone(kept, attempt, copy) if kept else None)


def _unable(file: MigrationFile, stopped: Stopped) -> str:
    """What the server said, without the advice for a target: nothing is wrong there."""
    line = file.data[: parse(file.data)[stopped.statement].start].count(b"\n") + 1
    return (
        f"at line {line} the copy refuses what the target may allow: {stopped.message.rstrip('.')}. The copy has no "
        "superuser, no platform and not every extension. What comes after that line was not rehearsed."
    )


def is_not_here(stopped: Stopped) -> bool:
    """The copy has no platform beside it, and its owner is nobody's superuser."""
    is_platform = stopped.sqlstate in UNKNOWN and PLATFORM.search(stopped.message)
    return stopped.sqlstate in NOT_HERE or bool(is_platform)
