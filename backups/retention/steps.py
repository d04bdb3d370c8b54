"""Two steps of retention: retire what no generation wants, bring a retired run back. Nothing is deleted here.

In: a step context. Out: marks on runs, ledger entries. The decision is taken again under the policy's lock.
"""

from __future__ import annotations

from django.db import transaction

from backups.models import Policy, Run, named
from backups.retention.facts import clock, looked_at, planned
from ledger.services import record
from operations.engine.claim import lock
from operations.engine.context import StepContext
from operations.notify import enqueue
from operations.periodic.clock import database_time
from providers.counting import counted
from providers.errors import Refused

MANY = 50


def policy_of(ctx: StepContext) -> Policy:
    policies = Policy.objects.select_related("environment")
    return policies.get(environment=ctx.environment, name=ctx.parameters["policy"])


def retire(ctx: StepContext) -> None:
    """Mark the runs that no generation wants; their data stays for seven days."""
    policy = policy_of(ctx)
    first, missing = looked_at(policy)
    refuse(first.refused, "retired")
    for pk in sorted(missing):
        ctx.log(f"{named.name_of(pk)} does not count: objects of it are missing from the store.")
    with transaction.atomic():
        lock(ctx.lease)
        Policy.objects.select_for_update().get(pk=policy.pk)
        again = planned(policy, missing)
        refuse(again.refused, "retired")
        going = again.retire
        Run.objects.filter(pk__in=going).update(retired_at=clock().database, retired_by=_actor(ctx))
        ctx.result(policy=policy.name, retired=going)
        if len(going) > MANY:
            enqueue(
                f"backups.retired:{ctx.operation.pk}",
                subject=f"Retired at once: {counted(len(going), 'run')} of {policy}",
                body="Their data is deleted in seven days. If that is wrong, widen the policy and bring them back.",
            )
        if going:
            record_retention(ctx, "backups.runs.retired", policy.name, runs=going[:500], count=len(going))
    ctx.log(f"{counted(len(going), 'run')} retired, {len(again.of('keep'))} kept.")


def bring_back(ctx: StepContext) -> None:
    """Take a retirement back; the run is then left alone for thirty days."""
    with transaction.atomic():
        lock(ctx.lease)
        pk = ctx.parameters["run"]
        open_still = {"retired_at__isnull": False, "purging_at": None}
        now = database_time()
        if not Run.objects.filter(pk=pk, **open_still).update(retired_at=None, retired_by="", brought_back_at=now):
            raise Refused(f"{named.name_of(pk)} is not retired, or its data is being deleted. Nothing was changed.")
        ctx.result(run=pk)
        record_retention(ctx, "backups.run.brought_back", pk, run_name=named.name_of(pk))


def refuse(reason: str, verb: str) -> None:
    """Raises Refused when a plan must not be acted on."""
    if reason:
        raise Refused(f"Nothing was {verb}: {reason}.")


def _actor(ctx: StepContext) -> str:
    return ctx.operation.requested_by.username


def record_retention(ctx: StepContext, code: str, subject: str, **data: object) -> None:
    record(
        code,
        actor=_actor(ctx),
        environment=ctx.environment.slug,
        subject=subject,
        data={"operation": ctx.operation.pk, **data},
    )
