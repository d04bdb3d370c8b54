"""How far a running operation is, from the last progress that its step stored. In: an operation. Out: a context.

Tables that are still under way come first.
"""

from __future__ import annotations

from typing import Any

from operations.models import Operation, Step


def shown(operation: Operation) -> dict[str, Any]:
    """Percent, rate and seconds left, of the whole and of each table that the step tells of."""
    progress = operation.progress
    if not progress or operation.terminal:
        return {}
    tables = [{**table, **_pace(table)} for table in progress.get("tables", [])]
    return {**progress, **_pace(progress), "tables": sorted(tables, key=lambda table: bool(table["ended"]))}


def trouble(operation: Operation, steps: list[Step]) -> Step | None:
    """The step that failed and is tried again, while the operation has not ended; its `error` says why."""
    return next((step for step in steps if step.error and not step.ended), None) if not operation.terminal else None


def _pace(progress: dict[str, Any]) -> dict[str, Any]:
    done, total, seconds = progress.get("done") or 0, progress.get("total") or 0, progress.get("seconds") or 0
    rate = done / seconds if seconds else 0
    rows = progress.get("rows") or 0
    return {
        "percent": min(100, round(100 * done / total)) if total else None,
        "rate": round(rate) if rate >= 1 else None,
        "row_rate": round(rows / seconds) if rows and seconds else None,
        "left": (total - done) / rate if total and rate else None,
        "ended": bool(total and done >= total),
    }
