"""How much room this machine (or its container) has left. In: the kernel's files. Out: bytes, or None where unknown."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")  # version 2, as seen from inside a container


def free_disk() -> int:
    """Of the temporary directory."""
    return shutil.disk_usage(tempfile.gettempdir()).free


def free_memory() -> int | None:
    """The smaller of what the machine and what the container's limit leave; page cache that can go counts as free."""
    left = [limit for limit in (_of_machine(), _of_container()) if limit is not None]
    return min(left, default=None)


def _of_machine() -> int | None:
    try:
        lines = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None


def _of_container() -> int | None:
    try:
        limit = int((CGROUP / "memory.max").read_text())
        used = int((CGROUP / "memory.current").read_text())
        stat = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
        return max(0, limit - used + int(stat.get("inactive_file", 0)))
    except (OSError, ValueError):
        return None
