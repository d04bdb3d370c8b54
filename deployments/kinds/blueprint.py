"""Read an environment's render.yaml from its repository, at the commit that is live, and compare it with what runs."""

from __future__ import annotations

import re

from deployments.blueprint import service as blueprint_service
from deployments.render.client import configured, quick
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from providers.errors import Refused


def read(ctx: StepContext) -> None:
    file = blueprint_service.from_repository(ctx.environment, ctx.parameters.get("path") or blueprint_service.PATH)
    ctx.log(f"{file.repo} at {file.commit[:12]}: {len(file.content)} bytes")
    row = blueprint_service.store_blueprint(
        ctx.environment, file, by=ctx.operation.requested_by, api=quick() if configured() else None
    )
    for line in row.differences:
        ctx.log("{where} {what}: file {file}, live {live}".format(**line))
    ctx.result(commit=file.commit, sha256=row.sha256, differences=len(row.differences))
    ctx.result(valid=row.valid, verdict=row.verdict)


class ReadBlueprint(OperationKind):
    name, label, permission = "deployments.read_blueprint", "Read render.yaml", "deployments.configure"
    about = "Reads render.yaml from the repository and compares it with what runs."
    risk = Risk.ROUTINE
    exclusive = "blueprint:{environment}"
    steps = [step("read", read, pool="deploy", deadline=300, stall=200)]
    parameters = [Parameter("path", "Path", required=False, help=f"Empty: {blueprint_service.PATH}")]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        path = str(parameters.get("path", ""))
        if path and (not re.fullmatch(r"[\w./-]{1,200}", path) or ".." in path):
            raise Refused("The path is one inside the repository, such as deploy/render.yaml. Nothing was requested.")
        return parameters

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        path = parameters.get("path") or blueprint_service.PATH
        return [
            Consequence(f"{path} of the live commit is read; its settings and names are kept, no value of it.", "ok"),
            Consequence("Nothing is changed on Render.", "ok"),
        ]

    def describe(self, parameters: Parameters) -> str:
        return str(parameters.get("path") or blueprint_service.PATH)
