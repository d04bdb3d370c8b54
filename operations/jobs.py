"""The periodic jobs of operations: votes counted again, messages sent, the dead-man switch fed, sent forms let go."""

from __future__ import annotations

from operations.approvals import voting
from operations.engine import tick
from operations.engine.sealing import erase_old
from operations.notify.deadman import ping
from operations.notify.delivery import deliver_due
from operations.notify.rules import sweep
from operations.periodic.isolation import in_turn
from operations.votes import authority_key
from operations.web import form_key


def register() -> None:
    tick.every("operations.expire", 10, tick.expire_old_requests)
    tick.every("operations.break_glass", 10, tick.return_lapsed_break_glass)
    tick.every("operations.sealed", 60, erase_old)
    tick.every("operations.authority_key", 60, authority_key.publish)
    tick.every("approvals.reevaluate", 30, voting.reevaluate)
    tick.every("notify", 10, _round)
    tick.every("deadman", 60, ping)
    tick.every("forms", 86_400, form_key.forget)


def _round() -> None:
    in_turn(sweep, deliver_due)
