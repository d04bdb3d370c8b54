"""A process that exports once and prints how much memory it and its helpers needed above an idle worker (MB)."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

import django

from providers.memory import proportional_bytes


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sampelit_ops.settings")
    django.setup()
    from bench.ours import Variant, run
    from providers.storage.factory import open_store

    directory, connections = Path(sys.argv[1]), int(sys.argv[2])
    dsn = sys.stdin.read()
    idle = proportional_bytes(os.getpid())
    peak, done = [idle], threading.Event()

    def sample() -> None:
        while not done.wait(0.05):
            peak[0] = max(peak[0], proportional_bytes(os.getpid()))

    watcher = threading.Thread(target=sample)
    watcher.start()
    run(dsn, open_store(f"file://{directory}"), Variant(connections=connections, evidence=True))
    done.set()
    watcher.join()
    above = (peak[0] - idle) / 1e6
    print(json.dumps({"value": round(above, 1), "idle_mb": round(idle / 1e6, 1), "connections": connections}))


if __name__ == "__main__":
    main()
