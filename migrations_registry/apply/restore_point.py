"""The restore point: a proven export of every table whose values a file destroys, with what they cascade to.

In: a step context. Out: a proven backups.Run; the tables' oids, noted before the copy, prove that they stayed the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from django.conf import settings

from backups.export import steps as export_steps
from backups.models import Policy, ProviderBackup, Run
from backups.proof import steps as proof_steps
from migrations_registry.analysis.data_loss import Destroyed
from migrations_registry.apply.attempt import load, required
from migrations_registry.apply.failpoints import failpoint
from migrations_registry.services.live_facts import live_of
from migrations_registry.undo.keep_choice import COPIED, given_up
from operations.dsns import migration_dsn
from operations.engine.context import StepContext
from operations.periodic.clock import database_time
from operations.supabase_projects import configured, supabase
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.postgres.connection import Connection
from providers.postgres.migrate.cascade_reach import Reach, ReachedTable, reached
from providers.postgres.migrate.target_behaviour import behaviour
from providers.supabase import RestorePoint

COPY = "restore_point_copy"


def known_tables(ctx: StepContext) -> dict[str, int]:
    """Name → oid of the tables in the restore point, as they were before it was copied."""
    return dict(ctx.state_of(COPY).get("tables", {}))


def unkept_tables(ctx: StepContext) -> dict[str, int]:
    """Likewise those that were given up at the request."""
    return dict(ctx.state_of(COPY).get("unkept", {}))


def tables_of(connection: Connection, what: Destroyed) -> list[ReachedTable]:
    """Which tables the destroyed names reach now."""
    return reached(connection, Reach(**asdict(what)))


def copy(ctx: StepContext) -> None:
    """Note the tables, then copy them; a plan that destroys nothing which exists needs no copy."""
    if not required(ctx).restore_point:
        return ctx.not_needed()
    failpoint("restore_point.begun")
    if "tables" not in ctx.state:
        found, without = _tables_now(ctx), given_up(required(ctx).keep)
        ctx.state["tables"] = {name: oid for name, oid in found.items() if name not in without}
        ctx.state["unkept"] = {name: oid for name, oid in found.items() if name in without}
        ctx.save_state()
    failpoint("restore_point.noted")
    mark(ctx)
    if ctx.state["tables"]:
        export_steps.copy_run(ctx, run_of(ctx, sorted(ctx.state["tables"])))
    return failpoint("restore_point.copied")


def _tables_now(ctx: StepContext) -> dict[str, int]:
    with postgres.connect(migration_dsn(ctx.environment)) as connection:
        with postgres.explained("Looking for what will be destroyed, before any change,"):
            attempt = load(ctx)
            found = tables_of(connection, attempt.destroys(live_of(behaviour(connection))))
            tables = [table for table in found if table.holds_rows] or touched(connection, attempt.tables)
    return {table.qualified: table.oid for table in tables}


def touched(connection: Connection, names: Sequence[str]) -> list[ReachedTable]:
    """A loss under another name, or one that only the live catalogue tells: everything that the file touches."""
    return [table for table in reached(connection, Reach(tables=tuple(names))) if table.holds_rows]


def prove(ctx: StepContext) -> None:
    tables = known_tables(ctx)
    if not tables or not required(ctx).restore_point:
        return ctx.not_needed()
    run = run_of(ctx, sorted(tables))
    proof_steps.prove_run(ctx, run)
    ctx.log(f"restore point: {run}, proven{_only_copied(ctx, run)}")
    ctx.result(restore_point=run.pk)
    return failpoint("restore_point.proven")


def _only_copied(ctx: StepContext, run: Run) -> str:
    """Rows that no drill could restore, because its server lacks what their table needs: enough only if chosen."""
    document = run.proofs.latest("pk").document
    left = Run.objects.get(pk=run.pk).rows - int(document["rows"])
    if left <= 0:
        return ""
    if required(ctx).keep != COPIED:
        raise Refused(
            f"The {run} was copied, but {left:,} rows of it could not be restored in a drill: "
            f"{' '.join(document['amber'])} Nothing was changed. Where a signed copy without that proof is enough, "
            "request it again with keep=copied, which others vote on."
        )
    return f", but for {left:,} rows that no drill could restore, as was chosen"


def run_of(ctx: StepContext, tables: list[str]) -> Run:
    """The one run of this operation, of a policy that names exactly the reached tables."""
    policy, _ = Policy.objects.get_or_create(
        environment=ctx.environment,
        name=f"before-{ctx.key.lower()}",
        defaults={
            "tables": tables,
            "closure": False,
            "enabled": False,
            "description": f"Restore point of {ctx.part.label if ctx.part else ctx.operation.subject}"[:200],
        },
    )
    run, _ = Run.objects.select_related("policy__environment", "operation").get_or_create(
        operation=ctx.operation, policy=policy, defaults={"store_url": settings.BACKUP_STORE}
    )
    return run


SECONDS = 20.0


def name_of(ctx: StepContext) -> str:
    """At most 20 characters; the end of an operation's id is the part that differs."""
    return f"apply-{ctx.key[-12:].lower()}"


def mark(ctx: StepContext) -> None:
    """Ask Supabase to mark now, if this environment has a project there."""
    ref = ctx.environment.supabase_ref
    if not (ref and configured()) or ctx.operation.result.get("provider_point"):
        return
    try:
        point = _asked(ctx, ref)
    except (ProviderError, Refused) as error:
        ctx.log(f"Supabase gives no restore point of its own ({error}); the proven export is the restore point.")
        return
    ProviderBackup.objects.update_or_create(
        ref=ref,
        kind=ProviderBackup.Kind.RESTORE_POINT,
        external_id=point.name,
        defaults={
            "environment": ctx.environment,
            "status": point.status,
            "taken_at": point.completed_at or database_time(),
            "seen_at": database_time(),
            "gone_at": None,
        },
    )
    ctx.result(provider_point=point.name)
    ctx.log(f"Supabase's own restore point {point.name} is {point.status.lower() or 'made'}, beside ours.")


def _asked(ctx: StepContext, ref: str) -> RestorePoint:
    backups = supabase(deadline=SECONDS, timeout=(5.0, SECONDS)).backups
    if ctx.state.get("provider_asked"):
        return backups.point(ref, name_of(ctx))
    ctx.state["provider_asked"] = True
    ctx.save_state()
    return backups.create_point(ref, name_of(ctx))
