"""`migrations.look`: a worker reads one target's migration history again, because a person asks for it now."""

from __future__ import annotations

from migrations_registry import readings
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameters, step
from operations.models import Environment, Risk
from providers.errors import ProviderError


def read(ctx: StepContext) -> None:
    """Read and keep; a target that does not answer fails the operation and leaves the last reading in place."""
    row = readings.refresh(ctx.environment)
    if row.problem:
        raise ProviderError(f"{row.problem} The last reading stays.")
    counted: dict[str, int] = {}
    for told in row.states.values():
        counted[told["state"]] = counted.get(told["state"], 0) + 1
    ctx.result(unknown=len(row.unknown), **counted)


class Look(OperationKind):
    name = "migrations.look"
    label = "Read a migration history again"
    permission = "migrations_registry.look_historyreading"
    risk = Risk.ROUTINE
    exclusive = "history:{environment}"
    steps = [step("read", read, deadline=120, stall=120)]

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [Consequence("The target's history and catalogue are read; nothing is changed there.", "ok")]

    def describe(self, parameters: Parameters) -> str:
        return "migration history"
