"""A plan's memory as the platform enforces it: what grows over it is killed, and that is counted.

In: a name and MB. Out: a prefix for the service's shell, and how many of its processes were killed. A control group (v1
or v2) where one can be made; else a watcher that does with the proportional set size what the kernel would do.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

from providers.memory import proportional_bytes, tree

V1, V2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")


class PlanLimit:
    def __init__(self, name: str, megabytes: int) -> None:
        self.bytes = megabytes << 20
        self.watched: list[int] = []
        self._kills = 0
        self._done = threading.Event()
        self.group = self._group(f"sampelit-{os.getpid()}-{name}")
        if self.group is None:
            threading.Thread(target=self._watch, daemon=True).start()

    @property
    def prefix(self) -> str:
        """What the service's shell runs first: it moves itself, and all that follows, into the group."""
        return f"echo $$ > {self.group}/cgroup.procs; " if self.group else ""

    def kills(self) -> int:
        if self.group is None:
            return self._kills
        name = "memory.oom_control" if self.group.parent == V1 else "memory.events"
        words = dict(line.split() for line in (self.group / name).read_text().splitlines())
        return int(words.get("oom_kill", 0))

    def most_mb(self) -> int:
        """The most that the group held, page cache included."""
        name = "memory.max_usage_in_bytes" if self.group and self.group.parent == V1 else "memory.peak"
        path = self.group / name if self.group else Path("/nonexistent")
        return int(path.read_text()) >> 20 if path.exists() else 0

    def close(self) -> None:
        self._done.set()
        if self.group is not None:
            self.group.rmdir()

    def _group(self, name: str) -> Path | None:
        for base, limit in ((V1, "memory.limit_in_bytes"), (V2, "memory.max")):
            group = base / name
            try:
                group.mkdir()
                (group / limit).write_text(str(self.bytes))
            except OSError:
                if group.is_dir():
                    group.rmdir()
                continue
            return group
        return None

    def _watch(self) -> None:
        while not self._done.wait(0.2):
            for root in self.watched:
                if proportional_bytes(root) > self.bytes:
                    self._kills += 1
                    os.kill(max(tree(root), key=proportional_bytes), signal.SIGKILL)
