"""`make run`: embedded database, sandbox, worker and web server in one tree; then a proven export of the audit trail.

Every child dies with this process, however it ends. Any child that ends by itself stops everything.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from providers.processes import arm_parent_death, kill_group, spawn
from sampelit_ops.demo.database import demo_server
from sampelit_ops.demo.environment import DATA, REPOSITORY, read_demo_env, write_demo_env
from sampelit_ops.demo.migrations import FILES

MANAGE: list[str | Path] = [sys.executable, REPOSITORY / "manage.py"]
FIXED = {
    "DEMO": "1",
    "OPS_PROVE_QUEUE": "export",
    "OPS_WORKERS": "2",
    "OPS_LEASE_SECONDS": "20",
    "OPS_HEARTBEAT_SECONDS": "4",
    "OPS_TICK_SECONDS": "5",
    "OPS_REWAKE_SECONDS": "15",
}


class Stopped(BaseException):
    """A signal asked the demo to end."""


def main() -> int:
    if os.environ.get("MAKELEVEL"):
        arm_parent_death(signal.SIGTERM)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    began = time.monotonic()
    with ExitStack() as stack:
        try:
            return _serve(stack, began)
        except Stopped:
            print("stopping …", flush=True)
            return 0


def _stop(*_: object) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


def _serve(stack: ExitStack, began: float) -> int:
    DATA.mkdir(mode=0o755, parents=True, exist_ok=True)
    _only_one(stack)
    given = {name: value for name, value in os.environ.items() if name not in FIXED}
    values = {**_secrets(), **read_demo_env(), **FIXED}
    values["PORT"] = os.environ.get("PORT") or _port(values.get("PORT"))
    values["OPS_DATA_DIR"] = str(DATA)
    values.setdefault("BACKUP_STORE", f"file://{DATA}/backups")
    values.setdefault("MIGRATIONS_SOURCE", str(FILES))  # the sandbox's commits lie in no repository
    values["OPS_BASE_URL"] = f"http://127.0.0.1:{values['PORT']}"
    _prefer(given, values)
    sandbox = _start(stack, "sandbox", [*MANAGE, "sandbox"], stdout=subprocess.PIPE)
    values["DATABASE_URL"] = os.environ["DATABASE_URL"] = stack.enter_context(demo_server())
    _say(began, "database ready")
    values |= _sandbox_values(sandbox)
    _prefer(given, values)
    write_demo_env({name: value for name, value in values.items() if name != "DATABASE_URL"})
    _say(began, "sandbox ready: a Sampelit database, its health page and both provider APIs")
    logins = _prepare()
    _say(began, "schema migrated, people and environments in place")
    children = _start_portal(stack, values["PORT"]) | {"sandbox": sandbox}
    _wait_for_web(values["PORT"])
    _say(began, "web server and workers up")
    _prove(began)
    print(f"Sampelit Ops is ready: {values['OPS_BASE_URL']}/admin/")
    for username, password, totp in logins:
        print(f"login {username} {password} {totp}")
    print("Ctrl-C stops everything.", flush=True)
    return _watch(children)


def _prefer(given: dict[str, str], values: dict[str, str]) -> None:
    """Where the real environment says something it wins, here and in the file; then make it ours."""
    values.update({name: given[name] for name in values if name in given})
    os.environ.update(values)


def _only_one(stack: ExitStack) -> None:
    """Hold an abstract socket named after this directory; the kernel frees it even after kill -9."""
    lock = stack.enter_context(socket.socket(socket.AF_UNIX))
    try:
        lock.bind(f"\0sampelit-ops:{DATA}" if sys.platform == "linux" else str(DATA / "lock"))
    except OSError:
        raise SystemExit(
            "The demo already runs from this directory; nothing was started. Stop the other first."
        ) from None


def _secrets() -> dict[str, str]:
    from pyrage import x25519

    from sampelit_ops.demo.keys import demo_keys

    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "OPS_SEAL_IDENTITY": str(x25519.Identity.generate()),
        **demo_keys(),
    }


def _port(wanted: str | None) -> str:
    """The last start's port if it is free, else a free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(wanted or 0)))
        except OSError:
            return _port(None)
        return str(probe.getsockname()[1])


def _start(stack: ExitStack, name: str, argv: list[str | Path], **options: int) -> subprocess.Popen[bytes]:
    """Start a child with its own log in .data/log; it is stopped, last started first, when the stack unwinds."""
    logs = DATA / "log"
    logs.mkdir(exist_ok=True)
    log = stack.enter_context((logs / f"{name}.log").open("ab"))
    process = spawn(argv, **{"stdout": log, "stderr": log, **options})  # type: ignore[arg-type]
    stack.callback(kill_group, process, signal.SIGTERM, 8)
    return process


def _sandbox_values(sandbox: subprocess.Popen[bytes]) -> dict[str, str]:
    values: dict[str, str] = {}
    assert sandbox.stdout is not None  # noqa: S101 (opened as a pipe above)
    for line in sandbox.stdout:
        name, _, value = line.decode().strip().partition("=")
        if name == "SANDBOX_READY":
            return values
        values[name] = value
    raise SystemExit(f"The sandbox did not start; the demo stops. Its log: {DATA / 'log' / 'sandbox.log'}")


def _prepare() -> list[tuple[str, str, str]]:
    """Migrate and seed in this process; the logins."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sampelit_ops.settings")
    import django
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    logging.disable(logging.INFO)  # this terminal shows what was done; the children's logs lie in .data/log
    call_command("migrate", verbosity=0)
    from sampelit_ops.demo.story import seed
    from sampelit_ops.demo.users import create_demo_users

    logins = create_demo_users()
    seed()
    connections.close_all()
    return logins


def _start_portal(stack: ExitStack, port: str) -> dict[str, subprocess.Popen[bytes]]:
    web: list[str | Path] = [
        sys.executable, "-m", "gunicorn", "sampelit_ops.wsgi", "--bind", f"127.0.0.1:{port}",
        "--worker-class", "gthread", "--workers", "1", "--threads", "8", "--no-control-socket",
    ]  # fmt: skip
    return {
        "worker": _start(stack, "worker", [*MANAGE, "run_worker"]),
        "web": _start(stack, "web", web),
    }


def _wait_for_web(port: str, seconds: float = 40) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"The web server did not start; the demo stops. Its log: {DATA / 'log' / 'web.log'}")


def _prove(began: float) -> None:
    """Export and prove the demo's audit trail through the queue, unless a run is proven already."""
    from sampelit_ops.demo.story import prove_audit_trail

    _say(began, prove_audit_trail())


def _watch(children: dict[str, subprocess.Popen[bytes]]) -> int:
    while True:
        time.sleep(0.5)
        for name, process in children.items():
            if process.poll() is not None:
                log = DATA / "log" / f"{name}.log"
                print(f"{name} ended with {process.returncode}; everything stops. Its log: {log}")
                return 1


def _say(began: float, what: str, out: Callable[[str], None] = print) -> None:
    out(f"[{time.monotonic() - began:5.1f} s] {what}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
