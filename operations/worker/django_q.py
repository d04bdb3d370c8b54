"""django-q2 as a wake-up transport: a message carries one operation id, and `dispatch` is all that is ever queued."""

from __future__ import annotations

import os
import socket

from django.conf import settings
from django_q.tasks import async_task

from operations.models import Heartbeat
from operations.periodic.clock import database_time
from operations.worker.messages import CANARY, DISPATCH
from providers import memory


def send(operation_id: str, pool: str) -> None:
    """Queue a wake-up for the workers of `pool`."""
    _put(operation_id, settings.OPS_QUEUES[pool])


def send_canary(queue: str) -> None:
    """Queue a message that a living cluster consumes at once."""
    _put(CANARY, queue)


def dispatch(operation_id: str) -> str:
    """What a worker does with a message: claim that operation and run it as far as this queue's pools reach."""
    queue = os.environ.get("Q_CLUSTER_NAME", "export")
    if operation_id == CANARY:
        beat(f"canary:{queue}")
        return CANARY
    from operations.engine.run import run_operation

    ended = run_operation(operation_id, owner(), pools_of(queue)) or "nothing to do"
    memory.give_back()
    return ended


def pools_of(queue: str) -> frozenset[str]:
    return frozenset(pool for pool, carrier in settings.OPS_QUEUES.items() if carrier == queue)


def owner() -> str:
    """Who holds a lease: the supervisor's id, the queue and this process."""
    supervisor = os.environ.get("OPS_WORKER_ID", socket.gethostname())
    return f"{supervisor}/{os.environ.get('Q_CLUSTER_NAME', 'export')}/{os.getpid()}"


def beat(name: str, **detail: object) -> None:
    Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": database_time(), "detail": detail})


def _put(operation_id: str, queue: str) -> None:
    async_task(DISPATCH, operation_id, cluster=queue, save=False, task_name=f"wake-{operation_id}")
