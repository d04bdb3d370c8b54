"""Real worker processes and real signals: whatever is killed, the operation ends right and nothing is left behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from operations.models import Heartbeat, Operation
from operations.worker.process_tree import descendants
from providers.processes import kill_group, spawn
from tests import fast_flush, sampling
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.worker]
ATTEMPTS = 3  # each costs a lease
SEED = sampling.SEED


def start_worker(*pools: str) -> subprocess.Popen[bytes]:
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = {**os.environ, "DATABASE_URL": url, "OPS_WORKERS": "2", "OPS_CANARY_SECONDS": "3"}
    environment["OPS_MAX_ATTEMPTS"] = str(ATTEMPTS)
    log = Path(os.environ["OPS_DATA_DIR"]) / "worker.log"
    arguments = [argument for pool in pools for argument in ("--pool", pool)]
    with log.open("ab") as out:
        return spawn(
            [sys.executable, Path(settings.BASE_DIR) / "manage.py", "run_worker", *arguments],
            env=environment,
            stdout=out,
            stderr=out,
        )


@pytest.fixture(scope="module")
def workers() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Every worker that a test started; a living one serves the next test too, so its canaries outlive the first."""
    started: list[subprocess.Popen[bytes]] = []
    queue = {"django_q_ormq", "operations_heartbeat"}
    fast_flush.KEPT.update(queue)
    yield started
    fast_flush.KEPT.difference_update(queue)
    for process in started:
        kill_group(process, signal.SIGKILL)


