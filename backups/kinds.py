"""The operations of this room: `backups.export`. Registered in AppConfig.ready."""

from __future__ import annotations

from collections.abc import Iterable

from backups.archive import keys
from backups.export import steps as export_steps
from backups.models import Policy, Run, named
from backups.models.run import RunStatus
from backups.policies import portal
from backups.proof import steps as proof_steps
from backups.restore.after import AfterRestoreKind
from backups.restore.kind import DEADLINE, RestoreKind, find, runs
from backups.restore.scratch import DropScratchKind
from backups.stores.run_papers import changed_papers
from operations.engine import kinds
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from providers.errors import ProviderError, Refused


def _policies(environment: Environment) -> Iterable[tuple[str, str]]:
    for policy in Policy.objects.filter(environment=environment, enabled=True):
        yield policy.name, f"{policy.name}: {policy.description}" if policy.description else policy.name


class ExportKind(OperationKind):
    name, label, permission = "backups.export", "Export and prove", "backups.request_export"
    about = "Copies a policy's tables into the store, then restores the copy and compares it."
    connects = ("export",)
    risk = Risk.ROUTINE
    protects = True
    exclusive = "backup:{environment}:{policy}"
    subject = "{policy}"
    parameters = [Parameter("policy", "Policy", choices=_policies, named=named.policy)]
    steps = [
        step("copy", export_steps.copy, pool="export", deadline=6 * 3600, stall=600),
        step("prove", proof_steps.prove_step, pool="prove", deadline=6 * 3600, stall=600),
        step("settle", export_steps.settle, pool="export", always=True),
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
        keys.refuse_single_recipient(keys.recipients())
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
        if not keys.recipients():
            lines.append(Consequence("Segments are not encrypted: BACKUP_AGE_RECIPIENTS is empty.", "warn"))
        return lines

    def succeeded(self, result: object) -> bool:
        run = result.get("run") if isinstance(result, dict) else None
        return Run.objects.counting().filter(pk=run).exists()


def verify(ctx: StepContext) -> None:
    """Prove a run once more; one that fails now turns red. Papers that were changed beside it fail the operation."""
    run = Run.objects.select_related("policy__environment", "operation").get(pk=ctx.parameters["run"])
    ctx.result(run=run.pk)
    if run.status == RunStatus.FAILED and not run.proofs.filter(operation=ctx.operation).exists():
        raise Refused(_never_again(run))
    proof_steps.prove_run(ctx, run)
    if problems := changed_papers(run):
        raise ProviderError(f"The rows of {run} are proven; what lies beside it changed. {' '.join(problems)}")


def _never_again(run: Run) -> str:
    return f"{run} failed: {run.reason} A failed run is never proven later. Nothing was changed. Export again."


class VerifyKind(OperationKind):
    name, label, permission = "backups.verify", "Verify a run again", "backups.verify_run"
    about = "Reads a stored run back and restores it once more to prove it."
    risk = Risk.ROUTINE
    protects = True
    exclusive = "verify:{run}"
    parameters = [Parameter("run", "Run", choices=runs, named=named.run)]
    steps = [step("prove", verify, pool="prove", **DEADLINE)]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        run = find(environment, parameters)
        if run.status == RunStatus.FAILED:
            raise Refused(_never_again(run))
        return {"run": run.pk}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [
            Consequence("Every object is read back and restored into a throwaway server; nothing is written.", "ok"),
            Consequence("If a row differs, the run turns red.", "warn"),
            Consequence("Then the papers beside it: edited, moved or missing ones fail the operation.", "warn"),
        ]

    def describe(self, parameters: Parameters) -> str:
        return named.title_of(str(parameters["run"]))


def register() -> None:
    for kind in (ExportKind(), RestoreKind(), VerifyKind(), DropScratchKind(), AfterRestoreKind()):
        kinds.register(kind)
