"""Writes that Supabase refuses because the disk is nearly full, lifted for a while; and what an upgrade would need."""

from __future__ import annotations

from deployments import network
from deployments.kinds.functions import SUPABASE
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameters, step
from operations.models import Environment, Risk
from operations.supabase_projects import ref_of, supabase
from providers.errors import Refused


def lift(ctx: StepContext) -> None:
    """Raises ProviderError where Supabase goes on refusing writes."""
    api, ref = supabase(), ref_of(ctx.environment)

    def writable() -> bool | None:
        now = api.projects.read_only(ref)
        return (not now.enabled or now.lifted) or None

    otherwise = "Supabase goes on refusing writes. Make the disk larger in its dashboard (Compute and disk)."
    SUPABASE.brought_about(ctx, writable, lambda: api.projects.lift_read_only(ref), otherwise)
    until = api.projects.read_only(ref).lifted_until
    network.read(api, ctx.environment)
    ctx.result(project=ref, until=until.isoformat() if until else "")


class LiftReadOnly(OperationKind):
    name, label = "deployments.lift_read_only", "Let the full database write for a while"
    about = "Lets a database whose disk is full take writes again for a quarter of an hour."
    permission = "deployments.maintain"
    risk, restores_service = Risk.ROUTINE, True
    connects = ("project",)
    exclusive = "read_only:{environment}"
    subject = "writes again"
    steps = [step("lift", lift, pool="urgent")]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        ref = ref_of(environment)
        if not network.known(environment).read_only:
            raise Refused(
                f"Supabase did not refuse writes of {ref} when it was read last, within ten minutes. "
                "Nothing was requested."
            )
        return {}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [
            Consequence("Supabase takes writes again for a quarter of an hour.", "ok"),
            Consequence("Make space in that time, or a larger disk: if it runs full the database stops.", "bad"),
        ]


def check(ctx: StepContext) -> None:
    api, ref = supabase(), ref_of(ctx.environment)
    upgrade, last = api.projects.upgrade(ref), api.projects.upgrade_status(ref)
    ctx.log(f"{ref} runs {upgrade.current}; on offer: {', '.join(upgrade.targets) or 'nothing newer'}.")
    for reason in upgrade.in_the_way:
        ctx.log(f"In the way: {reason}")
    if last is not None:
        at = f" at {last.at:%Y-%m-%d %H:%M} UTC" if last.at else ""
        ctx.log(f"The last upgrade{at}: {last.progress}{', failed: ' + last.error if last.error else ''}")
    ctx.result(project=ref, eligible=upgrade.eligible, current=upgrade.current, targets=list(upgrade.targets))
    hours = "" if upgrade.hours is None else f"{upgrade.hours:g}"
    ctx.result(in_the_way=list(upgrade.in_the_way), hours=hours, last=last.progress if last else "")


class CheckUpgrade(OperationKind):
    name, label = "deployments.check_upgrade", "Check an upgrade of Postgres"
    about = "Asks Supabase to what Postgres a project can be upgraded and what is in the way."
    permission = "deployments.maintain"
    risk = Risk.ROUTINE
    connects = ("project",)
    exclusive = "upgrade:{environment}"
    subject = "Postgres of the project"
    steps = [step("check", check, pool="deploy")]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        ref_of(environment)
        return {}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [
            Consequence(
                "Supabase is asked to which version it can go, how long that takes and what is in the way.", "ok"
            ),
            Consequence("Nothing is upgraded. Before you do that at Supabase, export and prove a run here."),
        ]
