"""`backups.retire`, `backups.purge`, `backups.unretire`, and the duty that asks for the first two as `system`."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from backups.models import Policy, Run, named
from backups.policy_spec import is_restore_point, run_name
from backups.retention import purge
from backups.retention import steps as retention_steps
from backups.retention.facts import planned
from backups.retention.model import TOMBSTONE
from operations.accounts import system_user
from operations.engine import kinds
from operations.engine.kinds import OperationKind
from operations.engine.request import request
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Operation, Risk
from operations.models.operation import TERMINAL
from operations.periodic.isolation import one_by_one
from providers.counting import counted
from providers.errors import Refused

logger = logging.getLogger("backups.retention")
PERMISSION = "backups.apply_retention"
DEADLINE = {"deadline": 6 * 3600, "stall": 600}


def policies(environment: Environment) -> Iterable[tuple[str, str]]:
    for policy in Policy.objects.filter(environment=environment):
        yield policy.name, policy.title


def retired_runs(environment: Environment) -> Iterable[tuple[str, str]]:
    runs = Run.objects.filter(policy__environment=environment, purging_at=None).exclude(retired_at=None)
    for run in runs.select_related("policy").order_by("-started_at")[:200]:
        yield run.pk, f"{run_name(run.policy.title, run.started_at)}, retired {run.retired_at:%Y-%m-%d}"


def policy_of(environment: Environment, parameters: Parameters) -> Policy:
    name = str(parameters.get("policy", ""))
    policy = Policy.objects.filter(environment=environment, name=name).first()
    if policy is None:
        known = ", ".join(name for name, _ in policies(environment)) or "none"
        raise Refused(f"{environment} has no policy {name!r}; nothing was requested. Known: {known}.")
    return policy


class RetireKind(OperationKind):
    name, label, permission = "backups.retire", "Retire runs by the policy's retention", PERMISSION
    about = "Marks runs that the policy keeps no longer; their data stays for a grace period."
    risk = Risk.ROUTINE
    step_up = True
    exclusive = "retention:{environment}:{policy}"
    parameters = [Parameter("policy", "Policy", choices=policies, named=named.policy)]
    steps = [step("retire", retention_steps.retire, pool="export", **DEADLINE)]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        return {"policy": policy_of(environment, parameters).name}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        plan = planned(policy_of(environment, parameters))
        if plan.refused:
            return [Consequence(f"It would be refused: {plan.refused}.", "bad")]
        count = len(plan.retire)
        stays = "newest restore point is" if is_restore_point(parameters["policy"]) else "three newest proven runs are"
        return [
            Consequence(
                f"{count:,} of {counted(len(plan.lines), 'run')} {'is' if count == 1 else 'are'} retired; nothing is "
                "deleted now."
                if count
                else f"No run is due to be retired, of {len(plan.lines):,} in all."
            ),
            Consequence(f"For {TOMBSTONE.days} days each can be brought back.", "ok"),
            Consequence(f"The {stays} never retired.", "ok"),
        ]


class PurgeKind(OperationKind):
    name, label, permission = "backups.purge", "Delete the data of retired runs", PERMISSION
    about = "Deletes the stored data of runs that are past their time; their manifests stay."
    risk = Risk.ROUTINE
    step_up = True
    exclusive = "retention:{environment}:{policy}"
    parameters = [Parameter("policy", "Policy", choices=policies, named=named.policy)]
    steps = [step("purge", purge.purge, pool="prove", **DEADLINE)]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        return {"policy": policy_of(environment, parameters).name}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        plan = planned(policy_of(environment, parameters))
        if plan.refused:
            return [Consequence(f"It would be refused: {plan.refused}.", "bad")]
        size = sum(Run.objects.filter(pk__in=plan.due).values_list("stored_bytes", flat=True))
        since = f"retired for {TOMBSTONE.days} days or more"
        if not plan.due:
            return [Consequence(f"No run has been {since}: no data is deleted.", "ok")]
        return [
            Consequence(
                f"The data of {counted(len(plan.due), 'run')} ({size / 1e6:,.1f} MB), {since}, is deleted and cannot "
                "be brought back.",
                "bad",
            ),
            Consequence("Manifests, fingerprints, signatures and proofs stay for ever.", "ok"),
            Consequence("A run under a hold, or one that is being restored, stays.", "ok"),
        ]


class UnretireKind(OperationKind):
    name, label, permission = "backups.unretire", "Bring a retired run back", PERMISSION
    about = "Keeps a retired run after all."
    risk = Risk.ROUTINE
    protects = True
    exclusive = "unretire:{run}"
    parameters = [Parameter("run", "Run", choices=retired_runs, named=named.run)]
    steps = [step("bring_back", retention_steps.bring_back, pool="export")]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        run = Run.objects.filter(pk=parameters.get("run"), policy__environment=environment).first()
        if run is None or run.retired_at is None:
            raise Refused(f"{environment} has no retired run {parameters.get('run')}. Nothing was requested.")
        if run.purging_at is not None:
            raise Refused(f"The data of {run} is deleted already. Nothing was requested.")
        return {"run": run.pk}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [
            Consequence("The run counts again and is left alone for 30 days; place a hold to keep it longer.", "ok")
        ]

    def describe(self, parameters: Parameters) -> str:
        return named.title_of(str(parameters["run"]))


def keep_retention() -> None:
    """The daily duty: ask for what the plans say, once each. A policy that is refused does not stop the others."""
    one_by_one(Policy.objects.select_related("environment"), _keep_one)


def _keep_one(policy: Policy) -> None:
    plan = planned(policy)
    for kind, runs in (("backups.retire", plan.retire), ("backups.purge", plan.due)):
        if runs and not _asked(kind, policy):
            try:
                _ask(kind, policy)
            except Refused as refusal:
                logger.warning("%s of %s was not asked for: %s", kind, policy, refusal.reason)


def _ask(kind: str, policy: Policy) -> None:
    request(
        kind,
        by=system_user("backups.apply_retention"),
        environment=policy.environment,
        parameters={"policy": policy.name},
        reason="daily retention",
        channel="schedule",
    )


def _asked(kind: str, policy: Policy) -> bool:
    same = Operation.objects.filter(kind=kind, environment=policy.environment, parameters__policy=policy.name)
    return same.exclude(status__in=TERMINAL).exists()


def register() -> None:
    for kind in (RetireKind(), PurgeKind(), UnretireKind()):
        kinds.register(kind)
