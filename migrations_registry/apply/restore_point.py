"""The restore point: a proven export of what a file touches, and the proof under locks that nothing was written since.

In: an attempt. Out: a proven backups.Run; Refused where a table's rows are no longer those of the restore point.
"""

from __future__ import annotations

from django.conf import settings

from backups import steps as backup_steps
from backups.models import Policy, Run
from backups.trust import store_of, trusted_manifest
from migrations_registry.apply.journal import Attempt, load
from operations.engine.context import StepContext
from operations.models import Step
from providers.errors import Refused
from providers.postgres import Column, Evidence, evidence, lock_tables
from providers.postgres.connection import Connection


def needed(ctx: StepContext) -> bool:
    """As preflight found it: the plan destroys something that exists."""
    state = Step.objects.get(operation=ctx.operation, name="preflight").detail
    return bool(state.get("restore_point")) and bool(load(ctx).tables)


def copy(ctx: StepContext) -> None:
    if needed(ctx):
        backup_steps.copy_run(ctx, _run(ctx))


def prove(ctx: StepContext) -> None:
    if needed(ctx):
        backup_steps.prove_run(ctx, _run(ctx))
        ctx.log(f"restore point: run {_run(ctx).pk}, proven")
        ctx.result(restore_point=_run(ctx).pk)


def _run(ctx: StepContext) -> Run:
    """The one run of this operation, of a policy that names exactly the touched tables."""
    policy, _ = Policy.objects.get_or_create(
        environment=ctx.environment,
        name=f"before-{ctx.operation.pk.lower()}",
        defaults={
            "tables": load(ctx).tables,
            "closure": False,
            "enabled": False,
            "description": f"Restore point of {ctx.operation.subject}"[:200],
        },
    )
    found, _ = Run.objects.select_related("policy__environment", "operation").get_or_create(
        operation=ctx.operation, policy=policy, defaults={"store_url": settings.BACKUP_STORE}
    )
    return found


def refuse_if_written(connection: Connection, attempt: Attempt) -> None:
    """Inside the changing transaction: lock the tables against writers and compare them with the restore point."""
    manifest = trusted_manifest(_run(attempt.ctx), store_of(_run(attempt.ctx)))
    tables = [table for table in manifest.tables if table.segments]
    lock_tables(connection, [(table.schema, table.name) for table in tables])
    for table in tables:
        columns = [Column(one.name, one.type, hashed_as=one.hashed_as) for one in table.columns]
        then = sum((Evidence(one.rows, one.digest) for one in table.segments), Evidence(0, "0"))
        if evidence(connection, (table.schema, table.name), columns) != then:
            raise Refused(
                f"{table.schema}.{table.name} was written to after its restore point. Nothing was changed. Request it "
                "again at a quieter time, or stop what writes (Supabase's REST API does not pass Render)."
            )
