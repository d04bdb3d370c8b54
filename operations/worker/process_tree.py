"""Makes workers' processes mortal and closed: every fork dies with its parent, only root reads their memory.

In: the supervisor. Out: the hooks it runs at each fork; each worker leads a process group of its own.
"""

from __future__ import annotations

import os
import signal

from providers.processes import arm_parent_death
from providers.secret_environment import hide_memory


def harden() -> None:
    """Call once, before the first fork: all that follow inherit hidden memory too."""
    hide_memory()
    os.register_at_fork(before=_remember, after_in_child=_die_with_parent)


_parent: list[int] = []


def _remember() -> None:
    _parent[:] = [os.getpid()]


def _die_with_parent() -> None:
    arm_parent_death(signal.SIGKILL)
    if _parent and os.getppid() != _parent[0]:
        os._exit(1)


def lead_own_group() -> None:
    """Of a worker: what it starts can be ended with it."""
    os.setpgid(0, 0)


def descendants(pid: int) -> list[int]:
    """Every living process below `pid`, from /proc; empty where the platform has none."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            direct = [int(word) for word in children.read().split()]
    except OSError:
        return []
    return direct + [below for child in direct for below in descendants(child)]
