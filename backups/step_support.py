"""What the steps of several rooms share: the watch that reports progress, and the run's ledger entry."""

from __future__ import annotations

from backups.models import Run
from backups.progress import Watch
from ledger.services import record
from operations.engine.claim import write
from operations.engine.context import StepContext


def watch(ctx: StepContext) -> Watch:
    return Watch(ctx.progress, ctx.check, ctx.log)


def held_watch(ctx: StepContext) -> Watch:
    """For writes outside the portal: its check asks the portal's database whether the lease is still ours."""

    def check() -> None:
        ctx.check()
        write(ctx.lease, fence=ctx.fence)

    return Watch(ctx.progress, check, ctx.log, ctx.operation.pk)


def record_run(ctx: StepContext, run: Run, code: str, **data: object) -> None:
    record(
        code,
        actor=ctx.operation.requested_by.username,
        environment=ctx.environment.slug,
        subject=run.pk,
        data={"operation": ctx.operation.pk, "policy": run.policy.name, "run_name": str(run), **data},
        seeded=ctx.operation.seeded,
    )
