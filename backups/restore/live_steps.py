"""The steps of `backups.restore` that only live tables need: maintenance, drain, a proven copy of the present.

In: a step context. Out: nobody writes any more; a run of the present state. Other targets skip all of them.
"""

from __future__ import annotations

from backups.export import steps as export_steps
from backups.models import Proof, Run
from backups.proof import steps as proof_steps
from backups.restore import steps as restore_steps
from operations.dsns import export_dsn
from operations.engine import kinds
from operations.engine.context import StepContext
from providers import postgres


def maintenance_on(ctx: StepContext) -> None:
    """Only for live tables: the step that deployments registered."""
    if restore_steps.place_of(ctx).kind == "live":
        kinds.registry.factories["maintenance_on"].run(ctx)


def maintenance_off(ctx: StepContext) -> None:
    if restore_steps.place_of(ctx).kind == "live":
        kinds.registry.factories["maintenance_off"].run(ctx)


def drain(ctx: StepContext) -> None:
    """Only for live tables: wait until nobody writes to them; Supabase's own API does not pass Render."""
    if restore_steps.place_of(ctx).kind != "live":
        return
    _, manifest = restore_steps.source(ctx)
    with postgres.connect(export_dsn(ctx.environment)) as connection:
        postgres.drain(connection, [table.qualified for table in manifest.tables], check=ctx.check)
    ctx.log("Nobody writes to the tables any more.")


def present_run(ctx: StepContext) -> Run:
    """The run of the present state, of the same policy as the run that is restored."""
    run, _ = restore_steps.source(ctx)
    defaults = {"store_url": run.store_url}
    found, _ = Run.objects.select_related("policy__environment", "operation").get_or_create(
        operation=ctx.operation, policy=run.policy, defaults=defaults
    )
    return found


def present_copy(ctx: StepContext) -> None:
    if restore_steps.place_of(ctx).kind == "live":
        export_steps.copy_run(ctx, present_run(ctx))
        ctx.result(present=present_run(ctx).pk)


def present_prove(ctx: StepContext) -> None:
    if restore_steps.place_of(ctx).kind == "live":
        faithful = (Proof.Status.PROVEN, Proof.Status.SUSPECT)  # a broken present is what is being repaired
        proof_steps.prove_run(ctx, present_run(ctx), enough=faithful)
