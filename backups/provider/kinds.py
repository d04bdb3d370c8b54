"""`backups.provider_restore` (a daily backup or a restore point) and `backups.provider_pitr` (to a second).

The whole project goes back in place; our own proven run of the present comes first, so nothing is lost for ever.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from backups.models import ProviderBackup, named
from backups.provider import onboarding, safety_export, steps, verify
from backups.provider.restore_points import RestorePointKind
from backups.provider.resume import ResumeProject
from backups.provider.target import Target, of_backup, of_second
from operations.engine import kinds
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, Registered, StepSpec, step
from operations.models import Environment, Operation, Risk, SupabaseProject
from operations.periodic.clock import database_time
from operations.supabase_projects import configured
from operations.web import formatting
from providers.errors import Refused

LONG = {"deadline": 12 * 3600, "stall": 1800}


def copies(environment: Environment) -> Iterable[tuple[str, str]]:
    """Daily backups and restore points that Supabase lists, newest first."""
    for row in ProviderBackup.objects.restorable().filter(environment=environment)[:60]:
        yield row.external_id, f"{row}, {row.taken_at:%Y-%m-%d %H:%M} UTC"


PRESENT = Parameter(
    "present",
    "The present state",
    required=False,
    choices=lambda _: [(safety_export.SKIP, "Give it up: the database cannot be read")],
    help="Empty: it is exported and proven first.",
)
STEPS: list[StepSpec | Registered] = [
    step("check", steps.check, pool="export", deadline=300),
    Registered("maintenance_on"),
    step("drain", safety_export.drain, pool="export"),
    step("present_copy", safety_export.copy, pool="export", **LONG),
    step("present_prove", safety_export.prove, pool="prove", **LONG),
    step("provider_restore", steps.ask, pool="export", deadline=900, stall=300),
    step("watch", steps.watch, pool="export", **LONG),
    step("verify", steps.check_restored, pool="export", **LONG),
    Registered("maintenance_off", always=True, undoes="maintenance_on"),
    step("record", steps.write_down, pool="export"),
    step("settle", steps.settle, pool="export", always=True),
]


class ProviderRestore(OperationKind):
    name, label, permission = "backups.provider_restore", "Restore a Supabase backup", "backups.request_restore"
    about = "Replaces the whole Supabase project by one of Supabase's own backups."
    risk = Risk.DESTRUCTIVE
    protects = True
    connects = ("export", "project")
    exclusive = "schema:{environment}"
    parameters = [Parameter("backup", "Backup", choices=copies, named=named.provider_backup), PRESENT]
    steps = STEPS

    def target(self, environment: Environment, parameters: Parameters) -> Target:
        return of_backup(environment, parameters)

    def cleaned(self, target: Target, parameters: Parameters) -> Parameters:
        return {"backup": parameters["backup"]}

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        if not configured():
            raise Refused("SUPABASE_ACCESS_TOKEN is not set. Nothing was requested. Set it on every service.")
        if parameters.get("present", safety_export.SKIP) != safety_export.SKIP:
            raise Refused("present is empty or skip. Nothing was requested.")
        cleaned = self.cleaned(self.target(environment, parameters), parameters)
        if "present" not in parameters:
            safety_export.policy_of(environment)
            return cleaned
        return {**cleaned, "present": safety_export.SKIP}

    def content(self, environment: Environment, parameters: Parameters) -> bytes:
        """Votes bind the project and the moment that comes back."""
        target = self.target(environment, parameters)
        return json.dumps([target.ref, target.at.isoformat()]).encode()

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return consequences(environment, self.target(environment, parameters), skip="present" in parameters)

    def describe(self, parameters: Parameters) -> str:
        row = ProviderBackup.objects.filter(external_id=str(parameters.get("backup", ""))).first()
        return f"{row}, {row.taken_at:%Y-%m-%d %H:%M}" if row else f"backup {parameters.get('backup', '')}"


class ProviderPitr(ProviderRestore):
    name, label = "backups.provider_pitr", "Point-in-time recovery"
    about = "Takes the whole Supabase project back to a second; everything written since is lost."
    parameters = [
        Parameter("at", "Return to", help="A second with its time zone, such as 2026-11-23T04:05:06Z."),
        PRESENT,
    ]

    def target(self, environment: Environment, parameters: Parameters) -> Target:
        return of_second(environment, parameters)

    def cleaned(self, target: Target, parameters: Parameters) -> Parameters:
        return {"at": target.name}

    def describe(self, parameters: Parameters) -> str:
        return f"to {parameters.get('at', '')}"


def consequences(environment: Environment, target: Target, *, skip: bool) -> list[Consequence]:
    """What the approvers read, the worst first."""
    project = SupabaseProject.objects.filter(environment=environment).first()
    name = f"{project.name} ({target.ref})" if project and project.name else target.ref
    age = formatting.duration((database_time() - target.at).total_seconds())
    lines = [
        Consequence(
            f"The whole project {name} goes back to {target.at:%Y-%m-%d %H:%M:%S} UTC, in place: every table, "
            "every user, every schema.",
            "bad",
        ),
        Consequence(f"Everything of the last {age} leaves production{_decisions(environment, target)}.", "bad"),
        Consequence(f"The product is down meanwhile: minutes to hours, by size.{_last_time(environment)}", "bad"),
        Consequence(
            f"{environment} is in maintenance and drained while it runs; it is opened again in every case.", "warn"
        ),
    ]
    if skip:
        lines.append(Consequence("The present state is NOT exported first: what is lost is lost for ever.", "bad"))
    else:
        policy = safety_export.policy_of(environment).name
        lines.append(Consequence(f"First the present state is exported ({policy}) and proven by a restore.", "ok"))
    return [*lines, *_afterwards(environment, target)]


def _decisions(environment: Environment, target: Target) -> str:
    number = verify.decided_since(environment, target)
    if number is not None:
        return f": {number:,} decisions, and what else was written"
    return "; how many decisions that is cannot be counted now"


def _last_time(environment: Environment) -> str:
    names = ("backups.provider_restore", "backups.provider_pitr")
    last = Operation.objects.filter(kind__in=names, environment=environment, status="succeeded", seeded=False).first()
    if last is None or last.started_at is None or last.ended_at is None:
        return " None was made from here yet."
    return f" The last one took {formatting.duration((last.ended_at - last.started_at).total_seconds())}."


def _afterwards(environment: Environment, target: Target) -> list[Consequence]:
    run = verify.newest_before(environment, target)
    compared = "No proven run of ours is older than that moment, so there is nothing to compare the result with."
    if run is not None:
        compared = f"Afterwards every chain is compared with our {run}."
    lines = [
        Consequence(compared, "ok" if run else "warn"),
        Consequence("Files of Storage and edge functions are no part of it; they stay as they are.", "warn"),
    ]
    if target.backup is not None and target.backup.kind == ProviderBackup.Kind.DAILY:
        lines.append(
            Consequence(
                "A daily backup may not keep passwords of custom roles: if the export role is refused "
                "afterwards, set its password again.",
                "warn",
            )
        )
    return lines


def register() -> None:
    """Offer what this room does at Supabase, and its part of the first steps."""
    for kind in (ProviderRestore(), ProviderPitr(), RestorePointKind(), ResumeProject()):
        kinds.register(kind)
    onboarding.register()
