"""The workers of one queue, forked from the supervisor: everything below it shares what was loaded once.

In: a queue, whose messages lie in django-q2's table. Out: a guard that keeps so many workers, each of which takes one
message after another; it stops when asked. There is no pusher and no monitor: a worker asks the table itself.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event

from django.conf import settings
from django.db import close_old_connections, connections
from django_q.brokers import Broker, get_broker
from django_q.signing import BadSignature, SignedPackage

from operations.worker.django_q import dispatch
from operations.worker.process_tree import descendants, lead_own_group

logger = logging.getLogger("operations.worker")
RECYCLE = 500  # messages a worker takes before a fresh fork follows it
PAUSE = 5.0  # seconds, after the database did not answer
_fork = multiprocessing.get_context("fork")


@dataclass
class Cluster:
    """One queue's process tree and what is known of its health."""

    queue: str
    process: BaseProcess
    asked_to_stop: Event
    canary_at: float | None = None
    sent_at: object = None
    thin_since: float | None = None
    eaten: int = 0
    suspicions: int = 0
    born_at: float = field(default_factory=time.monotonic)

    @property
    def pid(self) -> int:
        return self.process.pid or 0

    def kill(self, below: list[int]) -> None:
        """End it and everything that was seen below it."""
        for pid in (self.pid, *below, *descendants(self.pid)):
            _kill(pid)
        self.process.join()


def start(queue: str) -> Cluster:
    """Fork it. No connection and no second thread may be open in the caller."""
    stop = _fork.Event()
    process = _fork.Process(target=_guard, args=(queue, stop))
    process.start()
    return Cluster(queue, process, stop)


def workers_of(queue: str) -> int:
    """How many workers the queue's cluster keeps."""
    workers: int = settings.OPS_QUEUE_WORKERS.get(queue, settings.OPS_WORKERS)
    return workers


def _guard(queue: str, stop: Event) -> None:
    """In the fork: replace what ends. It ends by `stop` alone; a signal to the supervisor is not for it."""
    os.setsid()
    os.environ["Q_CLUSTER_NAME"] = queue
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    workers: list[BaseProcess] = []
    while not stop.wait(0.2):
        workers = [worker for worker in workers if worker.is_alive()]
        workers += [_started(_serve, queue, stop) for _ in range(workers_of(queue) - len(workers))]
    for worker in workers:
        worker.join()


def _started(target: Callable[..., None], *arguments: object) -> BaseProcess:
    process = _fork.Process(target=target, args=arguments)
    process.start()
    return process


def _serve(queue: str, stop: Event) -> None:
    """A worker: one message after another until it is asked to stop or has taken enough of them."""
    lead_own_group()
    broker, taken = get_broker(queue), 0
    while not stop.is_set() and taken < RECYCLE:
        try:
            close_old_connections()
            for number, message in broker.dequeue() or ():  # waits for a poll's length where there is none
                taken += 1
                _take(broker, number, message)
        except Exception:
            logger.exception("a worker of %s goes on after an error", queue)
            connections.close_all()
            stop.wait(PAUSE)


def _take(broker: Broker, number: str, message: str) -> None:
    """The message goes before its work: a lost one is sent again by the tick, a second one finds the lease taken."""
    broker.acknowledge(number)
    try:
        task = SignedPackage.loads(message)
    except (TypeError, BadSignature):
        logger.warning("a message of another shape was dropped")
        return
    dispatch(*task["args"])


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
