"""The step of `migrations.backfill`: a slice of batches, then the pool's other work; the next claim goes on.

In: a step context. Out: NotYet until the table's end, or while somebody holds it; marks at the target.
"""

from __future__ import annotations

import time

from django.conf import settings

from migrations_registry.apply import steps as apply_steps
from migrations_registry.apply.attempt import DONE, PENDING, STARTED, load
from migrations_registry.apply.failpoints import failpoint
from migrations_registry.backfill.attempt import BatchAttempt
from migrations_registry.backfill.old_values import old_values
from migrations_registry.backfill.pause import held_by
from migrations_registry.backfill.statement import Batched, batched
from migrations_registry.backfill.walk import Walk
from migrations_registry.models import Application
from migrations_registry.services import row_counts
from operations.dsns import migration_dsn
from operations.engine.context import NotYet, StepContext
from providers import postgres
from providers.errors import Refused
from providers.postgres.batches.keys import Key, about, end_of, key_of
from providers.postgres.batches.marks import Mark, ensure_marks, forget, newest_mark, put_mark, transactions_of
from providers.postgres.connection import Connection
from providers.postgres.locked_session import guarded_session

SLICE_SECONDS, LOOK_SECONDS, HELD_SECONDS = 60.0, 1.0, 60.0


def run_slice(ctx: StepContext) -> None:
    """Raises NotYet where something is left. A worker that got somewhere and is killed does not use up its tries."""
    loaded = load(ctx)
    attempt = BatchAttempt(ctx, loaded.row, began=time.monotonic())
    if attempt.step["status"] == DONE:
        return
    attempt.recall()
    _not_while_held(attempt)
    lease = settings.OPS_LEASE_SECONDS
    dsn, key = migration_dsn(ctx.environment), f"schema:{ctx.environment.slug}"
    with postgres.explained("The session that fills"):
        with (
            guarded_session(dsn, key, lease_seconds=lease, wait_seconds=2 * lease, check=ctx.check) as connection,
            postgres.connect(dsn) as attempt.other,
        ):
            failpoint("backfill.locked")
            finished = _walk(attempt, connection)
            attempt.tell()
    spent = round(attempt.step.get("seconds", 0) + time.monotonic() - attempt.began, 1)
    attempt.note(attempt.step, seconds=spent, **({"status": DONE} if finished else {}))
    if not finished:
        _not_while_held(attempt)
        raise NotYet


def _not_while_held(attempt: BatchAttempt) -> None:
    if why := held_by(attempt.row):
        attempt.tell(why, stands=True)
        raise NotYet(HELD_SECONDS)


def _walk(attempt: BatchAttempt, connection: Connection) -> bool:
    """Whether the end was reached within the slice."""
    attempt.server = postgres.facts(connection)
    walk = _begun(attempt, connection, batched(attempt.file.data))
    try:
        return walk.at.is_last or _batches(attempt, walk)
    finally:
        if walk.old and not connection.closed:
            walk.old.move(walk.at.batch)
            if walk.at.is_last:
                walk.old.done()


def _batches(attempt: BatchAttempt, walk: Walk) -> bool:
    until, looked, batches = time.monotonic() + SLICE_SECONDS, time.monotonic(), 0
    while not walk.batch():
        batches += 1
        if batches == 1:
            attempt.ctx.count_anew()
        if time.monotonic() > until:
            return False
        if time.monotonic() - looked > LOOK_SECONDS:
            looked = time.monotonic()
            if held_by(attempt.row):
                return False
    attempt.note(attempt.step, effects=_all_together(attempt, walk))
    return True


def _begun(attempt: BatchAttempt, connection: Connection, statement: Batched) -> Walk:
    """Where the marks say that it is; at the very beginning, the mark that says where it will end."""
    ensure_marks(connection)
    key, step = _key(connection, statement), attempt.step
    if "marks" not in step:
        attempt.note(step, marks=attempt.row.operation, status=STARTED)
    end = newest_mark(connection, step["marks"], step["number"], batch=0)
    if end is None:
        end = Mark(0, end_of(connection, key) or ())
        put_mark(connection, step["marks"], step["number"], end)
    at = newest_mark(connection, step["marks"], step["number"]) or end
    attempt.total, attempt.walked = about(connection, key), at.walked
    attempt.note(step, attempts=step["attempts"] + 1)
    shown = row_counts.shown(attempt.file, attempt.row.environment) or ()
    old = old_values(attempt, connection, key)
    return Walk(attempt, connection, statement, key, end.key, at, shown=shown, old=old)


def _key(connection: Connection, statement: Batched) -> Key:
    key = key_of(connection, statement.table)
    table = ".".join(statement.table)
    if key is None:
        raise Refused(f"{table} has no primary key to walk by, or rows of other tables inherit from it. {_APPLY}")
    if changed := sorted(statement.written & set(key.names)):
        raise Refused(f"It changes {', '.join(changed)}, by which {table} would be walked. {_APPLY}")
    return key


_APPLY = "Nothing was changed. Apply it as a migration (migrations.apply)."


def _all_together(attempt: BatchAttempt, walk: Walk) -> dict[str, object]:
    table = ".".join(walk.key.table)
    did = [f"updated {walk.at.rows:,} rows of {table} in {walk.at.batch:,} batches"]
    known = attempt.step.get("effects", {})
    return {**known, "did": did, "all": known.get("all", True), "changes": known.get("changes", [])}


def settle(ctx: StepContext) -> None:
    """What the marks say goes into the journal; then as any application settles, and the marks of a finished one go."""
    row = Application.objects.filter(operation=ctx.operation.pk, status=Application.Status.RUNNING).first()
    if row is None or "marks" not in row.steps[0]:
        apply_steps.settle(ctx)
        return
    attempt, step = BatchAttempt(ctx, row), row.steps[0]
    with postgres.connect(migration_dsn(ctx.environment), read_only=False) as connection:
        at = newest_mark(connection, step["marks"], step["number"])
        finished = at is not None and at.is_last
        status = DONE if finished else STARTED if at and at.batch else PENDING
        attempt.note(step, status=status, xids=transactions_of(connection, step["marks"], step["number"]))
        apply_steps.settle(ctx)
        if finished:
            forget(connection, step["marks"])
