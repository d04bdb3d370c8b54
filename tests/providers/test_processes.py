"""Whose processes they are, and what is left when a parent is killed: nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from providers.embedded_postgres.throwaway import throwaway
from providers.processes import alive, kill_group, spawn
from tests.waiting import until

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to try both accounts")


ORDINARY_USER = """
import os, pwd, sys
import psycopg
from pathlib import Path
from providers.embedded_postgres.server import EmbeddedPostgres
nobody = pwd.getpwnam("nobody")
os.setgroups([]); os.setgid(nobody.pw_gid); os.setuid(nobody.pw_uid); os.umask(0o077)
with EmbeddedPostgres(Path(sys.argv[1]) / "home" / "pg") as server:
    with psycopg.connect(server.dsn()) as connection:
        print(os.geteuid(), connection.execute("SELECT 1 + 1").fetchone()[0])
"""


@as_root
def test_an_ordinary_user_runs_it_directly(home: Path) -> None:
    home.chmod(0o777)

    done = subprocess.run(
        [sys.executable, "-c", ORDINARY_USER, str(home)], capture_output=True, text=True, cwd=REPOSITORY, timeout=60
    )

    assert done.stdout.split() == ["65534", "2"], done.stderr


PARENT = """
import sys, time
from pathlib import Path
from providers.embedded_postgres.server import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]) / "pg")
server.start()
print(server.process.pid, flush=True)
time.sleep(600)
"""


def test_killing_the_parent_stops_the_server_cleanly(home: Path, orphan: Callable[[str], int]) -> None:
    server = orphan(PARENT)

    assert until(lambda: not (home / "pg/cluster/postmaster.pid").exists())
    assert until(lambda: not alive(server))


RACER = """
import sys
from pathlib import Path
from providers.embedded_postgres.server import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1]) / "pg") as server:
    print(server.port, server.adopted, flush=True)
    sys.stdin.read()
"""


def test_two_starts_at_once_share_one_server(home: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY
        )
        for _ in range(2)
    ]
    seen = [racer.stdout.readline().decode().split() for racer in racers if racer.stdout]
    for racer in racers:
        racer.communicate()

    assert {port for port, _ in seen} == {seen[0][0]}
    assert sorted(adopted for _, adopted in seen) == ["False", "True"]


SPAWNER = """
import sys, time
from providers.processes import spawn
print(spawn(["sleep", "600"]).pid, flush=True)
time.sleep(600)
"""


def test_a_spawned_process_dies_with_its_killed_parent(orphan: Callable[[str], int]) -> None:
    child = orphan(SPAWNER)

    assert until(lambda: not alive(child))


def test_a_process_spawned_in_a_thread_outlives_that_thread() -> None:
    started: list[subprocess.Popen[bytes]] = []
    thread = threading.Thread(target=lambda: started.append(spawn(["sleep", "600"])))
    thread.start()
    thread.join()

    with pytest.raises(subprocess.TimeoutExpired):
        started[0].wait(0.2)
    assert kill_group(started[0]) == -signal.SIGTERM


def test_a_group_that_ignores_the_request_is_killed() -> None:
    script = "trap '' TERM; echo ready; while :; do sleep 1; done"
    stubborn = spawn(["sh", "-c", script], stdout=subprocess.PIPE)
    assert stubborn.stdout is not None
    stubborn.stdout.readline()

    assert kill_group(stubborn, grace=0.2) == -signal.SIGKILL
    stubborn.stdout.close()


def test_directories_left_by_a_killed_process_are_swept(home: Path) -> None:
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    left = home / f"sampelit-ops-pg-{gone.stdout.strip()}-abc"
    left.mkdir()

    with throwaway(home):
        assert not left.exists()
