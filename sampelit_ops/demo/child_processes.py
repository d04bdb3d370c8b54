"""The processes of the demo: sandbox, worker, web server. In: a stack that stops them. Out: running children.

Each writes its own log in .data/log and dies with the launcher, however that ends.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from providers.embedded_postgres.server import EmbeddedPostgres
from providers.processes import kill_group, spawn
from sampelit_ops.demo.paths import DATA, REPOSITORY

LOGS = DATA / "log"
MANAGE: list[str | Path] = [sys.executable, REPOSITORY / "manage.py"]
Child = subprocess.Popen[bytes]


def start_sandbox(stack: ExitStack) -> Child:
    return _start(stack, "sandbox", [*MANAGE, "sandbox"], stdout=subprocess.PIPE)


def sandbox_values(sandbox: Child) -> dict[str, str]:
    """The NAME=value lines that it prints once it is ready. Raises SystemExit where it ends before that."""
    values: dict[str, str] = {}
    assert sandbox.stdout is not None  # noqa: S101 (opened as a pipe above)
    for line in sandbox.stdout:
        name, _, value = line.decode().strip().partition("=")
        if name == "SANDBOX_READY":
            return values
        values[name] = value
    raise SystemExit(f"The sandbox did not start; the demo stops. {_last_words('sandbox')}")


def start_portal(stack: ExitStack, port: str) -> dict[str, Child]:
    web: list[str | Path] = [
        sys.executable,
        "-m",
        "gunicorn",
        "sampelit_ops.wsgi",
        "--config",
        "python:sampelit_ops.gunicorn_conf",
        "--bind",
        f"127.0.0.1:{port}",
        "--workers",
        "1",
    ]
    return {
        "worker": _start(stack, "worker", [*MANAGE, "run_worker"]),
        "web": _start(stack, "web", web),
    }


def wait_for_web(web: Child, port: str, seconds: float = 40) -> None:
    """Until it accepts connections. Raises SystemExit when it ended, or after `seconds`."""
    until = time.monotonic() + seconds
    while web.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"The web server did not start; the demo stops. {_last_words('web')}")


def watch(children: dict[str, Child], database: EmbeddedPostgres) -> int:
    """Until one of them, or the portal's database, ends by itself; then everything must stop."""
    while True:
        time.sleep(0.5)
        if not database.running():
            print(f"the portal's database ended; everything stops. Its log: {database.data_dir / 'server.log'}")
            return 1
        for name, process in children.items():
            if process.poll() is not None:
                print(f"{name} ended with {process.returncode}; everything stops. {_last_words(name)}")
                return 1


def _start(stack: ExitStack, name: str, argv: list[str | Path], **options: int) -> Child:
    """Start a child with its own log; it is stopped, last started first, when the stack unwinds."""
    log = stack.enter_context(_opened(LOGS / f"{name}.log"))
    process = spawn(argv, secrets_by_pipe=True, **{"stdout": log, "stderr": log, **options})  # type: ignore[arg-type]
    stack.callback(kill_group, process, signal.SIGTERM, 8)
    return process


def _opened(path: Path) -> BinaryIO:
    """A log that only its owner reads, whatever the umask, also one of an earlier start."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.parent.chmod(0o700)
    log = open(path, "ab", opener=lambda name, flags: os.open(name, flags, 0o600))  # noqa: SIM115 (the caller's)
    os.fchmod(log.fileno(), 0o600)
    return log


def _last_words(name: str) -> str:
    """The end of its log, where the reason stands, and where the rest is."""
    path = LOGS / f"{name}.log"
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"Its last words: {lines[-1][:400]} (log: {path})" if lines else f"Its log is empty: {path}"
