"""The memory of every service of render.yaml, idle and while an export is made and proven: in MB, beside its plan.

In: a directory. Out: one row a service; the sandbox stands where the product and the providers are.
"""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import psycopg

from deployments.blueprint.rules.words import MEMORY_MB
from providers.memory import proportional_bytes
from tests.deploy_walk import WEB, Walk, deployed

SETTLED = 20.0  # seconds after the first canaries
PAGES = ("/admin/login/", "/healthz", "/readyz")
ENDED = "SELECT status FROM operations_operation WHERE kind = 'backups.export' AND status IN ('succeeded', 'failed')"


def memory(home: Path, rows: int) -> dict[str, dict[str, Any]]:
    """Rows by `memory_<service>`: `idle_mb`, the peak `value`, the plan's `plan_mb`."""
    with deployed(home, rows=rows) as walk:
        walk.answers()
        time.sleep(SETTLED)
        idle = {name: _size(processes) for name, processes in walk.platform.running.items()}
        with Peaks(walk) as peaks:
            walk.shell(WEB, "sampelit-ops setup --email you@example.com")
            tick = walk.platform.start("sampelit-ops-tick")
            _until_proven(walk)
            tick.wait(60)
    plans = {name: MEMORY_MB[service["plan"]] for name, service in walk.platform.services.items()}
    return {
        f"memory_{name}": {"value": peak, "idle_mb": idle.get(name, 0), "plan_mb": plans[name]}
        for name, peak in peaks.most.items()
    }


class Peaks:
    """The most that each service held within the block."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.most, self.done = walk, dict[str, int](), threading.Event()
        self.thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Peaks:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()

    def _sample(self) -> None:
        while not self.done.wait(0.1):
            for name, processes in list(self.walk.platform.running.items()):
                self.most[name] = max(self.most.get(name, 0), _size(processes))


def _size(processes: list[subprocess.Popen[bytes]]) -> int:
    return sum(proportional_bytes(process.pid) for process in processes) >> 20


def _until_proven(walk: Walk) -> None:
    until = time.monotonic() + 300
    with psycopg.connect(walk.platform.database_url, autocommit=True) as portal:
        while time.monotonic() < until:
            row = portal.execute(ENDED).fetchone()
            if row:
                if row != ("succeeded",):
                    raise RuntimeError(f"the first export {row[0]}")
                return
            time.sleep(0.5)
    raise RuntimeError("the first export did not end within five minutes")
