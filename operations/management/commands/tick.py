"""`manage.py tick`: one round of what time does; also a cron service, so that nothing hangs on one worker."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from operations.engine.tick import tick


class Command(BaseCommand):
    help = "Re-send lost messages, expire old requests and run the periodic jobs that are due."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"woken {tick()}")
