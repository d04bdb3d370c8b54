"""`backups.provider_restore_point`: mark now at Supabase; where that is refused, our own proven run is the point.

In: a name of at most 20 characters. Out: a ProviderBackup that can be restored, or a run; either way a way back.
"""

from __future__ import annotations

import re
import secrets

from django.db import transaction

from backups.export import steps as export_steps
from backups.models import Proof, ProviderBackup
from backups.proof import steps as proof_steps
from backups.provider import at_most_once, safety_export
from ledger.services import record
from operations.engine.at_most_once import once
from operations.engine.claim import lock
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from operations.periodic.clock import database_time
from operations.supabase_projects import ref_of, supabase
from providers.errors import ProviderError, Refused
from providers.http.errors import NotFound, PlanTooLow, Rejected, Unauthorized
from providers.supabase import RestorePoint, Supabase

LONG = {"deadline": 6 * 3600, "stall": 600}


def mark(ctx: StepContext) -> None:
    """Ask once; a refusal of whatever sort leads to our own export, never to a second call."""
    if ctx.operation.result.get("point") or ctx.operation.result.get("instead"):
        return
    name, ref, api = str(ctx.parameters["name"]), ref_of(ctx.environment), supabase()
    try:
        made = _asked(ctx, api, ref, name)
        if made is not None and made.status == "PENDING":
            made = at_most_once.SUPABASE.until(ctx, lambda: _settled(api, ref, name)) or made
    except (Unauthorized, NotFound, PlanTooLow, Rejected) as refused:
        _instead(ctx, f"Supabase refused the restore point: {refused.message}")
        return
    if made is None or made.status != "AVAILABLE":
        _instead(ctx, f"Supabase shows no available restore point {name} ({made.status if made else 'unknown'}).")
        return
    ProviderBackup.objects.update_or_create(
        ref=ref,
        kind=ProviderBackup.Kind.RESTORE_POINT,
        external_id=name,
        defaults={
            "environment": ctx.environment,
            "status": made.status,
            "taken_at": made.completed_at or database_time(),
            "seen_at": database_time(),
            "gone_at": None,
        },
    )
    ctx.result(point=name)
    ctx.log(f"Supabase keeps the restore point {name}.")


def _asked(ctx: StepContext, api: Supabase, ref: str, name: str) -> RestorePoint | None:
    """The one call; an answer that was lost, now or in an earlier attempt, is looked up."""
    made = once(ctx, lambda: api.backups.create_point(ref, name), without_effect=())
    return made or at_most_once.SUPABASE.until(ctx, lambda: _there(api, ref, name), looks=6)


def _there(api: Supabase, ref: str, name: str) -> RestorePoint | None:
    try:
        return api.backups.point(ref, name)
    except NotFound:
        return None


def _settled(api: Supabase, ref: str, name: str) -> RestorePoint | None:
    point = _there(api, ref, name)
    return None if point is None or point.status == "PENDING" else point


def _instead(ctx: StepContext, why: str) -> None:
    ctx.result(instead=why)
    ctx.log(f"{why} Our own export takes its place.")


def copy(ctx: StepContext) -> None:
    if ctx.operation.result.get("instead"):
        export_steps.copy_run(ctx, safety_export.run_of(ctx))


def prove(ctx: StepContext) -> None:
    if ctx.operation.result.get("instead"):
        faithful = (Proof.Status.PROVEN, Proof.Status.SUSPECT)
        proof_steps.prove_run(ctx, safety_export.run_of(ctx), enough=faithful)


def write_down(ctx: StepContext) -> None:
    result = ctx.operation.result
    if not result.get("point") and not result.get("run"):
        raise ProviderError("Neither Supabase nor our own export gave a way back. Nothing was changed.")
    with transaction.atomic():
        lock(ctx.lease)
        record(
            "backups.provider.point",
            actor=ctx.operation.requested_by.username,
            environment=ctx.environment.slug,
            subject=str(result.get("point") or result["run"]),
            data={"operation": ctx.operation.pk, "instead": str(result.get("instead", ""))},
            seeded=ctx.operation.seeded,
        )


class RestorePointKind(OperationKind):
    name, label, permission = "backups.provider_restore_point", "Mark a restore point", "backups.request_export"
    about = "Asks Supabase for a named point to which it can go back."
    risk = Risk.ROUTINE
    protects = True
    connects = ("export", "project")
    exclusive = "point:{environment}"
    subject = "{name}"
    parameters = [Parameter("name", "Name", required=False, help="At most 20 characters; empty: one is made.")]
    steps = [
        step("mark", mark, pool="export", deadline=900),
        step("copy", copy, pool="export", **LONG),
        step("prove", prove, pool="prove", **LONG),
        step("record", write_down, pool="export"),
        step("settle", export_steps.settle, pool="export", always=True),
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        ref = ref_of(environment)
        safety_export.policy_of(environment)
        name = str(parameters.get("name") or f"pre-{secrets.token_hex(4)}")
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,19}", name):  # daily backups are numbers
            raise Refused(f"{name!r}: 1 to 20 letters, digits, - or _, a letter first. Nothing was requested.")
        if ProviderBackup.objects.filter(ref=ref, kind="restore_point", external_id=name).exists():
            raise Refused(f"There was a restore point {name} already. Nothing was requested. Choose another name.")
        return {"name": name}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        policy = safety_export.policy_of(environment).name
        return [
            Consequence("Supabase is asked to mark the present state; nothing is written to any table.", "ok"),
            Consequence(
                f"Its endpoint is internal and may refuse: then {policy} is exported and proven instead.", "ok"
            ),
            Consequence("Returning to the point is a destructive restore of the whole project.", "warn"),
        ]