@pytest.fixture
def worker(workers: list[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    """A worker of the pool `export`, seen at work."""
    for process in workers:
        if process.poll() is None:
            return process
    workers.append(start_worker("export"))
    next_canary()
    return workers[-1]


def next_canary() -> None:
    """Wait until a worker takes one more message."""
    began = timezone.now()
    until(lambda: Heartbeat.objects.filter(name="canary:export", beat_at__gt=began).exists())


def ended(operation: Operation, seconds: float = 30) -> str:
    def terminal() -> str:
        operation.refresh_from_db()
        return operation.status if operation.terminal else ""

    return str(until(terminal, seconds))


def lines(path: Path) -> list[str]:
    return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []


def holder_of(operation: Operation) -> int:
    operation.refresh_from_db()
    return int(operation.lease_owner.rsplit("/", 1)[1]) if operation.lease_owner else 0


def working(operation: Operation) -> bool:
    return bool(operation.steps.filter(name="work", status="running").exists() and holder_of(operation))


def gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text() for pid in pids)


def test_killing_the_supervisor_leaves_nothing_and_another_one_goes_on(worker, workers, ask, tmp_path):
    operation = ask(seconds=2, mark=str(tmp_path / "m"))
    until(lambda: working(operation))
    below = descendants(worker.pid)

    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    until(lambda: gone(below), 10)
    workers.append(start_worker("export"))

    assert ended(operation) == "succeeded"
    assert lines(tmp_path / "m").count("work") == 1


def test_two_workers_side_by_side_do_each_operation_once(worker, workers, ask, tmp_path):
    workers.append(start_worker("export"))
    until(lambda: Heartbeat.objects.filter(name__endswith=f"-{workers[-1].pid}").exists(), 60)

    operations = [ask(key=str(number), seconds=1, mark=str(tmp_path / str(number))) for number in range(8)]
    running = Operation.objects.filter(status="running").exclude(lease_owner="")
    until(lambda: len({owner.split("/")[0] for owner in running.values_list("lease_owner", flat=True)}) == 2)

    assert [ended(operation) for operation in operations] == ["succeeded"] * len(operations)
    assert [lines(tmp_path / str(number)).count("work") for number in range(len(operations))] == [1] * len(operations)


def test_a_worker_killed_in_mid_work_is_replaced_and_the_work_ends_once(worker, ask, tmp_path):
    chance = random.Random(SEED)
    operations = [ask(key=str(number), seconds=1.5, mark=str(tmp_path / str(number))) for number in range(2)]
    for operation in operations:
        until(lambda operation=operation: working(operation) or operation.terminal)
        time.sleep(chance.uniform(0, 0.8))
        if pid := holder_of(operation):
            os.kill(pid, signal.SIGKILL)

    for number, operation in enumerate(operations):
        assert ended(operation) == "succeeded"
        assert lines(tmp_path / str(number)).count("work") == 1


def test_a_poison_operation_stops_at_its_limit(worker, ask):
    operation = ask(fail="exit")

    assert ended(operation, 60) == "failed"
    assert operation.steps.get(name="work").attempt == ATTEMPTS
    assert operation.steps.get(name="tidy").status == "succeeded"


def test_a_paused_worker_writes_nothing_after_its_lease(worker, ask, tmp_path):
    operation = ask(seconds=1, mark=str(tmp_path / "m"))
    until(lambda: working(operation))
    paused = holder_of(operation)
    os.kill(paused, signal.SIGSTOP)

    assert ended(operation) == "succeeded"
    os.kill(paused, signal.SIGCONT)
    next_canary()
    assert lines(tmp_path / "m") == ["prepare", "work", "tidy"]


def test_sigterm_ends_the_worker_and_its_work_goes_on_elsewhere(worker, workers, ask, tmp_path):
    operation = ask(seconds=0.5, mark=str(tmp_path / "m"))
    until(lambda: working(operation))
    below = descendants(worker.pid)

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(40) == 0
    until(lambda: gone(below), 10)
    workers.append(start_worker("export"))

    assert ended(operation) == "succeeded"
    assert lines(tmp_path / "m").count("work") == 1


def test_killing_an_idle_worker_never_freezes_the_queue(worker, workers, ask):
    """django-q2 freezes when the victim held its queue's lock; then the supervisor ends and is started anew."""
    next_canary()
    idle = [pid for pid in descendants(worker.pid) if os.getpgid(pid) == pid and pid != worker.pid]
    os.kill(idle[-1], signal.SIGKILL)
    operation = ask()
    until(lambda: ended_or_dead(operation, worker), 30)
    if worker.poll() is not None:
        assert worker.returncode == 1
        workers.append(start_worker("export"))
    assert ended(operation) == "succeeded"


def ended_or_dead(operation: Operation, worker: subprocess.Popen[bytes]) -> bool:
    operation.refresh_from_db()
    return operation.terminal or worker.poll() is not None


def test_lost_messages_are_only_a_delay_and_cancel_reaches_a_running_step(worker, ask):
    from django_q.models import OrmQ

    operation = ask(seconds=30)
    OrmQ.objects.all().delete()
    until(lambda: working(operation))
    Operation.objects.filter(pk=operation.pk).update(cancel_requested_at="2026-01-01T00:00:00Z")

    assert ended(operation) == "cancelled"
    assert operation.steps.get(name="tidy").status == "succeeded"


def test_a_frozen_cluster_makes_the_supervisor_end_with_one(worker, workers):
    """Stopped workers take no message, and their guard sees them alive: only the canary tells."""
    for other in [process for process in workers if process.poll() is None]:  # a second one would eat the canaries
        other.send_signal(signal.SIGTERM)
        other.wait(40)
    workers.append(worker := start_worker("export"))
    next_canary()
    until(lambda: len(descendants(worker.pid)) > 2)
    cluster = descendants(worker.pid)
    for pid in cluster[1:]:
        os.kill(pid, signal.SIGSTOP)

    assert until(lambda: worker.poll() is not None and worker.returncode, 20) == 1
    until(lambda: gone(cluster), 10)


def test_an_urgent_operation_starts_while_everybody_is_busy(ask):
    both = start_worker("export", "urgent")
    try:
        until(lambda: Heartbeat.objects.filter(name__in=["canary:export", "canary:urgent"]).count() == 2)
        busy = [ask(key=f"busy-{number}", seconds=20) for number in range(2)]
        until(lambda: all(working(operation) for operation in busy))
        for number in range(20):
            ask(key=f"waiting-{number}")
        asked_at = time.monotonic()
        urgent = ask("rehearsal.urgent", key="now")
        until(lambda: Operation.objects.filter(pk=urgent.pk).exclude(status="queued").exists(), 5)
        assert time.monotonic() - asked_at < 5
        assert ended(urgent) == "succeeded"
    finally:
        kill_group(both, signal.SIGKILL)
