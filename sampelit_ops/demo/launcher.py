"""`make run`: embedded database, sandbox, worker and web server in one tree; then a proven export of the audit trail.

Every child dies with this process, however it ends. Any child that ends by itself stops everything.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

from providers.processes import arm_parent_death
from providers.secret_environment import conceal
from sampelit_ops.database_guard import errors_as_sentences, refuse_foreign_database
from sampelit_ops.demo.child_processes import sandbox_values, start_portal, start_sandbox, wait_for_web, watch
from sampelit_ops.demo.database import NAME, ROLE, demo_cluster
from sampelit_ops.demo.environment import another_users, read_demo_env, write_demo_env
from sampelit_ops.demo.migrations import FILES
from sampelit_ops.demo.paths import DATA

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
    conceal()
    if os.environ.get("MAKELEVEL"):
        arm_parent_death(signal.SIGTERM)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    began = time.monotonic()
    with errors_as_sentences(), ExitStack() as stack:
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
    _make_data()
    _only_one(stack)
    given = {name: value for name, value in os.environ.items() if name not in FIXED}
    values = _values()
    _prefer(given, values)
    sandbox = start_sandbox(stack)
    server = stack.enter_context(demo_cluster())
    values["DATABASE_URL"] = os.environ["DATABASE_URL"] = server.dsn(NAME)
    _say(began, "database ready")
    values |= sandbox_values(sandbox)
    _prefer(given, values)
    write_demo_env({name: value for name, value in values.items() if name != "DATABASE_URL"})
    _say(began, "sandbox ready: a Sampelit database, its health page and both provider APIs")
    logins = _prepare(server.password)
    os.environ["DATABASE_URL"] = server.dsn(NAME, ROLE)  # of the children
    _say(began, "schema migrated, people and environments in place")
    children = start_portal(stack, values["PORT"]) | {"sandbox": sandbox}
    wait_for_web(children["web"], values["PORT"])
    _say(began, "web server and workers up")
    _prove(began)
    print(f"Sampelit Ops is ready: {values['OPS_BASE_URL']}/admin/")
    for username, password, totp in logins:
        print(f"login {username} {password} {totp}")
    print("Ctrl-C stops everything.", flush=True)
    return watch(children, server)


def _make_data() -> None:
    try:
        DATA.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise SystemExit(f"{DATA} cannot be made: {error.strerror}; nothing was started. Set OPS_DATA_DIR.") from None
    if not os.access(DATA, os.W_OK):
        raise SystemExit(another_users(DATA))


def _values() -> dict[str, str]:
    """What the last start chose, else new choices; what must be so for the demo."""
    values = {**_secrets(), **read_demo_env(), **FIXED}
    values["PORT"] = _port(os.environ.get("PORT"), values.get("PORT"))
    values["OPS_DATA_DIR"] = str(DATA)
    values.setdefault("BACKUP_STORE", (DATA / "backups").as_uri())
    values.setdefault("MIGRATIONS_SOURCE", str(FILES))  # the sandbox's commits lie in no repository
    values["OPS_BASE_URL"] = f"http://127.0.0.1:{values['PORT']}"
    return values


def _prefer(given: dict[str, str], values: dict[str, str]) -> None:
    """Where the real environment says something it wins, here and in the file; then make it ours."""
    values.update({name: given[name] for name in values if name in given})
    os.environ.update(values)


def _only_one(stack: ExitStack) -> None:
    """Lock the directory itself: no file is left, and the kernel frees it even after kill -9."""
    handle = os.open(DATA, os.O_RDONLY)
    stack.callback(os.close, handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SystemExit(
            f"The demo already runs from {DATA}; nothing was started. Stop the other first, or set OPS_DATA_DIR."
        ) from None


def _secrets() -> dict[str, str]:
    from pyrage import x25519

    from sampelit_ops.demo.keys import demo_keys

    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FACTOR_KEY": secrets.token_urlsafe(50),
        "AUTHORITY_KEY": secrets.token_urlsafe(50),
        "OPS_SEAL_IDENTITY": str(x25519.Identity.generate()),
        **demo_keys(),
    }


def _port(asked: str | None, last: str | None) -> str:
    """PORT itself, or nothing is started; without it the last start's port if that is free, else a free one."""
    if asked:
        if not asked.isdigit() or _free(int(asked)) is None:
            raise SystemExit(f"PORT={asked} is taken or no port; nothing was started. Choose another or unset it.")
        return asked
    return str((_free(int(last)) if last else None) or _free(0))


def _free(port: int) -> int | None:
    """The port, if it can be had now (0: any)."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return None
        return int(probe.getsockname()[1])


def _prepare(password: str) -> list[tuple[str, str, str]]:
    """Migrate and seed in this process; the logins. Refused, before the first write, on the product's database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sampelit_ops.settings")
    refuse_foreign_database()
    from django.core.management import call_command
    from django.db import connections

    logging.disable(logging.INFO)  # this terminal shows what was done; the children's logs lie in .data/log
    call_command("migrate", verbosity=0)
    from ledger.app_role import grant
    from sampelit_ops.demo.story import seed
    from sampelit_ops.demo.users import create_demo_users

    logins = create_demo_users()
    seed()
    grant(ROLE, password)
    connections["default"].cursor().execute(f"GRANT pg_read_all_settings TO {ROLE}")  # ops.E008 asks whose server it is
    connections.close_all()
    return logins


def _prove(began: float) -> None:
    """Export and prove the demo's audit trail through the queue, unless a run is proven already."""
    from sampelit_ops.demo.story import prove_audit_trail

    _say(began, prove_audit_trail())


def _say(began: float, what: str, out: Callable[[str], None] = print) -> None:
    out(f"[{time.monotonic() - began:5.1f} s] {what}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
