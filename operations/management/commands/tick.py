"""`manage.py tick`: one round of what time does; also a cron service, so that nothing hangs on one worker."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from operations.engine.run import run_operation
from operations.engine.specs import POOLS
from operations.engine.tick import overdue_always_steps, tick
from operations.worker.duties import Duties

PATIENCE_SECONDS = 55.0


class Command(BaseCommand):
    help = "Re-send lost messages, expire old requests and run the periodic jobs that are due, beside each other."

    def handle(self, *args: Any, **options: Any) -> None:
        duties = Duties(PATIENCE_SECONDS / 2)
        self.stdout.write(f"woken {tick(duties.start)}")
        for operation_id in overdue_always_steps():
            status = run_operation(operation_id, f"tick-{os.getpid()}", frozenset(POOLS), end_process=end_here)
            self.stdout.write(f"always-steps of {operation_id}: {status}")
        if late := duties.wait(PATIENCE_SECONDS / 2):
            raise CommandError(f"Still running, ended with this process: {', '.join(late)}. All others were done.")


def end_here() -> None:
    """A step of ours must not go on: end this process; the next round tries again."""
    os._exit(1)
