"""`migrations.baseline`: a stream's observed state, agreed by a second person, becomes the target's history."""

from __future__ import annotations

from django.conf import settings

from migrations_registry.drift import detect as drift_detect
from migrations_registry.history import baseline
from migrations_registry.models import MigrationFile
from operations.dsns import migration_dsn
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from providers.counting import counted
from providers.errors import Refused

TONES = {"applied": "ok", "not applied": "idle", "partly": "bad", "unseen": "warn"}


def observe_and_write(ctx: StepContext) -> None:
    """Look once more, write what is missing, remember the baseline and take the schema as trusted."""
    stream, chosen = str(ctx.parameters["stream"]), list(ctx.parameters["as_applied"])
    proposals = baseline.propose(ctx.environment, stream)
    files = baseline.applied(proposals, chosen)
    count = baseline.write(ctx.environment, migration_dsn(ctx.environment), files, settings.OPS_LEASE_SECONDS)
    ctx.log(f"{counted(count, 'history row')} written, {len(files) - count} were there; no SQL of the files was run")
    by = ctx.operation.requested_by.username
    baseline.remember(ctx.environment, stream, proposals=proposals, operation=ctx.operation.pk, by=by)
    if drift_detect.trusted(ctx.environment) is None:
        drift_detect.keep(
            ctx.environment, drift_detect.read(ctx.environment), because="baseline", operation=ctx.operation.pk
        )
    ctx.result(written=count, applied=[file.name for file in files])


class Baseline(OperationKind):
    name = "migrations.baseline"
    about = "Says once what of a stream a database has already."
    label = "Baseline a stream of migrations"
    permission = "migrations_registry.baseline_stream"
    risk = Risk.SENSITIVE
    connects = ("export", "migration")
    exclusive = "schema:{environment}"
    subject = "stream {stream}"
    steps = [step("write history", observe_and_write, deadline=300)]
    parameters = [
        Parameter("stream", "Stream", choices=lambda _: _streams()),
        Parameter(
            "as_applied", "Count as applied", required=False, help="Names of files that only you can judge, by comma."
        ),
        Parameter("as_not_applied", "Count as not applied", required=False, help="The same, for those not applied."),
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        stream = str(parameters["stream"])
        if stream not in MigrationFile.Stream.values:
            raise Refused(f"stream is one of {', '.join(MigrationFile.Stream.values)}. Nothing was requested.")
        baseline.refuse_unfit(environment)
        yes, no = _names(parameters.get("as_applied")), _names(parameters.get("as_not_applied"))
        proposals = baseline.propose(environment, stream)
        unknown = {*yes, *no} - {proposal.file.name for proposal in proposals if not proposal.decided}
        if unknown:
            raise Refused(
                f"{', '.join(sorted(unknown))}: observed already or not of this stream. Nothing was requested."
            )
        open_ones = [
            proposal for proposal in proposals if not proposal.decided and proposal.file.name not in (*yes, *no)
        ]
        if open_ones or set(yes) & set(no):
            undecided = "; ".join(_observation(proposal) for proposal in open_ones)
            raise Refused(
                f"Not every file can be judged by looking: {undecided}. Nothing was requested. Finish or undo what is "
                "half done, or name the files in as_applied or as_not_applied (each in one of them)."
            )
        return {"stream": stream, "as_applied": sorted(yes), "as_not_applied": sorted(no)}

    def content(self, environment: Environment, parameters: Parameters) -> bytes:
        return baseline.content(baseline.propose(environment, str(parameters["stream"])))

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        proposals = baseline.propose(environment, str(parameters["stream"]))
        counted = baseline.applied(proposals, list(parameters["as_applied"]))
        lines = [Consequence("Rows are written to the history table; no SQL of any file is run.", "ok")]
        for proposal in proposals:
            state = "in the history already" if proposal.recorded else proposal.observed.state
            counts = "applied" if proposal.file in counted else "pending"
            lines.append(
                Consequence(
                    f"{proposal.file.name}: {state} {_why(proposal)} → counts as {counts}",
                    TONES[proposal.observed.state],
                )
            )
        return lines


def _streams() -> list[tuple[str, str]]:
    return [(str(value), str(label)) for value, label in MigrationFile.Stream.choices]


def _names(given: object) -> list[str]:
    return [name.strip() for name in str(given or "").split(",") if name.strip()]


def _observation(proposal: baseline.Proposal) -> str:
    return f"{proposal.file.name} is {proposal.observed.state} {_why(proposal)}".strip()


def _why(proposal: baseline.Proposal) -> str:
    lacking = proposal.observed.missing
    if proposal.observed.state != "partly" or not lacking:
        return ""
    return f"(missing: {', '.join(lacking[:3])}{f' and {len(lacking) - 3} more' if len(lacking) > 3 else ''})"
