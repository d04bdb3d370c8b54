"""Child processes that never outlive us. In: an argv. Out: a Popen in its own session that dies with its parent.

Linux only for the last part (prctl(2) PR_SET_PDEATHSIG); elsewhere a child is stopped by `kill_group` alone.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from providers.secret_environment import handed_on

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

# glibc: large buffers go back to the system at once, threads share two arenas (mallopt(3)): a third less at the peak.
FRUGAL = {"MALLOC_MMAP_THRESHOLD_": str(4 << 20), "MALLOC_ARENA_MAX": "2"}


def spawn(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    die_with_parent: signal.Signals | None = signal.SIGKILL,
    user: str | None = None,
    group: int | None = None,
    cwd: str | Path | None = None,
    secrets_by_pipe: bool = False,
    **popen: Any,
) -> subprocess.Popen[bytes]:
    """Start `argv` in a new session; the kernel sends it `die_with_parent` when this process ends, however it ends.

    With `user` the child gives up every privilege of ours first (supplementary groups included). `secrets_by_pipe`: it
    is one of ours, which takes its secret variables from a pipe (`secret_environment.conceal`).
    """
    if secrets_by_pipe:
        with handed_on(os.environ if env is None else env) as (plain, pipe):
            return spawn(argv, env=plain, die_with_parent=die_with_parent, cwd=cwd, pass_fds=[pipe], **popen)
    if user is not None:
        popen |= {"user": user, "group": group, "extra_groups": []}
    popen |= {"start_new_session": True, "preexec_fn": _before_exec(die_with_parent), "cwd": cwd}
    start: Callable[[], subprocess.Popen[bytes]] = lambda: subprocess.Popen(  # noqa: E731
        [str(part) for part in argv], env=None if env is None else dict(env), **popen
    )
    if threading.current_thread() is threading.main_thread() or die_with_parent is None:
        return start()
    return _spawner(os.getpid()).submit(start).result()


def kill_group(process: subprocess.Popen[bytes], first: signal.Signals = signal.SIGTERM, grace: float = 5.0) -> int:
    """Ask the child's whole process group to end with `first`, after `grace` seconds with SIGKILL; return its code."""
    _signal_group(process, first)
    try:
        code = process.wait(grace)
    except subprocess.TimeoutExpired:
        _signal_group(process, signal.SIGKILL)
        code = process.wait()
    _signal_group(process, signal.SIGKILL)
    return code


def alive(pid: int) -> bool:
    """Whether a process with this id exists, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def arm_parent_death(sig: signal.Signals = signal.SIGKILL) -> None:
    """Make the calling process receive `sig` when its parent's spawning thread ends (for children forked by others)."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(sig), 0, 0, 0)


def _before_exec(sig: signal.Signals | None) -> Callable[[], None] | None:
    """What the child runs between fork and exec; it re-checks the parent, which may be gone before prctl was called."""
    if sig is None or _libc is None:
        return None
    parent, prctl, number = os.getpid(), _libc.prctl, int(sig)

    def arm() -> None:
        prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return arm


@cache
def _spawner(pid: int) -> ThreadPoolExecutor:
    """One immortal thread per process: to prctl(2) the parent is the *thread* that forked, not the process."""
    return ThreadPoolExecutor(1, thread_name_prefix=f"spawner-{pid}")


def _signal_group(process: subprocess.Popen[bytes], sig: signal.Signals) -> None:
    try:
        os.killpg(process.pid, sig)
    except (ProcessLookupError, PermissionError):
        pass
