"""The thread beside a running step: extends the lease while progress moves, else ends the process."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError, connection

from operations.engine.claim import LeaseLost, extend, write
from operations.engine.context import StepContext
from operations.models import Operation

logger = logging.getLogger("operations.heartbeat")
EndProcess = Callable[[], None]


def kill_own_group() -> None:
    """End this worker and every child of its group at once; the supervisor starts a new one."""
    os.killpg(os.getpgid(0), signal.SIGKILL)


@contextmanager
def beating(context: StepContext, end_process: EndProcess = kill_own_group) -> Iterator[None]:
    """Keep the lease alive while the body runs."""
    done = threading.Event()
    thread = threading.Thread(target=_beat, args=(context, done, end_process), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=settings.OPS_LEASE_SECONDS)


def _beat(context: StepContext, done: threading.Event, end_process: EndProcess) -> None:
    held_until = time.monotonic() + settings.OPS_LEASE_SECONDS
    try:
        while not done.wait(settings.OPS_HEARTBEAT_SECONDS):
            try:
                if _must_end(context):
                    break
                if extend(context.lease):
                    held_until = time.monotonic() + settings.OPS_LEASE_SECONDS
                    _see_cancel(context)
                elif not done.is_set():
                    held_until = 0
            except DatabaseError as error:
                logger.warning("heartbeat failed: %s", error)
                connection.close()
            if time.monotonic() > held_until and not done.is_set():
                logger.error("lease of %s lost", context.operation.pk)
                break
        else:
            return
        context.lost.set()
        end_process()
    finally:
        connection.close()


def _see_cancel(context: StepContext) -> None:
    asked = Operation.objects.filter(pk=context.operation.pk, cancel_requested_at__isnull=False)
    if not context.row.always and asked.exists():
        context.cancelled.set()


def _must_end(context: StepContext) -> bool:
    """Whether the step overran its deadline (the operation then fails) or stands still (it is tried again)."""
    now = time.monotonic()
    if now - context.began_at > context.limits.deadline:
        reason = (
            f"Step {context.row.name} overran its deadline of {context.limits.deadline:.0f} s and was ended. "
            "What earlier steps did stands; always-steps still run. Look at the log, then retry."
        )
        logger.error(reason, extra={"operation": context.operation.pk})
        if not context.row.always:
            _fail(context, reason)
        return True
    if now - context.moved_at > context.limits.stall:
        logger.error("step %s of %s stands still", context.row.name, context.operation.pk)
        return True
    return False


def _fail(context: StepContext, reason: str) -> None:
    """Decide the outcome; where the database does not take it now, the attempt limit will."""
    try:
        write(context.lease, outcome="failed", error=reason)
    except (DatabaseError, LeaseLost) as error:
        logger.error("the overrun of %s could not be written: %s", context.operation.pk, error)
