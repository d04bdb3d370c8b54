"""The periodic jobs of operations: votes counted again, messages sent, the dead-man switch fed."""

from __future__ import annotations

from operations.approvals import voting
from operations.engine import tick
from operations.notify.deadman import ping
from operations.notify.delivery import deliver_due
from operations.notify.rules import sweep


def register() -> None:
    tick.every("approvals.reevaluate", 30, voting.reevaluate)
    tick.every("notify", 10, _round)
    tick.every("deadman", 60, ping)


def _round() -> None:
    sweep()
    deliver_due()
