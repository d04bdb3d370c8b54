"""Resolving an incident, placing and releasing a hold: what a person decides about altered data, as operations."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count, Q, QuerySet

from backups.incidents import holds
from backups.incidents import service as incidents_service
from backups.models import Hold, Incident, Run, named
from backups.policy_spec import run_name
from operations import navigation
from operations.engine import kinds
from operations.engine.context import StepContext
from operations.engine.deciding import places_of
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from operations.votes.judge import counted
from providers.counting import counted as words
from providers.errors import Refused


def _open(environment: Environment) -> Iterable[tuple[str, str]]:
    for row in Incident.objects.open().filter(environment=environment).defer("evidence")[:100]:
        yield str(row.pk), f"{row.pk}: {row}"


def _incident(environment: Environment, parameters: Parameters) -> Incident:
    pk = str(parameters.get("incident", ""))
    standing = Count("holds", filter=Q(holds__released_at=None))
    rows = Incident.objects.open().filter(environment=environment).defer("evidence").annotate(standing=standing)
    row = rows.filter(pk=pk).first() if pk.isdecimal() else None
    if row is None:
        raise Refused(f"{environment} has no open incident {pk}. Nothing was requested.")
    return row


def resolve(ctx: StepContext) -> None:
    """Idempotent: a second run of the step finds it resolved by this operation's requester and is done."""
    reason = ctx.operation.reason.strip()
    row = Incident.objects.get(pk=ctx.parameters["incident"])
    by = ctx.operation.requested_by.username
    if row.status != Incident.Status.OPEN and (row.resolved_by, row.reason) == (by, reason):
        return
    agreed = [vote.approved_by.username for vote in counted(ctx.operation, places_of(ctx.operation))]
    incidents_service.resolve(row, by, reason, str(ctx.parameters["finding"]), agreed=agreed)
    ctx.result(incident=row.pk)
    ctx.log(f"Incident {row.pk} is resolved; the same finding is accepted from now on.")


class ResolveIncident(OperationKind):
    """Sensitive: whoever could alter the audit data must not also close the alarm alone.

    Votes and the claim bind what was found (`finding`): if more is found meanwhile, it ends without effect.
    """

    name, label, permission = "backups.resolve_incident", "Resolve an incident", "backups.resolve_incident"
    about = "Ends an incident of the audit data with a reason, by whoever looked at it."
    step_up = True
    risk, needs_reason = Risk.SENSITIVE, True
    exclusive = "incident:{incident}"
    subject = "incident {incident}"
    parameters = [
        Parameter("incident", "Incident", choices=_open, named=named.incident),
        Parameter("finding", "Finding", required=False, help="Its fingerprint; empty: as it is found now."),
    ]
    steps = [step("resolve", resolve, pool="urgent")]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        row = _incident(environment, parameters)
        if parameters.get("finding", row.fingerprint) != row.fingerprint:
            raise Refused("More was found since you looked. Nothing was requested; look at the incident once more.")
        return {"incident": str(row.pk), "finding": row.fingerprint}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        row = _incident(environment, parameters)
        held = getattr(row, "standing", 0)
        return [
            Consequence(f"{row.summary}", "bad"),
            Consequence("This finding is accepted: later runs that show exactly this are not told again.", "warn"),
            Consequence("Anything else that changes is a new incident.", "ok"),
            Consequence(_holds_stay(held)),
            Consequence("The reason goes into the ledger and into every evidence report.", "warn"),
        ]


def _holds_stay(held: int) -> str:
    if not held:
        return "No legal hold is on its runs."
    stay, them = ("stays", "it") if held == 1 else ("stay", "them")
    return f"{words(held, 'legal hold')} on its runs {stay} until somebody releases {them}."


def _stored(environment: Environment) -> Iterable[tuple[str, str]]:
    runs = Run.objects.filter(policy__environment=environment, purging_at=None).exclude(stored_at=None)
    for run in runs.select_related("policy").order_by("-started_at")[:100]:
        yield run.pk, f"{run_name(run.policy.title, run.started_at)}, {run.status}"


def place(ctx: StepContext) -> None:
    run = Run.objects.get(pk=ctx.parameters["run"])
    hold = holds.place(run, ctx.operation.requested_by.username, ctx.operation.reason)
    ctx.result(hold=hold.pk, run=run.pk)


class PlaceHold(OperationKind):
    name, label, permission = "backups.place_hold", "Put a legal hold on a run", "backups.place_hold"
    about = "Keeps a run from being deleted, whatever the policy says."
    step_up = protects = True
    risk, needs_reason = Risk.ROUTINE, True
    exclusive = "hold:{run}"
    parameters = [Parameter("run", "Run", choices=_stored, named=named.run)]
    steps = [step("place", place, pool="urgent")]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        runs = Run.objects.filter(policy__environment=environment, pk=parameters["run"], purging_at=None)
        if not runs.exclude(stored_at=None).exists():
            raise Refused(f"{environment} has no stored run {parameters['run']}. Nothing was requested.")
        return {"run": parameters["run"]}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [Consequence("Retention never removes this run until somebody releases the hold, with a reason.", "ok")]

    def describe(self, parameters: Parameters) -> str:
        return named.title_of(str(parameters["run"]))


def _held(environment: Environment) -> QuerySet[Hold]:
    rows = Hold.objects.filter(run__policy__environment=environment, released_at=None)
    return rows.select_related("incident", "run__policy__environment")


def _standing(environment: Environment) -> Iterable[tuple[str, str]]:
    for row in _held(environment)[:100]:
        yield str(row.pk), f"{row.run}, {row.reason}"[:120]


def _hold(environment: Environment, parameters: Parameters) -> Hold:
    pk = str(parameters.get("hold", ""))
    row = _held(environment).filter(pk=pk).first() if pk.isdecimal() else None
    if row is None:
        raise Refused(f"{environment} has no standing hold {pk}. Nothing was requested.")
    return row


def release(ctx: StepContext) -> None:
    reason = ctx.operation.reason.strip()
    row = Hold.objects.get(pk=ctx.parameters["hold"])
    by = ctx.operation.requested_by.username
    if (row.released_by, row.release_reason) != (by, reason[:500]):
        holds.release(row, by, reason)
    ctx.result(hold=row.pk, run=row.run_id)


class ReleaseHold(OperationKind):
    """Sensitive: what it protected may be the only good copy of what was altered."""

    name, label, permission = "backups.release_hold", "Release a legal hold", "backups.release_hold"
    about = "Lets a held run be deleted again when its time comes."
    step_up = True
    risk, needs_reason = Risk.SENSITIVE, True
    exclusive = "release:{hold}"
    subject = "hold {hold}"
    parameters = [Parameter("hold", "Hold", choices=_standing, named=named.hold)]
    steps = [step("release", release, pool="urgent")]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        row = _hold(environment, parameters)
        if row.incident is not None and row.incident.status == Incident.Status.OPEN:
            raise Refused(f"Incident {row.incident.pk} of this hold is open. Nothing was requested; resolve it first.")
        return {"hold": str(row.pk)}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        row = _hold(environment, parameters)
        return [Consequence(f"{row.run} may be removed by retention from now on. Held for: {row.reason}", "warn")]


def register() -> None:
    """Offer the kinds and their links."""
    for kind in (ResolveIncident(), PlaceHold(), ReleaseHold()):
        kinds.register(kind)
    link = navigation.NavLink
    navigation.register(link("Health", 84, "Incidents", "admin:backups_incident_changelist", "backups.view_incident"))
    navigation.register(link("Backups", 36, "Legal holds", "admin:backups_hold_changelist", "backups.view_hold"))
