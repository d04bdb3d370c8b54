"""Each periodic job in a thread of its own, so that one that hangs delays neither the others nor the ticker.

In: jobs that may be due. Out: a thread for each whose slot was won; one that still runs here is left alone.
"""

from __future__ import annotations

import logging
import threading

from django.db import connections

from operations.engine.tick import Job, claim, perform

logger = logging.getLogger("operations.tick")
MOST = 8  # threads, each with a connection


class Duties:
    def __init__(self) -> None:
        self._running: dict[str, threading.Thread] = {}

    def start(self, job: Job) -> bool:
        """Begin it if it is due and there is room; what does not begin stays due."""
        self._running = {name: thread for name, thread in self._running.items() if thread.is_alive()}
        if job.name in self._running or len(self._running) >= MOST or not claim(job):
            return False
        self._running[job.name] = threading.Thread(target=_run, args=(job,), daemon=True, name=f"job {job.name}")
        self._running[job.name].start()
        return True

    def wait(self, seconds: float) -> None:
        """Until all have ended, or so many seconds for each."""
        for thread in self._running.values():
            thread.join(seconds)


def _run(job: Job) -> None:
    try:
        perform(job)
    finally:
        connections.close_all()
