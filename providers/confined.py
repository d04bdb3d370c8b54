"""Read an archive that a stranger made in a child process with little memory, little time and no secrets.

In: `module:function` of a reader, a name, bytes. Out: (path, bytes) of what it found. The child inherits no variable
but where to find Python; it can write no file and start no second process that outlives it. Raises Refused.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import BoundedSemaphore

from providers import bounded_json
from providers.errors import Refused
from providers.processes import kill_group, spawn

SECONDS = 5
AT_ONCE = 2
MEMORY_BYTES = 512 * 1024 * 1024
ROOT = Path(__file__).resolve().parent.parent
Files = list[tuple[str, bytes]]
_reading = BoundedSemaphore(AT_ONCE)


def read(reader: str, name: str, data: bytes, *, seconds: float = SECONDS) -> Files:
    """What the reader finds in the archive. Raises Refused with its reason, or because it took too much.

    Few are read at once, so that archives never hold all threads of a web server.
    """
    if not _reading.acquire(timeout=seconds):
        raise Refused(f"{AT_ONCE} other archives are being read. Nothing was read; try again in a minute.")
    try:
        return _in_a_child(reader, name, data, seconds)
    finally:
        _reading.release()


def _in_a_child(reader: str, name: str, data: bytes, seconds: float) -> Files:
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    argv = [sys.executable, "-m", "providers.confined", reader, name]
    process = spawn(
        argv, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        answer, _ = process.communicate(data, timeout=3 * seconds)  # by the clock; the child counts its own seconds
    except subprocess.TimeoutExpired:
        kill_group(process, grace=0)
        process.communicate()
        answer = b""
    return _understood(answer, name, seconds)


def _understood(answer: bytes, name: str, seconds: float) -> Files:
    head, _, body = answer.partition(b"\n")
    if not head:
        raise Refused(
            f"{name} takes more than {seconds:g} s or {MEMORY_BYTES // 2**20} MiB to read, as no honest archive does. "
            "Nothing was read; pack the files anew."
        )
    told = bounded_json.loads(head)
    if "refused" in told:
        raise Refused(told["refused"])
    files, position = [], 0
    for path, size in told["files"]:
        files.append((path, body[position : position + size]))
        position += size
    return files


def main(reader: str, name: str) -> None:
    """The child: limits first, then the archive from stdin, what was found to stdout."""
    _limit(resource.RLIMIT_CPU, SECONDS)
    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    _limit(resource.RLIMIT_FSIZE, 0)
    module, _, function = reader.partition(":")
    try:
        found: Iterable[tuple[str, bytes]] = getattr(importlib.import_module(module), function)(
            name, sys.stdin.buffer.read()
        )
        files = list(found)
    except Refused as refusal:
        _write({"refused": refusal.reason}, [])
        return
    except (MemoryError, RecursionError):
        return  # said by the parent: nothing came
    _write({"files": [(path, len(content)) for path, content in files]}, files)


def _limit(what: int, most: int) -> None:
    with suppress(ValueError, OSError):  # a platform without this limit still has the clock
        resource.setrlimit(what, (most, most))


def _write(told: dict[str, object], files: Files) -> None:
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n")
    for _, content in files:
        sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
