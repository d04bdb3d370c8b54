"""Through which door this process acts: web, worker, shell or test, with its OS user and host. Read once."""

from __future__ import annotations

import getpass
import os
import socket
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_WEB = {"gunicorn", "runserver"}
_WORKER = {"run_worker", "qcluster", "tick"}


@dataclass(frozen=True)
class Channel:
    name: str
    os_user: str
    host: str


@lru_cache(maxsize=1)
def current() -> Channel:
    """OPS_CHANNEL decides where set (the supervisor sets it for what it starts); else the command line does."""
    name = os.environ.get("OPS_CHANNEL") or _from_command_line(sys.argv)
    return Channel(name, _os_user()[:100], socket.gethostname()[:100])


def _from_command_line(argv: list[str]) -> str:
    words = {Path(word).name for word in argv[:2]}
    if words & _WEB:
        return "web"
    return "worker" if words & _WORKER else "shell"


def _os_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
