"""`run_worker`: forks the workers of each queue, watches that each really takes work, and ends when one does not.

In: the queues to serve. Out: an exit code; 1 asks the platform to start the worker anew. Leaves nothing behind.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time

from django.conf import settings
from django.db import DatabaseError, connection, connections

from operations.doctor.variables import holdings
from operations.engine.tick import tick
from operations.engine.wakeup import wake
from operations.models import Heartbeat, Operation, Status
from operations.models.operation import database_now
from operations.periodic.clock import database_time
from operations.worker import cluster, process_tree
from operations.worker.cluster import Cluster, workers_of
from operations.worker.django_q import beat, send_canary
from operations.worker.duties import Duties
from operations.worker.process_tree import descendants
from providers import memory
from providers.storage.factory import preload

logger = logging.getLogger("operations.supervisor")


class Supervisor:
    def __init__(self, queues: list[str]) -> None:
        self.id = f"{socket.gethostname()}-{os.getpid()}"
        self.queues = queues
        self.clusters: list[Cluster] = []
        self.stopping = threading.Event()
        self.duties = Duties()

    def run(self) -> int:
        """Serve until a signal (0) or until a cluster is dead (1)."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        self._load()
        self.clusters = [cluster.start(queue) for queue in self.queues]
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

    def _load(self) -> None:
        """Everything heavy once, before the forks that share it; what they must not share is closed."""
        os.environ["OPS_WORKER_ID"] = self.id
        memory.frugal()
        process_tree.harden()
        preload(settings.BACKUP_STORE)
        connections.close_all()
        memory.settle()

    def _look(self) -> str:
        """Why a cluster is dead, or nothing."""
        try:
            self._beat()
            return next(filter(None, map(self._dead, self.clusters)), "")
        except DatabaseError as error:
            logger.warning("the portal database does not answer: %s", error)
            connection.close()
            return ""

    def _beat(self) -> None:
        """That it lives, what it holds and what it takes: the doctor runs elsewhere and cannot look."""
        used = (memory.used_bytes(), memory.limit_bytes())
        beat(f"worker:{self.id}", queues=self.queues, holds=holdings(self.queues), memory=used)

    def _dead(self, each: Cluster) -> str:
        code = each.process.exitcode
        if code is not None:
            return f"queue {each.queue} ended with {code}"
        return self._too_few(each) or self._canary(each)

    def _too_few(self, each: Cluster) -> str:
        """A worker that died and was not replaced within the canary time."""
        below = descendants(each.pid)
        enough = not below or len(below) >= workers_of(each.queue)
        if enough or time.monotonic() - each.born_at < settings.OPS_CANARY_SECONDS:
            each.thin_since = None
            return ""
        each.thin_since = each.thin_since or time.monotonic()
        gone = time.monotonic() - each.thin_since > settings.OPS_CANARY_SECONDS
        return f"queue {each.queue} lost a worker process" if gone else ""

    def _canary(self, each: Cluster) -> str:
        """Send a canary; dead when it stays unconsumed although not every worker is busy with a fresh lease."""
        if each.canary_at is not None:
            eaten = Heartbeat.objects.filter(name=f"canary:{each.queue}", beat_at__gte=each.sent_at)
            if eaten.exists():
                each.canary_at, each.eaten, each.suspicions = None, each.eaten + 1, 0
            elif time.monotonic() - each.canary_at > self._patience(each):
                return self._suspect(each)
            return ""
        each.canary_at, each.sent_at = time.monotonic(), database_time()
        send_canary(each.queue)
        return ""

    def _patience(self, each: Cluster) -> float:
        """A cluster that has yet to eat its first canary is still booting."""
        return settings.OPS_CANARY_SECONDS * (1 if each.eaten else 4)

    def _suspect(self, each: Cluster) -> str:
        """Every worker busy is no death; two idle looks in a row are, unless a claim was made in between."""
        busy = self._busy(each) >= workers_of(each.queue)
        each.suspicions = 0 if busy else each.suspicions + 1
        if busy:
            each.canary_at = time.monotonic()
        if each.suspicions < 2:
            return ""
        return f"queue {each.queue} took no work for {self._patience(each):.0f} s"

    def _busy(self, each: Cluster) -> int:
        mine = Operation.objects.filter(status=Status.RUNNING, lease_owner__startswith=f"{self.id}/{each.queue}/")
        return mine.filter(lease_until__gt=database_now()).count()

    def _tick_loop(self) -> None:
        while not self.stopping.wait(settings.OPS_TICK_SECONDS):
            try:
                tick(self.duties.start)
            except Exception:
                logger.exception("tick failed")
                connection.close()

    def _end(self, grace: float) -> None:
        """Stop every cluster; what it still held may be claimed again at once, since its processes are gone."""
        self.stopping.set()
        for each in self.clusters if grace else []:
            each.asked_to_stop.set()
        until = time.monotonic() + grace
        for each in self.clusters:
            below = descendants(each.pid)
            each.process.join(max(0.0, until - time.monotonic()))
            if grace and each.process.is_alive():
                logger.warning("queue %s did not stop in %.0f s; killing it", each.queue, grace)
            each.kill(below)
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
