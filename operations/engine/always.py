"""Always-steps: which one is due once the outcome is decided, and the alarm when one keeps failing."""

from __future__ import annotations

from operations.engine.kinds import StepSpec
from operations.models import Operation, Step, StepStatus, Task

ALARM_AFTER = 3


def next_always(rows: list[Step], specs: dict[str, StepSpec]) -> Step | None:
    """The first open always-step whose counterpart was started; those whose counterpart never ran stay skipped."""
    started = {row.name for row in rows if row.status != StepStatus.PENDING}
    for row in rows:
        if row.always and not row.ended and row.name in specs and _was_started(row, specs[row.name], rows, started):
            return row
    return None


def _was_started(row: Step, spec: StepSpec, rows: list[Step], started: set[str]) -> bool:
    if spec.undoes:
        return spec.undoes in started
    return any(other.name in started for other in rows if other.position < row.position)


def alarm(operation: Operation, row: Step, message: str) -> None:
    """After three failures, or when it can no longer run, open one task that people see; the retries go on."""
    if 0 < row.attempt < ALARM_AFTER:
        return
    Task.objects.get_or_create(
        dedupe_key=f"always:{operation.pk}:{row.name}",
        defaults={
            "kind": Task.Kind.ALWAYS_STEP_FAILING,
            "title": f"{row.name} of {operation.kind} keeps failing on {operation.environment}",
            "body": f"Tried {row.attempt} times; the portal goes on trying. Last error: {message}",
            "environment": operation.environment,
            "operation": operation,
        },
    )
