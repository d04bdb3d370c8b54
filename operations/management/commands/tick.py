"""`sampelit-ops tick`: one round of what time does; also a cron service, so that nothing hangs on one worker."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import CommandError

from operations.engine.run import run_operation
from operations.engine.specs import POOLS
from operations.engine.tick import overdue_always_steps, tick
from operations.worker.duties import Duties
from providers.answers import Answer, AnsweringCommand

PATIENCE_SECONDS = 55.0


class Command(AnsweringCommand):
    help = "Re-send lost messages, expire old requests and run the periodic jobs that are due, beside each other."

    def answer(self, options: dict[str, Any]) -> Answer:
        duties = Duties(PATIENCE_SECONDS / 2)
        woken = tick(duties.start)
        ended = {
            pk: run_operation(pk, f"tick-{os.getpid()}", frozenset(POOLS), end_process=end_here)
            for pk in overdue_always_steps()
        }
        if late := duties.wait(PATIENCE_SECONDS / 2):
            raise CommandError(f"Still running, ended with this process: {', '.join(late)}. All others were done.")
        lines = [f"woken {woken}", *(f"always-steps of {pk}: {status}" for pk, status in ended.items())]
        return Answer({"woken": woken, "always_steps": ended}, lines)


def end_here() -> None:
    """A step of ours must not go on: end this process; the next round tries again."""
    os._exit(1)
