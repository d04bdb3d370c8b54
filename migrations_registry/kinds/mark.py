"""`migrations.mark`: versions marked as applied or reverted in a target's history: the CLI's repair, with votes."""

from __future__ import annotations

import re

from django.conf import settings
from django.db import transaction

from ledger.services import record
from migrations_registry.history import baseline, marking, readings
from operations.dsns import migration_dsn
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import FROM_PLAN, Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from providers.errors import ProviderError, Refused

MOST = 50


def write(ctx: StepContext) -> None:
    """Write or remove the rows; a repeated step finds them so."""
    versions, state = list(ctx.parameters["versions"]), str(ctx.parameters["state"])
    marks = marking.propose(ctx.environment, versions, state, again=True)
    _refuse_younger(ctx, marks)
    sentences = [mark.sentence() for mark in marks]
    marking.write(ctx.environment, migration_dsn(ctx.environment), marks, settings.OPS_LEASE_SECONDS)
    for line in sentences:
        ctx.log(line)
    with transaction.atomic():
        record(
            "migrations_registry.history.marked",
            actor=ctx.operation.requested_by.username,
            environment=ctx.environment.slug,
            subject=", ".join(versions)[:200],
            data={"operation": ctx.operation.pk, "state": state, "marks": sentences},
        )
    readings.refresh(ctx.environment)
    ctx.result(marked=len(versions), state=state)


def _refuse_younger(ctx: StepContext, marks: list[marking.Mark]) -> None:
    """A revision that was registered after the claim is not what the votes bound."""
    since = ctx.operation.started_at
    younger = [mark.version for mark in marks if mark.file and since and mark.file.discovered_at > since]
    if younger:
        raise Refused(
            f"{', '.join(younger)} got a newer revision while this was running. Nothing was written; request it again."
        )


class Mark(OperationKind):
    name = "migrations.mark"
    about = "Writes into a database's history that migrations were applied or were not; runs no SQL of theirs."
    label = "Mark migrations in the history"
    permission = "migrations_registry.mark_historyreading"
    risk = FROM_PLAN
    connects = ("export", "migration")
    exclusive = "schema:{environment}"
    steps = [step("write history", write, deadline=300)]
    parameters = [
        Parameter("versions", "Versions", help="As the status page shows them, by comma."),
        Parameter("state", "Mark as", choices=lambda _: [("applied", "Applied"), ("reverted", "Not applied")]),
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        versions = [version.strip() for version in str(parameters["versions"]).split(",") if version.strip()]
        if (
            not versions
            or len(versions) > MOST
            or not all(re.fullmatch(r"[0-9]{1,40}", version) for version in versions)
        ):
            raise Refused(f"versions are one to {MOST} numbers, by comma. Nothing was requested.")
        baseline.refuse_unfit(environment)
        cleaned = {"versions": sorted(set(versions)), "state": str(parameters["state"])}
        self._marks(environment, cleaned)
        return cleaned

    def content(self, environment: Environment, parameters: Parameters) -> bytes:
        return marking.content(self._marks(environment, parameters))

    def assess(self, environment: Environment, parameters: Parameters) -> str:
        """A mark that the catalogue denies misleads every later apply."""
        wrong = any(mark.tone == "bad" for mark in self._marks(environment, parameters))
        return Risk.DESTRUCTIVE if wrong else Risk.SENSITIVE

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        lines = [Consequence("Only rows of the history table change; no SQL of any file is run.", "ok")]
        return lines + [Consequence(mark.sentence(), mark.tone) for mark in self._marks(environment, parameters)]

    def describe(self, parameters: Parameters) -> str:
        return f"{', '.join(parameters.get('versions', ()))} as {parameters.get('state', '')}"[:300]

    def _marks(self, environment: Environment, parameters: Parameters) -> list[marking.Mark]:
        return marking.propose(environment, list(parameters["versions"]), str(parameters["state"]))


def read(ctx: StepContext) -> None:
    """Read and keep; a target that does not answer fails the operation and leaves the last reading in place."""
    row = readings.refresh(ctx.environment)
    if row.problem:
        raise ProviderError(f"{row.problem} The last reading stays.")
    counted: dict[str, int] = {}
    for file_state in row.states.values():
        counted[file_state["state"]] = counted.get(file_state["state"], 0) + 1
    ctx.result(unknown=len(row.unknown), **counted)


class Look(OperationKind):
    name = "migrations.look"
    about = "Reads anew which migrations a database has."
    label = "Read a migration history again"
    permission = "migrations_registry.look_historyreading"
    risk = Risk.ROUTINE
    connects = ("export", "migration")
    exclusive = "history:{environment}"
    subject = "migration history"
    steps = [step("read", read, deadline=120, stall=120)]

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [Consequence("The target's history and catalogue are read; nothing is changed there.", "ok")]
