"""`sampelit-ops run_worker`: serves the queues of the given pools until stopped; exit 1 asks to be started anew."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from operations.engine.specs import POOLS
from operations.worker.supervisor import Supervisor
from providers.answers import Answer, AnsweringCommand


class Command(AnsweringCommand):
    help = "Run the workers. Each pool's queue gets its own cluster; `urgent` and `deploy` never share one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--pool", action="append", choices=POOLS, help="serve this pool (repeatable; default: all)")

    def answer(self, options: dict[str, Any]) -> Answer:
        self.check(databases=["default"])
        pools = options["pool"] or POOLS
        queues = list(dict.fromkeys(settings.OPS_QUEUES[pool] for pool in pools))
        code = Supervisor(queues).run()
        return Answer({"queues": queues, "code": code}, code=code)
