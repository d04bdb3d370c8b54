"""`migrations.rehearse`: a registered file, run on a restored copy of an environment; the environment is only read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrations_registry.kinds.apply import files_here, find
from migrations_registry.kinds.apply_shown import file_named
from migrations_registry.kinds.path import STREAMS, is_every
from migrations_registry.models import MigrationFile, Rehearsal
from migrations_registry.rehearsal.preparation import prepare, run_for
from migrations_registry.rehearsal.steps import PREPARE, run_on_a_copy
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from providers.errors import Refused


def look(ctx: StepContext) -> None:
    file = find(str(ctx.parameters["file"]), ctx.environment)
    prepare(ctx, file, every_stream=is_every(ctx.parameters))


class Rehearse(OperationKind):
    name = "migrations.rehearse"
    about = "Runs a migration on a restored copy and measures what it does."
    label = "Rehearse a migration"
    permission = "migrations_registry.rehearse_migrationfile"
    risk = Risk.ROUTINE
    connects = ("export",)
    exclusive = "rehearse:{environment}"
    steps = [
        step(PREPARE, look, deadline=300),
        step("rehearse", run_on_a_copy, pool="prove", deadline=6 * 3600, stall=4 * 3600),
    ]
    parameters = [
        Parameter(
            "file",
            "Migration",
            choices=files_here,
            help="Its sha256, path or name.",
            named=file_named,
        ),
        STREAMS,
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        file = find(str(parameters["file"]), environment)
        if run_for(environment) is None:
            raise Refused(
                f"{environment} has no proven run, so there is nothing to rehearse on. Nothing was requested. Request "
                "backups.export first."
            )
        streams = {STREAMS.name: "all"} if is_every(parameters) else {}
        return {"file": file.sha256, **streams}

    def describe(self, parameters: Parameters) -> str:
        row = MigrationFile.objects.filter(sha256=parameters.get("file", "")).only("path").first()
        return row.name if row else str(parameters.get("file", ""))[:12]

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        run = run_for(environment)
        taken = str(run or "no run")
        return [
            Consequence(
                f"The newest proven run that has its tables (now {taken}) is restored into a drill's cell.", "ok"
            ),
            Consequence(f"The file runs there, after those that come before it. {environment} is only read.", "ok"),
            Consequence("If it fails there, nobody can vote for it before a second person waived that.", "warn"),
        ]

    def succeeded(self, result: Mapping[str, Any]) -> bool:
        return result.get("rehearsal") == Rehearsal.Status.PASSED
