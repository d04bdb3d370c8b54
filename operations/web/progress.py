"""How far a running operation is, from the last progress that its step stored. In: an operation. Out: a context.

Tables that are still under way come first.
"""

from __future__ import annotations

from typing import Any

from operations.models import Operation, Step


def shown(operation: Operation) -> dict[str, Any]:
    """Percent, rate and seconds left, of the whole and of each table that the step tells of."""
    told = operation.progress
    if not told or operation.terminal:
        return {}
    tables = [{**one, **_pace(one)} for one in told.get("tables", [])]
    return {**told, **_pace(told), "tables": sorted(tables, key=lambda one: bool(one["ended"]))}


def trouble(operation: Operation, steps: list[Step]) -> Step | None:
    """The step that failed and is tried again, while the operation has not ended; its `error` says why."""
    return next((one for one in steps if one.error and not one.ended), None) if not operation.terminal else None


def _pace(told: dict[str, Any]) -> dict[str, Any]:
    done, total, seconds = told.get("done") or 0, told.get("total") or 0, told.get("seconds") or 0
    rate = done / seconds if seconds else 0
    rows = told.get("rows") or 0
    return {
        "percent": min(100, round(100 * done / total)) if total else None,
        "rate": round(rate) if rate >= 1 else None,
        "row_rate": round(rows / seconds) if rows and seconds else None,
        "left": (total - done) / rate if total and rate else None,
        "ended": bool(total and done >= total),
    }
