"""Operations claimed in this process, as a worker would."""

from __future__ import annotations

from operations.engine import specs
from operations.engine.run import run_operation
from operations.models import Operation

EVERY_POOL = frozenset(specs.POOLS)


def run_once(operation: Operation, pools: frozenset[str] = EVERY_POOL) -> Operation:
    """One claim; the row as it stands afterwards."""
    run_operation(operation.pk, "test", pools, end_process=lambda: None)
    operation.refresh_from_db()
    return operation
