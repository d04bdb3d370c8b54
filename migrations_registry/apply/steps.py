"""The steps of `migrations.apply`, as the engine runs them. Each may be repeated: the journal says what is done."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from ledger.services import record
from migrations_registry.apply import restore_point
from migrations_registry.apply.attempt import DONE, PENDING, STARTED, load, required
from migrations_registry.apply.failpoints import failpoint
from migrations_registry.apply.transactions import left_its_trace, run_steps
from migrations_registry.drift import detect as drift_detect
from migrations_registry.history import states as history_states
from migrations_registry.models import Application
from operations.dsns import migration_dsn
from operations.engine import kinds, specs
from operations.engine.claim import lock
from operations.engine.context import StepContext
from operations.engine.specs import StepSpec, step
from operations.periodic.clock import database_time
from providers import postgres
from providers.errors import Refused
from providers.postgres.locked_session import guarded_session
from providers.postgres.migrate.history import read_history
from providers.postgres.migrate.session import transaction_state

LONG = {"deadline": 6 * 3600, "stall": 4 * 3600}


def maintenance_on(ctx: StepContext) -> None:
    """Only where the plan says so: the step that deployments registered."""
    if not required(ctx).maintenance:
        return ctx.not_needed()
    if "maintenance_on" not in kinds.registry.factories:
        raise Refused("The plan needs maintenance mode and no installed part provides it. Nothing was changed.")
    return kinds.registry.factories["maintenance_on"].run(ctx)


def maintenance_off(ctx: StepContext) -> None:
    if required(ctx).maintenance:
        return kinds.registry.factories["maintenance_off"].run(ctx)
    return ctx.not_needed()


def drain(ctx: StepContext) -> None:
    """After maintenance mode: wait until nobody writes to what is touched."""
    tables = load(ctx).tables
    if not required(ctx).maintenance or not tables:
        return ctx.not_needed()
    with postgres.connect(migration_dsn(ctx.environment)) as connection:
        postgres.drain(connection, tables, check=ctx.check)
    return ctx.log("nobody writes to the touched tables any more")


def apply(ctx: StepContext) -> None:
    """Run what is not done yet on a session that nobody can double."""
    attempt = load(ctx)
    failpoint("apply.begun")
    lease = settings.OPS_LEASE_SECONDS
    key = f"schema:{ctx.environment.slug}"
    dsn = migration_dsn(ctx.environment)
    with (
        postgres.explained("The session that applies"),  # between two statements: what was begun is in the journal
        guarded_session(dsn, key, lease_seconds=lease, wait_seconds=2 * lease, check=ctx.check) as connection,
        postgres.connect(dsn) as attempt.other,
    ):
        failpoint("apply.locked")
        run_steps(attempt, connection)
    failpoint("apply.ended")


def verify(ctx: StepContext) -> None:
    """The history holds it, and the schema that the server has now becomes the expected one. What each transaction did
    was measured before its COMMIT; what a text should have left behind, only a server can tell."""
    attempt = load(ctx)
    seen = drift_detect.read(ctx.environment)
    failpoint("verify.observed")
    with postgres.connect(migration_dsn(ctx.environment)) as connection:
        recorded = {row.version for row in read_history(connection)}
    if history_states.version_of(attempt.file) not in recorded:
        raise Refused(
            f"{attempt.file.name} ran, but somebody has taken its row out of the migration history since. Look at who "
            "else works there before anything else is applied; migrations.mark puts the row back."
        )
    because = f"{attempt.file.name} applied"
    attempt.row.schema_after = drift_detect.keep(ctx.environment, seen, because=because, operation=ctx.operation.pk)
    attempt.save("schema_after")
    failpoint("verify.kept")
    ctx.result(applied=attempt.file.name, objects=len(seen.objects), longest_wait_ms=attempt.row.longest_wait_ms)


def settle(ctx: StepContext) -> None:
    """Say how it ended: applied, partly, not at all. What was applied is expected, in part too, which blocks later
    files."""
    failpoint("settle.begun")
    row = Application.objects.select_related("file").filter(operation=ctx.key).first()
    if row is None or row.status != Application.Status.RUNNING:
        return
    _look_up(ctx, row)
    state = _state_of(row)
    if state == Application.Status.PARTLY or (state == Application.Status.APPLIED and _is_unverified(ctx, row)):
        seen, because = drift_detect.read(ctx.environment), f"{row.file.name} {state.label.lower()}"
        kept = drift_detect.keep(ctx.environment, seen, because=because, operation=ctx.operation.pk)
        row.schema_after = kept if state == Application.Status.APPLIED else None
    ctx.operation.refresh_from_db()
    ctx.result(application=str(state.label), longest_wait_ms=row.longest_wait_ms)
    with transaction.atomic():
        operation = lock(ctx.lease)
        row.status, row.ended_at, row.error = state, database_time(), operation.error
        row.save()
        Application.objects.filter(file=row.file, environment=row.environment, status="partly").exclude(
            pk=row.pk
        ).update(status=Application.Status.FAILED)
        record(
            "migrations_registry.applied" if state == Application.Status.APPLIED else "migrations_registry.not_applied",
            actor=operation.requested_by.username,
            environment=ctx.environment.slug,
            subject=row.file.name,
            data={
                "state": row.get_status_display(),
                "reason": operation.error,
                "sha256": row.file.sha256,
                "operation": operation.pk,
                "longest_wait_ms": row.longest_wait_ms,
            },
        )


def _look_up(ctx: StepContext, row: Application) -> None:
    """Steps whose end nobody saw: the server knows, and says so once more. Of a statement that runs alone only the
    history's row tells, which is written after the last one."""
    attempt, last = load(ctx), row.steps[-1]
    begun = [step for step in row.steps if step["status"] == STARTED]
    unknown = [step for step in begun if (step["xid"] if step["transactional"] else step is last)]
    if not unknown:
        return
    with postgres.connect(migration_dsn(ctx.environment)) as connection:
        for step in unknown:
            state = transaction_state(connection, step["xid"]) if step["transactional"] else "committed"
            if state == "committed" and left_its_trace(attempt, connection, step, step is last):
                step["status"] = DONE
            elif state in ("committed", "aborted") and step["transactional"]:
                step["status"] = PENDING


