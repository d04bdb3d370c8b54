from __future__ import annotations

import os

from django.apps import AppConfig
from django.conf import settings


class OperationsConfig(AppConfig):
    name = "operations"
    verbose_name = "Operations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from operations.engine import wake
        from operations.worker import processes, queue

        wake.use(queue.send)
        if os.environ.get("OPS_WORKER_ID"):
            processes.harden()
        if settings.DEMO:
            from operations import rehearsal

            rehearsal.register()
