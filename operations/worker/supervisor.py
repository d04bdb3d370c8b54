"""`run_worker`: starts one django-q2 cluster a queue, watches that each really takes work, and ends when one does not.

In: the queues to serve. Out: an exit code; 1 asks the platform to start the worker anew. Leaves nothing behind.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from operations.engine.tick import tick
from operations.engine.wakeup import wake
from operations.models import Heartbeat, Operation, Status
from operations.models.operation import database_now
from operations.worker.django_q import beat, send_canary
from operations.worker.process_tree import descendants
from providers.processes import FRUGAL, kill_group, spawn

logger = logging.getLogger("operations.supervisor")
HELPERS = 3  # a cluster's sentinel, monitor and pusher


@dataclass
class Cluster:
    """One qcluster process tree and what is known of its health."""

    queue: str
    process: subprocess.Popen[bytes]
    canary_at: float | None = None
    sent_at: object = None
    thin_since: float | None = None
    eaten: int = 0
    suspicions: int = 0
    born_at: float = field(default_factory=time.monotonic)


class Supervisor:
    def __init__(self, queues: list[str]) -> None:
        self.id = f"{socket.gethostname()}-{os.getpid()}"
        self.queues = queues
        self.clusters: list[Cluster] = []
        self.stopping = threading.Event()

    def run(self) -> int:
        """Serve until a signal (0) or until a cluster is dead (1)."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        self.clusters = [Cluster(queue, self._spawn(queue)) for queue in self.queues]
        threading.Thread(target=self._tick_loop, daemon=True).start()
        logger.info("%s serves %s", self.id, ", ".join(f"{queue} by {workers_of(queue)}" for queue in self.queues))
        while not self.stopping.wait(min(1.0, settings.OPS_CANARY_SECONDS / 5)):
            reason = self._look()
            if reason:
                logger.critical("worker is dead: %s; ending it so that the platform starts a new one", reason)
                self._end(grace=0)
                return 1
        self._end(grace=settings.OPS_STOP_SECONDS)
        return 0

    def _spawn(self, queue: str) -> subprocess.Popen[bytes]:
        environment = {**FRUGAL, **os.environ, "Q_CLUSTER_NAME": queue, "OPS_WORKER_ID": self.id}
        argv: list[str | Path] = [sys.executable, Path(settings.BASE_DIR) / "manage.py", "qcluster"]
        return spawn(argv, env=environment, secrets_by_pipe=True)

    def _look(self) -> str:
        """Why a cluster is dead, or nothing."""
        try:
            beat(f"worker:{self.id}", queues=self.queues)
            return next(filter(None, map(self._dead, self.clusters)), "")
        except DatabaseError as error:
            logger.warning("the portal database does not answer: %s", error)
            connection.close()
            return ""

    def _dead(self, cluster: Cluster) -> str:
        code = cluster.process.poll()
        if code is not None:
            return f"queue {cluster.queue} ended with {code}"
        return self._too_few(cluster) or self._canary(cluster)

    def _too_few(self, cluster: Cluster) -> str:
        """A worker that died and was not replaced within the canary time."""
        below = descendants(cluster.process.pid)
        enough = not below or len(below) >= workers_of(cluster.queue) + HELPERS
        if enough or time.monotonic() - cluster.born_at < settings.OPS_CANARY_SECONDS:
            cluster.thin_since = None
            return ""
        cluster.thin_since = cluster.thin_since or time.monotonic()
        gone = time.monotonic() - cluster.thin_since > settings.OPS_CANARY_SECONDS
        return f"queue {cluster.queue} lost a worker process" if gone else ""

    def _canary(self, cluster: Cluster) -> str:
        """Send a canary; dead when it stays unconsumed although not every worker is busy with a fresh lease."""
        if cluster.canary_at is not None:
            eaten = Heartbeat.objects.filter(name=f"canary:{cluster.queue}", beat_at__gte=cluster.sent_at)
            if eaten.exists():
                cluster.canary_at, cluster.eaten, cluster.suspicions = None, cluster.eaten + 1, 0
            elif time.monotonic() - cluster.canary_at > self._patience(cluster):
                return self._suspect(cluster)
            return ""
        cluster.canary_at, cluster.sent_at = time.monotonic(), timezone.now()
        send_canary(cluster.queue)
        return ""

    def _patience(self, cluster: Cluster) -> float:
        """A cluster that has yet to eat its first canary is still booting."""
        return settings.OPS_CANARY_SECONDS * (1 if cluster.eaten else 4)

    def _suspect(self, cluster: Cluster) -> str:
        """Every worker busy is no death; two idle looks in a row are, unless a claim was made in between."""
        busy = self._busy(cluster) >= workers_of(cluster.queue)
        cluster.suspicions = 0 if busy else cluster.suspicions + 1
        if busy:
            cluster.canary_at = time.monotonic()
        if cluster.suspicions < 2:
            return ""
        return f"queue {cluster.queue} took no work for {self._patience(cluster):.0f} s"

    def _busy(self, cluster: Cluster) -> int:
        mine = Operation.objects.filter(status=Status.RUNNING, lease_owner__startswith=f"{self.id}/{cluster.queue}/")
        return mine.filter(lease_until__gt=database_now()).count()

    def _tick_loop(self) -> None:
        while not self.stopping.wait(settings.OPS_TICK_SECONDS):
            try:
                tick()
            except Exception:
                logger.exception("tick failed")
                connection.close()

    def _end(self, grace: float) -> None:
        """Stop every cluster; what it still held may be claimed again at once, since its processes are gone.

        SIGTERM goes to the masters alone: a sentinel that gets it dies at once and its master waits for ever.
        """
        self.stopping.set()
        for cluster in self.clusters if grace else []:
            cluster.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + grace
        for cluster in self.clusters:
            below = descendants(cluster.process.pid)
            try:
                cluster.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                logger.warning("queue %s did not stop in %.0f s; killing it", cluster.queue, grace)
            kill_group(cluster.process, signal.SIGKILL)
            for pid in below:
                _kill(pid)
        try:
            self._release()
            Heartbeat.objects.filter(name=f"worker:{self.id}").delete()
        except DatabaseError as error:
            logger.warning("leases could not be released, they run out by themselves: %s", error)

    def _release(self) -> None:
        held = Operation.objects.filter(status=Status.RUNNING, lease_owner__startswith=f"{self.id}/")
        for operation in held:
            Operation.objects.filter(pk=operation.pk, fence=operation.fence).update(lease_until=None, lease_owner="")
            wake(operation)


def workers_of(queue: str) -> int:
    """How many workers the queue's cluster keeps."""
    workers: int = settings.OPS_QUEUE_WORKERS.get(queue, settings.OPS_WORKERS)
    return workers


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