def _state_of(row: Application) -> Application.Status:
    """By its journal; a step that was begun and has no end may have left something."""
    statuses = {step["status"] for step in row.steps}
    if statuses <= {DONE}:
        return Application.Status.APPLIED
    return Application.Status.PARTLY if statuses & {DONE, STARTED} else Application.Status.FAILED


def _is_unverified(ctx: StepContext, row: Application) -> bool:
    """Everything ran and the history says so, but it ended before the schema became the expected one."""
    if row.schema_after is not None:
        return False
    with postgres.connect(migration_dsn(ctx.environment)) as connection:
        return left_its_trace(load(ctx), connection, row.steps[-1], last=True)


def all_steps(
    preflight: specs.StepFunction, change: StepSpec | None = None, settled: specs.StepFunction = settle
) -> list[StepSpec | specs.Registered]:
    """In the order of docs/design.md 6; the always-steps run at every kind of end. `change`: what changes the rows."""
    return [
        step("preflight", preflight, deadline=300),
        step("maintenance_on", maintenance_on, pool="urgent", deadline=300),
        step("drain", drain, deadline=300),
        step(restore_point.COPY, restore_point.copy, pool="export", **LONG),
        step("restore_point_prove", restore_point.prove, pool="prove", **LONG),
        change or step("apply", apply, **LONG),
        step("verify", verify, deadline=300),
        step("maintenance_off", maintenance_off, pool="urgent", always=True, undoes="maintenance_on"),
        step("settle", settled, always=True, undoes="preflight"),
    ]
