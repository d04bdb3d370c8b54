"""Each periodic job in a thread of its own, so that those that hang delay neither the others nor the ticker.

In: jobs that may be due. Out: a thread for each whose slot was won; one that still runs here is left alone.
"""

from __future__ import annotations

import threading
import time

from django.db import connections

from operations.engine.tick import Job, claim, perform

MOST = 8  # threads that may be at work, each with a connection
HANGS_SECONDS = 20.0  # after which one takes no other's place
LOOK_SECONDS = 0.05


class Duties:
    """`patience`: seconds that all of one round may wait for room together."""

    def __init__(self, patience: float = 0.0) -> None:
        self._running: dict[str, threading.Thread] = {}
        self._began: dict[str, float] = {}
        self._until = time.monotonic() + patience

    def start(self, job: Job) -> bool:
        """Begin it if it is due and there is room; what does not begin stays due."""
        if job.name in self.running() or not self._room() or not claim(job):
            return False
        self._running[job.name] = threading.Thread(target=_run, args=(job,), daemon=True, name=f"job {job.name}")
        self._began[job.name] = time.monotonic()
        self._running[job.name].start()
        return True

    def running(self) -> list[str]:
        self._running = {name: thread for name, thread in self._running.items() if thread.is_alive()}
        return list(self._running)

    def _room(self) -> bool:
        while (full := self._at_work() >= MOST) and time.monotonic() < self._until:
            time.sleep(LOOK_SECONDS)
        return not full

    def _at_work(self) -> int:
        return sum(time.monotonic() - self._began[name] < HANGS_SECONDS for name in self.running())

    def wait(self, seconds: float) -> list[str]:
        """Until all have ended, or so many seconds together; the names of those that still run."""
        until = time.monotonic() + seconds
        for thread in self._running.values():
            thread.join(max(0.0, until - time.monotonic()))
        return self.running()


def _run(job: Job) -> None:
    try:
        perform(job)
    finally:
        connections.close_all()
