"""The operations of this room: `backups.export`. Registered in AppConfig.ready."""

from __future__ import annotations

from collections.abc import Iterable

from backups import keyring, portal, steps
from backups.models import Policy, Run
from backups.restore_kind import RestoreKind, VerifyKind
from operations.engine.kinds import OperationKind, register
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from providers.errors import Refused


def _policies(environment: Environment) -> Iterable[tuple[str, str]]:
    for policy in Policy.objects.filter(environment=environment, enabled=True):
        yield policy.name, f"{policy.name}: {policy.description}" if policy.description else policy.name


class ExportKind(OperationKind):
    name, label, permission = "backups.export", "Export and prove", "backups.request_export"
    risk = Risk.ROUTINE
    exclusive = "backup:{environment}:{policy}"
    parameters = [Parameter("policy", "Policy", choices=_policies)]
    steps = [
        step("copy", steps.copy, pool="export", deadline=6 * 3600, stall=600),
        step("prove", steps.prove_step, pool="prove", deadline=6 * 3600, stall=600),
        step("settle", steps.settle, pool="export", always=True),
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        name = str(parameters.get("policy", ""))
        policy = Policy.objects.filter(environment=environment, name=name).first()
        if policy is None:
            known = ", ".join(name for name, _ in _policies(environment)) or "none"
            raise Refused(f"{environment} has no policy {name!r}; nothing was requested. Known: {known}.")
        portal.refuse_in_clear(environment)
        if not policy.enabled:
            raise Refused(f"Policy {name} of {environment} is switched off; nothing was requested.")
        keyring.refuse_single_recipient(keyring.recipients())
        return {"policy": name}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        policy = Policy.objects.get(environment=environment, name=parameters["policy"])
        last = Run.objects.counting().filter(policy=policy).order_by("-proven_at").first()
        lines = [
            Consequence(
                f"Reads {', '.join(policy.tables)} of {environment} in one snapshot; writes nothing there.", "ok"
            ),
            Consequence("Stores the rows, then restores them into a throwaway server and compares every row.", "ok"),
        ]
        if last is not None:
            seconds = (last.copy_seconds or 0) + (last.proof_seconds or 0)
            lines.append(Consequence(f"The last proven run had {last.rows:,} rows and took {seconds:.0f} s."))
        if not keyring.recipients():
            lines.append(Consequence("Segments are not encrypted: BACKUP_AGE_RECIPIENTS is empty.", "warn"))
        return lines

    def describe(self, parameters: Parameters) -> str:
        return str(parameters.get("policy", ""))

    def succeeded(self, result: object) -> bool:
        run = result.get("run") if isinstance(result, dict) else None
        return Run.objects.counting().filter(pk=run).exists()


def register_kinds() -> None:
    for kind in (ExportKind(), RestoreKind(), VerifyKind()):
        register(kind)
