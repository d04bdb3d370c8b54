from __future__ import annotations

import os

from django.apps import AppConfig
from django.conf import settings


class OperationsConfig(AppConfig):
    name = "operations"
    verbose_name = "Operations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from operations import ledger_lines
        from operations.approvals import voting
        from operations.engine import tick, wake
        from operations.notify import jobs
        from operations.worker import processes, queue

        wake.use(queue.send)
        ledger_lines.register()
        tick.every("approvals.reevaluate", 30, voting.reevaluate)
        jobs.register()
        if os.environ.get("OPS_WORKER_ID"):
            processes.harden()
        if settings.DEMO:
            from operations import rehearsal

            rehearsal.register()
