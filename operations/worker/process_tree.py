"""Makes django-q2's processes mortal and closed: every fork dies with its parent, only root reads their memory.

In: a cluster's master. Out: the hooks it runs at each fork; each worker leads a process group of its own.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from django_q.signals import post_spawn

from providers.processes import arm_parent_death
from providers.secret_environment import hide_memory


def harden() -> None:
    """Call once in a cluster's master, before it forks its sentinel and workers: they inherit hidden memory too."""
    hide_memory()
    os.register_at_fork(before=_remember, after_in_child=_die_with_parent)
    post_spawn.connect(_lead_own_group, dispatch_uid="operations.worker.own_group")


_parent: list[int] = []


def _remember() -> None:
    _parent[:] = [os.getpid()]


def _die_with_parent() -> None:
    arm_parent_death(signal.SIGKILL)
    if _parent and os.getppid() != _parent[0]:
        os._exit(1)


def _lead_own_group(**_: Any) -> None:
    os.setpgid(0, 0)


def descendants(pid: int) -> list[int]:
    """Every living process below `pid`, from /proc; empty where the platform has none."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            direct = [int(word) for word in children.read().split()]
    except OSError:
        return []
    return direct + [below for child in direct for below in descendants(child)]
