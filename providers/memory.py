"""What a long-lived process does to stay small: few arenas, shared pages before a fork, freed memory given back.

Linux with glibc; elsewhere nothing happens. Out: also what the platform allows and what is in use, where it says so.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # mallopt(3)
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
STATISTICS = (
    (Path("/sys/fs/cgroup/memory.stat"), "anon"),
    (Path("/sys/fs/cgroup/memory/memory.stat"), "total_rss"),
)
UNLIMITED = 1 << 60
USUAL = gc.get_threshold()
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def brief() -> None:
    """For a command's start: what it imports stays, so the collector looks through it seldom; `frugal` ends that."""
    gc.set_threshold(100_000, 50, 50)


def frugal() -> None:
    """Large buffers go back to the system at once, threads share two arenas; for this process and what it forks."""
    gc.set_threshold(*USUAL)
    if _libc is not None and hasattr(_libc, "mallopt"):
        _libc.mallopt(M_MMAP_THRESHOLD, 4 << 20)
        _libc.mallopt(M_ARENA_MAX, 2)


@contextmanager
def unswept() -> Iterator[None]:
    """For work that makes very many small values which all stay: the collector would look through them again and again.

    Also a decorator. Nothing that holds large buffers belongs here: what refers to itself is freed only afterwards.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def settle() -> None:
    """Before a fork: what is loaded is left alone by the collector, so that its pages stay shared."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """After a piece of work: freed memory goes back to the system."""
    gc.collect()
    trim()


def trim() -> None:
    """What is free already goes back to the system: a few milliseconds, between the requests of a server."""
    if _libc is not None and hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(0)


def limit_bytes() -> int | None:
    """How much the control group of this process may use; None where nothing limits it."""
    for path in LIMITS:
        try:
            text = path.read_text().strip()
        except OSError:
            continue
        return int(text) if text.isdecimal() and int(text) < UNLIMITED else None
    return None


def used_bytes() -> int | None:
    """What the control group of this process holds and cannot drop: its anonymous memory, without the page cache."""
    for path, name in STATISTICS:
        try:
            lines = path.read_text().splitlines()
        except OSError:
            continue
        return next((int(line.split()[1]) for line in lines if line.split()[0] == name), None)
    return None


def tree(root: int) -> list[int]:
    """A process and everything below it, from /proc."""
    try:
        children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    except OSError:
        children = []
    return [root, *(pid for child in children for pid in tree(int(child)))]


def proportional_bytes(root: int) -> int:
    """The proportional set size of a process and everything below it: shared pages count once in all."""
    return sum(_pss(pid) for pid in tree(root))


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it is gone
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:")), 0)
