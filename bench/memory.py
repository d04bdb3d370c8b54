"""A process that exports once and prints how much memory it and its helpers needed above an idle worker (MB)."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

import django


def tree_bytes(root: int) -> int:
    """Proportional set size of a process and its descendants: shared pages are counted once in all."""
    total = 0
    parents = {int(p.name): _parent(p) for p in Path("/proc").iterdir() if p.name.isdigit()}
    for pid in parents:
        if _descends(pid, root, parents):
            total += _pss(pid)
    return total


def _parent(path: Path) -> int:
    try:
        return int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except (OSError, IndexError):
        return 0


def _descends(pid: int, root: int, parents: dict[int, int]) -> bool:
    while pid and pid != root:
        pid = parents.get(pid, 0)
    return pid == root


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sampelit_ops.settings")
    django.setup()
    from bench.ours import Variant, run
    from providers.storage.factory import open_store

    directory, connections = Path(sys.argv[1]), int(sys.argv[2])
    dsn = sys.stdin.read()
    idle = tree_bytes(os.getpid())
    peak, done = [idle], threading.Event()

    def sample() -> None:
        while not done.wait(0.05):
            peak[0] = max(peak[0], tree_bytes(os.getpid()))

    watcher = threading.Thread(target=sample)
    watcher.start()
    run(dsn, open_store(f"file://{directory}"), Variant(connections=connections, evidence=True))
    done.set()
    watcher.join()
    above = (peak[0] - idle) / 1e6
    print(json.dumps({"value": round(above, 1), "idle_mb": round(idle / 1e6, 1), "connections": connections}))


if __name__ == "__main__":
    main()
