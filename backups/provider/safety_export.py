"""The present state before a restore at Supabase: quiet, then our own run of it, proven; or given up by request.

In: a step context. Out: a run of the whole database (the audit trail where there is no such policy).
"""

from __future__ import annotations

from django.conf import settings

from backups.export import steps as export_steps
from backups.models import Policy, Proof, Run
from backups.policies.defaults import AUDIT_TRAIL, WHOLE_DATABASE
from backups.proof import steps as proof_steps
from operations.dsns import export_dsn
from operations.engine.context import StepContext
from operations.models import Environment
from providers import postgres
from providers.errors import Refused
from providers.postgres.connection import Connection

SKIP = "skip"


def skipped(ctx: StepContext) -> bool:
    return ctx.parameters.get("present") == SKIP


def drain(ctx: StepContext) -> None:
    """Wait until nobody writes any more; Supabase's own API and edge functions do not pass Render."""
    if skipped(ctx):
        return ctx.not_needed("Not drained: the present state is given up.")
    with postgres.connect(export_dsn(ctx.environment)) as connection:
        postgres.drain(connection, own_tables(connection), check=ctx.check)
    return ctx.log("Nobody writes to the tables any more.")


def own_tables(connection: Connection) -> list[str]:
    """Every table outside the platform's own schemas."""
    names = postgres.table_sizes(connection)
    return [name for name in names if name.split(".", 1)[0] not in postgres.PLATFORM_SCHEMAS]


def policy_of(environment: Environment) -> Policy:
    """Everything, so that the present state can come back; the audit trail where there is no such policy."""
    policies = {policy.name: policy for policy in Policy.objects.filter(environment=environment)}
    policy = policies.get(WHOLE_DATABASE) or policies.get(AUDIT_TRAIL)
    if policy is None:
        raise Refused(f"{environment} has no policy to export the present state by. Nothing was changed. Run setup.")
    return policy


def run_of(ctx: StepContext) -> Run:
    policy = policy_of(ctx.environment)
    run, _ = Run.objects.select_related("policy__environment", "operation").get_or_create(
        operation=ctx.operation, policy=policy, defaults={"store_url": settings.BACKUP_STORE}
    )
    return run


def copy(ctx: StepContext) -> None:
    if skipped(ctx):
        return ctx.not_needed()
    export_steps.copy_run(ctx, run_of(ctx))
    return ctx.result(present=run_of(ctx).pk)


def prove(ctx: StepContext) -> None:
    if skipped(ctx):
        return ctx.not_needed()
    faithful = (Proof.Status.PROVEN, Proof.Status.SUSPECT)  # a broken present is what is being repaired
    return proof_steps.prove_run(ctx, run_of(ctx), enough=faithful)
