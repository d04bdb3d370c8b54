"""The steps of a path: those of each act under its own name, and at last what was done and what was not.

In: acts. Out: steps as the engine journals them. An act that fails ends the operation; its own always-steps still run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from migrations_registry.models import Application
from migrations_registry.path.acts import Act, begin, part_of
from operations.engine import kinds
from operations.engine.claim import write
from operations.engine.context import StepContext
from operations.engine.specs import Part, Registered, StepFunction, StepSpec, step
from operations.models import StepStatus

TELL = "say what was done"
REST = {"unverified": "Applied, but not verified", "partly": "Partly applied", "not_done": "Not done"}


def steps_of(acts: list[Act]) -> list[StepSpec | Registered]:
    """In order; a later act begins when everything of the earlier ones has ended."""
    each = [spec for number, act in enumerate(acts, 1) for spec in _of(act, part_of(act, number))]
    return [*each, step(TELL, tell, always=True)]


def _of(act: Act, part: Part) -> Iterator[StepSpec]:
    for position, spec in enumerate(kinds.get(act["kind"]).resolved_steps(act["parameters"])):
        run = _in_part(part, spec.run, act if position == 0 else None)
        undoes = part.name(spec.undoes) if spec.undoes else ""
        yield replace(spec, name=part.name(spec.name), run=run, undoes=undoes)


def _in_part(part: Part, run: StepFunction, first_of: Act | None) -> StepFunction:
    def run_in_part(ctx: StepContext) -> None:
        ctx.part = part
        if first_of is not None and not ctx.state:
            begin(ctx, first_of)
        run(ctx)

    return run_in_part


def tell(ctx: StepContext) -> None:
    """Which acts were done, which only in part, which not: in the result, and beside the error that ended it."""
    operation = ctx.operation
    operation.refresh_from_db()
    acts: list[Act] = operation.parameters["acts"]
    known = Application.objects.filter(operation__in=[act["key"] for act in acts])
    statuses = dict(known.values_list("operation", "status"))
    rows = [(row.name, row.status) for row in operation.steps.all() if not row.always]
    told: dict[str, list[str]] = {"done": [], "unverified": [], "partly": [], "not_done": []}
    for number, act in enumerate(acts, 1):
        own = {status for name, status in rows if name.startswith(f"{number} ")}
        told[_state(own, statuses.get(act["key"], ""))].append(act["label"])
    ctx.result(**{state: labels for state, labels in told.items() if labels or state in ("done", "not_done")})
    rest = [f"{words}: {', '.join(told[state])}." for state, words in REST.items() if told[state]]
    if rest and operation.error and rest[-1] not in operation.error:
        said = f"Done before: {', '.join(told['done']) or 'nothing'}. {' '.join(rest)}"
        write(ctx.lease, error=f"{operation.error} {said}")


def _state(steps: set[str], application: str) -> str:
    if {StepStatus.SUCCEEDED} <= steps <= {StepStatus.SUCCEEDED, StepStatus.SKIPPED}:
        return "done"
    return {"applied": "unverified", "partly": "partly"}.get(application, "not_done")
