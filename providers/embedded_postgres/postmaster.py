"""Who runs on a cluster directory? In: the directory. Out: the live postmaster named in its postmaster.pid, or None.

The file's lines are described in PostgreSQL's source, src/include/utils/pidfile.h: pid, directory, start, port, …
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from providers.processes import alive


@dataclass(frozen=True)
class Postmaster:
    pid: int
    port: int


def find(cluster: Path) -> Postmaster | None:
    """The live server of `cluster`. A file naming a process that is no server of it is stale and is removed.

    A dead process's file stays: PostgreSQL replaces it after checking that no orphaned backend holds its memory.
    """
    pid_file = cluster / "postmaster.pid"
    try:
        lines = pid_file.read_text().split("\n")
        pid, port = int(lines[0]), int(lines[3]) if len(lines) > 3 and lines[3] else 0
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    if not alive(pid):
        return None
    if _serves(pid, cluster):
        return Postmaster(pid, port)
    pid_file.unlink(missing_ok=True)
    return None


def _serves(pid: int, cluster: Path) -> bool:
    """A server's working directory is its cluster; where that cannot be read, its command line names the cluster."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cwd").samefile(cluster)  # by what it is: another root calls it otherwise
        except FileNotFoundError:
            return False
        except PermissionError:
            return True
    look = ["/bin/ps", "-p", str(pid), "-o", "command="]
    shown = subprocess.run(look, env={}, capture_output=True, text=True, check=False)
    return str(cluster) in shown.stdout
