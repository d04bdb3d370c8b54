"""Read a target's migration history and keep what it said, so that pages never wait for a target.

In: an environment whose DSN this process has. Out: its `HistoryReading`; a target that does not answer leaves the last
reading in place and says why. Runs every few minutes, by the operation `migrations.look`, or from the shell.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db.models import F, OuterRef, Subquery

from migrations_registry.drift import detect as drift_detect
from migrations_registry.history import states as history_states
from migrations_registry.history.states import Standing
from migrations_registry.models import Application, HistoryReading, MigrationFile
from migrations_registry.observing import NOT, expected, observe
from migrations_registry.services.planning import review
from operations.dsns import known_dsn, reading_dsn
from operations.models import Environment, Operation
from operations.periodic.clock import database_time
from operations.periodic.isolation import one_by_one
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.postgres.migrate.history import HistoryRow, Standpoint, read_history, standpoint
from providers.redact import redact

logger = logging.getLogger(__name__)
EVERY_SECONDS = 300.0
CONNECT_SECONDS = 5
MISSING_SHOWN = 5


@dataclass(frozen=True)
class TargetHistory:
    """What one target said: who we are there, and the rows of its history."""

    standpoint: Standpoint
    rows: list[HistoryRow]


def read_target(environment: Environment, *, seconds: int = CONNECT_SECONDS) -> TargetHistory:
    """Ask the target, each statement bounded. Raises Refused (no DSN here) and ProviderError."""
    with postgres.connect(reading_dsn(environment), timeout=seconds) as connection:
        with postgres.explained("Reading the migration history, before any change,"):
            connection.execute("SELECT pg_catalog.set_config('statement_timeout', %s, false)", [f"{2 * seconds}s"])
            return TargetHistory(standpoint(connection), read_history(connection))


def refresh(environment: Environment) -> HistoryReading:
    """Read now and keep it. Raises Refused (no DSN here); what the target answers instead of rows is kept as text."""
    now = database_time()
    try:
        history = read_target(environment)
        values = {**_values(environment, history), "read_at": now, "problem": ""}
    except ProviderError as error:
        values = {"problem": redact(str(error))}
    row, _ = HistoryReading.objects.update_or_create(environment=environment, defaults={**values, "tried_at": now})
    return row


def refresh_all() -> None:
    """Every environment that this process can reach; one that cannot be read never hides the others."""
    one_by_one(Environment.objects.of_the_product(), _refresh_here)


def _refresh_here(environment: Environment) -> None:
    with suppress(Refused):
        row = refresh(environment)
        if row.problem:
            logger.warning("the migration history of %s could not be read: %s", environment.slug, row.problem)


def refresh_changed() -> None:
    """Read at once where an operation on the schema ended since the last reading: pages do not lag behind it."""
    newest = Operation.objects.filter(environment=OuterRef("environment"), exclusive_key__startswith="schema:")
    rows = HistoryReading.objects.alias(
        ended=Subquery(newest.order_by(F("ended_at").desc(nulls_last=True)).values("ended_at")[:1])
    )
    behind = rows.filter(ended__gt=F("tried_at")).select_related("environment")
    one_by_one([row.environment for row in behind], _refresh_here)


def _values(environment: Environment, history: TargetHistory) -> dict[str, Any]:
    files = list(MigrationFile.objects.newest().order_by("position", "path"))
    standings, unknown = history_states.standings(files, history.rows)
    pending = any(standing.state == history_states.PENDING for standing in standings)
    seen = _observed(environment, files) if pending else {}
    half = _half_done(environment)
    return {
        **_role(environment, history.standpoint),
        "has_table": history.standpoint.has_table,
        "states": {
            str(standing.file.pk): _state(standing, history.rows, seen) | half.get(standing.file.pk, {})
            for standing in standings
        },
        "unknown": [{"version": row.version, "name": row.name or "", "by": row.created_by} for row in unknown],
    }


def _state(standing: Standing, rows: Sequence[HistoryRow], seen: dict[int, dict[str, Any]]) -> dict[str, Any]:
    state: dict[str, Any] = {"state": standing.state, "late": standing.out_of_order, "version": standing.version}
    if standing.state == history_states.CHANGED:
        state["applied_revision"] = _applied_revision(standing, rows)
    if standing.state == history_states.PENDING:
        state |= seen.get(standing.file.pk, {})
    return state


def _role(environment: Environment, whoami: Standpoint) -> dict[str, str]:
    """Of the migration role only a process that has its DSN can tell; others leave what was told before."""
    knows = bool(known_dsn(environment, "migration"))
    return {"role": whoami.role, "obstacle": whoami.obstacle} if knows else {}


def _half_done(environment: Environment) -> dict[int, dict[str, bool]]:
    """By file: whether the present rules cut it into the steps of which its unfinished attempt did some."""
    rows = Application.objects.filter(environment=environment, status=Application.Status.PARTLY)
    return {row.file_id: {"resumes": _same_steps(row, environment)} for row in rows.select_related("file")}


def _same_steps(row: Application, environment: Environment) -> bool:
    cut = review(row.file, environment, live=False).plan.steps
    begun = [(step.get("transactional"), step.get("statements")) for step in row.steps]
    return begun == [(step.transactional, list(step.statements)) for step in cut]


def _applied_revision(standing: Standing, rows: Sequence[HistoryRow]) -> int:
    """The earlier revision whose statements the target's row holds; 0 where none does."""
    row = next(row for row in rows if row.version == standing.version)
    older = MigrationFile.objects.filter(path=standing.file.path).exclude(pk=standing.file.pk).order_by("-revision")
    return next((revision.revision for revision in older if history_states.is_same(revision, row)), 0)


def _observed(environment: Environment, files: Sequence[MigrationFile]) -> dict[int, dict[str, Any]]:
    """What of each file the live catalogue shows, where that is something: history alone misses what hands did."""
    observed = observe([expected(file.data) for file in files], drift_detect.read(environment))
    return {
        file.pk: {"observed": state.state, "missing": list(state.missing[:MISSING_SHOWN])}
        for file, state in zip(files, observed, strict=True)
        if state.state != NOT and state.held
    }
