"""Secret variables out of sight of every other process of this user. In: the environment, or a pipe that it names.

Out: os.environ as before, but no secret in /proc/PID/environ, no core file, and memory that only root may read. Child
processes of ours get theirs by a pipe, read once. `python -m providers.secret_environment MODULE …` does it first.
"""

from __future__ import annotations

import ctypes
import json
import multiprocessing
import os
import resource
import runpy
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from providers import redact
from providers.errors import ProviderError

VARIABLE = "OPS_SECRETS_FD"
PR_SET_DUMPABLE = 4
STATE, ENVIRONMENT = 3, (50, 51)  # fields of /proc/PID/stat, proc_pid_stat(5): state is the first after the name
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def conceal() -> None:
    """Call it first in a process that holds keys; what it forks stays hidden, what it starts has to call it again."""
    hide_memory()
    os.environ.update(_received())
    secret = {name: value for name, value in os.environ.items() if redact.is_secret(name, value)}
    os.environ.update(secret)  # copies of their own: the originals are wiped
    _wipe(set(secret))
    if sys.version_info >= (3, 14) and sys.platform == "linux":
        # Its default would start a helper process beside each of ours, with all variables in its environment.
        multiprocessing.set_start_method("fork", force=True)


def hide_memory() -> None:
    """Nobody but root reads this process's memory, variables or open files, and a crash writes none of them down."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if _libc is not None:
        _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


@contextmanager
def handed_on(environment: Mapping[str, str]) -> Iterator[tuple[dict[str, str], int]]:
    """The environment without its secrets, and a pipe that holds them for a child that inherits it."""
    secret = {name: value for name, value in environment.items() if redact.is_secret(name, value)}
    reading, writing = os.pipe()
    try:
        _write(writing, json.dumps(secret).encode())
        plain = {name: value for name, value in environment.items() if name not in secret}
        yield {**plain, VARIABLE: str(reading)}, reading
    finally:
        os.close(reading)


def showing(values: Collection[str]) -> list[int]:
    """Processes that show one of these in their variables to us, and so to whatever runs under our user."""
    wanted, found = [os.fsencode(value) for value in values if value], []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = (process / "environ").read_bytes()
        except OSError:  # it is closed to us, or gone
            continue
        if any(value in variables for value in wanted):
            found.append(int(process.name))
    return sorted(found)


def _write(pipe: int, message: bytes) -> None:
    os.set_blocking(pipe, False)  # nobody reads yet: what does not fit would be waited for
    try:
        if os.write(pipe, message) < len(message):
            raise ProviderError("The secret variables are larger than a pipe takes; nothing was started. Shorten them.")
    finally:
        os.close(pipe)


def _received() -> dict[str, str]:
    given = os.environ.pop(VARIABLE, "")
    if not given:
        return {}
    with os.fdopen(int(given), "rb") as pipe:
        values: dict[str, str] = json.loads(pipe.read())
    return values


def _wipe(names: set[str]) -> None:
    """Overwrite variables where the kernel put them at the start; libc and Python hold copies by now."""
    if _libc is None:
        return
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    position, end = (int(fields[number - STATE]) for number in ENVIRONMENT)
    for entry in ctypes.string_at(position, end - position).split(b"\0"):
        if os.fsdecode(entry.partition(b"=")[0]) in names:
            ctypes.memset(position, 0, len(entry))
        position += len(entry) + 1


def main() -> None:
    conceal()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
