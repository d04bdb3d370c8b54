"""Through which door this process acts: admin, worker or shell, with its OS user and host. Read once.

`sampelit_ops/wsgi.py` says `admin`: whatever server loads it serves people's browsers. Else the command line tells: the
commands that run the queue and the ticker are `worker`, every other one is `shell`.
"""

from __future__ import annotations

import getpass
import os
import socket
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_WORKER = {"run_worker", "qcluster", "tick"}
_said: list[str] = []


@dataclass(frozen=True)
class Channel:
    name: str
    os_user: str
    host: str


def use(name: str) -> None:
    """Name this process's channel, whatever its command line says; the last name counts."""
    _said[:] = [name]
    current.cache_clear()


@lru_cache(maxsize=1)
def current() -> Channel:
    """What every entry of this process carries."""
    name = _said[0] if _said else _from_command_line(sys.argv)
    return Channel(name, _os_user()[:100], socket.gethostname()[:100])


def _from_command_line(argv: list[str]) -> str:
    words = {Path(word).name for word in argv[:2]}
    return "worker" if words & _WORKER else "shell"


def _os_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
