"""The restore point: a proven export of every table whose values a file destroys, with what they cascade to.

In: a step context. Out: a proven backups.Run; the tables' oids, noted before the copy, prove that they stayed the same.
"""

from __future__ import annotations

from dataclasses import asdict

import psycopg
from django.conf import settings

from backups.export import steps as export_steps
from backups.models import Policy, Run
from backups.proof import steps as proof_steps
from migrations_registry.analysis.destroys import Destroyed
from migrations_registry.apply import provider_point
from migrations_registry.apply.failpoints import failpoint
from migrations_registry.apply.journal import load
from operations.dsns import migration_dsn
from operations.engine.context import StepContext
from operations.models import Step
from providers import postgres
from providers.postgres.connection import Connection
from providers.postgres.migrate.cascade_reach import Reach, ReachedTable, reached


def planned(ctx: StepContext) -> bool:
    """As preflight found it: the plan destroys something."""
    return bool(Step.objects.get(operation=ctx.operation, name="preflight").detail.get("restore_point"))


def known_tables(ctx: StepContext) -> dict[str, int]:
    """Name → oid of the tables in the restore point, as they were before it was copied."""
    detail = Step.objects.get(operation=ctx.operation, name="restore_point_copy").detail
    return dict(detail.get("tables", {}))


def tables_of(connection: Connection, what: Destroyed) -> list[ReachedTable]:
    """Which tables the destroyed names reach now."""
    return reached(connection, Reach(**asdict(what)))


def copy(ctx: StepContext) -> None:
    """Note the tables, then copy them; a plan that destroys nothing which exists needs no copy."""
    if not planned(ctx):
        return
    failpoint("restore_point.begun")
    if "tables" not in ctx.state:
        ctx.state["tables"] = _tables_now(ctx)
        ctx.save_state()
    failpoint("restore_point.noted")
    provider_point.mark(ctx)
    if ctx.state["tables"]:
        export_steps.copy_run(ctx, run_of(ctx, sorted(ctx.state["tables"])))
    failpoint("restore_point.copied")


def _tables_now(ctx: StepContext) -> dict[str, int]:
    with postgres.connect(migration_dsn(ctx.environment)) as connection:
        try:
            found = tables_of(connection, load(ctx).destroys())
        except psycopg.Error as error:
            raise postgres.explain(error, "Looking for what will be destroyed, before any change,") from None
    return {table.qualified: table.oid for table in found if table.holds_rows}


def prove(ctx: StepContext) -> None:
    tables = known_tables(ctx)
    if planned(ctx) and tables:
        run = run_of(ctx, sorted(tables))
        proof_steps.prove_run(ctx, run)
        ctx.log(f"restore point: run {run.pk}, proven")
        ctx.result(restore_point=run.pk)
        failpoint("restore_point.proven")


def run_of(ctx: StepContext, tables: list[str]) -> Run:
    """The one run of this operation, of a policy that names exactly the reached tables."""
    policy, _ = Policy.objects.get_or_create(
        environment=ctx.environment,
        name=f"before-{ctx.operation.pk.lower()}",
        defaults={
            "tables": tables,
            "closure": False,
            "enabled": False,
            "description": f"Restore point of {ctx.operation.subject}"[:200],
        },
    )
    found, _ = Run.objects.select_related("policy__environment", "operation").get_or_create(
        operation=ctx.operation, policy=policy, defaults={"store_url": settings.BACKUP_STORE}
    )
    return found
