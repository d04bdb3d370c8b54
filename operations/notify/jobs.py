"""What the tick does about messages."""

from __future__ import annotations

from operations.engine import tick
from operations.notify.deadman import ping
from operations.notify.delivery import deliver_due
from operations.notify.sweep import sweep


def register() -> None:
    """Sweep and deliver every ten seconds, ping the dead-man switch every minute."""
    tick.every("notify", 10, _round)
    tick.every("deadman", 60, ping)


def _round() -> None:
    sweep()
    deliver_due()
