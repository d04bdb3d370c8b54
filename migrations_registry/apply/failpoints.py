"""Named places of an application at which a test makes the process, the connection or the server end.

In: a name. Out: nothing, unless a test of this very process armed that name. No variable and no request can arm one.
"""

from __future__ import annotations

from collections.abc import Callable

NAMES = (
    "preflight.begun",
    "preflight.checked",
    "preflight.opened",
    "restore_point.begun",
    "restore_point.noted",
    "restore_point.copied",
    "restore_point.proven",
    "apply.begun",
    "apply.locked",
    "transaction.begun",
    "transaction.journaled",
    "transaction.kept",
    "transaction.executed",
    "transaction.recorded",
    "transaction.measured",
    "transaction.before_commit",
    "transaction.committed",
    "alone.observed",
    "alone.journaled",
    "alone.executed",
    "alone.recorded",
    "step.done",
    "apply.ended",
    "verify.observed",
    "verify.kept",
    "settle.begun",
)
armed: dict[str, Callable[[], None]] = {}


def failpoint(name: str) -> None:
    """Nothing, outside a test."""
    if act := armed.get(name):
        act()
