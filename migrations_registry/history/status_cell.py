"""One file on one environment, as a word with its tone, why, and where to go on. Reads nothing by itself.

In: a file, a `Column` (what is known of one environment) and the half-done attempt, if there is one. Out: a `Cell`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from migrations_registry.history import states as history_states
from migrations_registry.models import Application, MigrationFile
from migrations_registry.models.applied import PATH
from migrations_registry.observing import APPLIED, PARTLY
from operations.models import Environment
from operations.navigation import page_of_request
from providers.counting import counted

APPLY, BASELINE, LOOK, MARK = "migrations.apply", "migrations.baseline", "migrations.look", "migrations.mark"
UNREAD = "not read"
TONES = {history_states.APPLIED: "ok", history_states.PENDING: "idle", history_states.CHANGED: "bad", UNREAD: "idle"}


@dataclass(frozen=True)
class Cell:
    """One file on one environment: `word` with its tone, why, and where to go on."""

    environment: str
    word: str
    tone: str
    note: str = ""
    kind: str = ""  # what `url` asks for
    url: str = ""
    link: str = ""


@dataclass(frozen=True)
class Unknown:
    """A row of a target's history that no registered file explains."""

    environment: str
    version: str
    name: str
    by: str

    @property
    def revert_url(self) -> str:
        return page_of_request(MARK, environment=self.environment, versions=self.version, state="reverted")


@dataclass(frozen=True)
class Column:
    """One environment: when its history was read, what stood in the way, and which streams are baselined."""

    environment: Environment
    read_at: datetime | None
    tried_at: datetime | None
    problem: str
    obstacle: str
    has_table: bool
    role: str
    baselined: frozenset[str]
    drift: dict[str, Any] | None  # the open incident: pk, changes, opened_at
    states: dict[str, dict[str, Any]] = field(repr=False, default_factory=dict)
    unknown: tuple[Unknown, ...] = ()
    files: tuple[dict[str, Any], ...] = ()

    @property
    def variables(self) -> str:
        """Which variables let a process read it."""
        return f"{self.environment.variable('migration')} or {self.environment.variable('export')}"


def cell_of(file: MigrationFile, column: Column, attempt: Application | None) -> Cell:
    """What the last reading and our journal say of this file there."""
    reading = column.states.get(str(file.pk))
    if reading is None:
        note = "registered after the last reading" if column.read_at else ""
        return Cell(column.environment.slug, UNREAD, "idle", note)
    state, slug = reading["state"], column.environment.slug
    if state == history_states.PENDING and attempt:
        return _partly(file, column, attempt, bool(reading.get("resumes")))
    if state == history_states.PENDING:
        return _pending(file, column, reading)
    if state == history_states.CHANGED:
        revision = reading.get("applied_revision")
        which = f"revision {revision} was applied there" if revision else "what was applied there was never registered"
        return Cell(slug, state, "bad", f"{which}; nothing applies this one. Bring the rest as a new file")
    return Cell(slug, state, TONES[state])


def _partly(file: MigrationFile, column: Column, attempt: Application, same_steps: bool) -> Cell:
    """Resume from the first step that is not done, or refuse with the reason."""
    done = sum(step.get("status") == "done" for step in attempt.steps)
    where, slug = f"{done} of {counted(len(attempt.steps), 'step')} done", column.environment.slug
    if attempt.file_id != file.pk:
        why = "its bytes changed since, and only the same bytes may go on: register them again"
    elif not same_steps:
        why = "the present rules cut it into other steps: bring the rest as a new file, then baseline"
    elif column.drift:
        why = "the schema changed behind the portal's back meanwhile: resolve the drift first"
    elif column.obstacle:
        why = f"{column.obstacle}"
    else:
        return Cell(
            slug, "partly applied", "bad", f"{where}; it resumes at the next one", *_apply(file, slug), "Resume…"
        )
    return Cell(slug, "partly applied", "bad", f"{where}; refuses: {why}")


def _pending(file: MigrationFile, column: Column, reading: dict[str, Any]) -> Cell:
    slug, baselined = column.environment.slug, file.stream in column.baselined
    lacking = ", ".join(reading.get("missing", []))
    if reading.get("observed") == PARTLY:
        note = f"outside the portal; missing: {lacking}. Refuses: finish or undo it there, then baseline"
        return Cell(slug, "partly applied", "bad", note)
    if reading.get("observed") == APPLIED:
        way = "mark it as applied" if baselined else "baseline the stream"
        marked = page_of_request(MARK, environment=slug, versions=reading["version"], state="applied")
        note = f"its objects are there, its history row is not: {way}"
        return Cell(slug, "unrecorded", "warn", note, MARK, marked if baselined else "", "Mark…")
    if reading.get("late"):
        return Cell(slug, "out of order", "warn", "a later file of the stream is applied", *_way(file, column))
    return Cell(slug, history_states.PENDING, "warn" if baselined else "idle", "", *_way(file, column))


def _way(file: MigrationFile, column: Column) -> tuple[str, str, str]:
    slug = column.environment.slug
    if file.stream in column.baselined:
        return *_apply(file, slug), "Apply…"
    return PATH, page_of_request(PATH, environment=slug, file=file.sha256), "Baseline, then apply…"


def _apply(file: MigrationFile, slug: str) -> tuple[str, str]:
    return APPLY, page_of_request(APPLY, environment=slug, file=file.sha256)
