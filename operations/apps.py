from __future__ import annotations

import os

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "operations"
    verbose_name = "Operations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from operations import jobs, kinds, ledger_sentences
        from operations.engine import wakeup
        from operations.worker import django_q, messages, process_tree

        messages.install()
        wakeup.use(django_q.send)
        ledger_sentences.register()
        kinds.register()
        jobs.register()
        if os.environ.get("OPS_WORKER_ID"):
            process_tree.harden()
