"""The directory of an embedded server: cluster, password (0600) and log, owned by the account the server runs under.

In: a directory of ours. Out: an initialised cluster in it. Nothing outside that directory changes owner or mode.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from providers.embedded_postgres import postmaster
from providers.embedded_postgres.install import bin_dir, make_open_directories, server_account, traversable
from providers.errors import ProviderError
from providers.processes import alive, spawn

ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
LOCALE = "C.UTF-8" if sys.platform == "linux" else "C"
OURS = {"cluster", "cluster.new", "password", "server.log"}


def prepare(data_dir: Path, major: int = 0, *, make: Callable[[Path, int], None]) -> None:
    """Make the cluster where it is missing or was left half-made; ProviderError for a directory not ours."""
    _refuse_foreign(data_dir)
    if not (data_dir / "cluster").exists():
        make(data_dir, major)


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Make `data_dir` and hold other starters of it off; the lock is on the directory itself and leaves no file.

    Raises ProviderError, before anything is made, where the server's account could not reach the directory.
    """
    _refuse_unreachable(data_dir)
    make_open_directories(data_dir.parent)
    data_dir.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(data_dir, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def run_as_server(
    argv: list[str | Path], *, die_with_parent: bool, stdout: int, env: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start one of PostgreSQL's programs under the server's account; it stops (fast shutdown) when we end."""
    account = server_account()
    return spawn(
        argv,
        env=ENVIRONMENT | (env or {}),
        cwd="/",
        die_with_parent=signal.SIGINT if die_with_parent else None,
        user=account.pw_name if account else None,
        group=account.pw_gid if account else None,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.STDOUT,
    )


def give_to_server(*paths: Path) -> None:
    """Make the server's account the owner of files and directories of ours."""
    if (account := server_account()) is not None:
        for path in paths:
            os.chown(path, account.pw_uid, account.pw_gid)


def sweep(home: Path) -> None:
    """Remove the throwaway directories of processes that are gone (a kill -9 leaves theirs)."""
    for left in home.glob("sampelit-ops-pg-*-*"):
        pid = left.name.split("-")[3]
        if pid.isdigit() and not alive(int(pid)) and postmaster.find(left / "cluster") is None:
            shutil.rmtree(left, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make(data_dir: Path, major: int) -> None:
    """A new cluster by initdb, with a password of its own."""
    password = data_dir / "password"
    password.unlink(missing_ok=True)
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(24))
    give_to_server(data_dir, password)
    fresh = data_dir / "cluster.new"
    shutil.rmtree(fresh, ignore_errors=True)
    argv: list[str | Path] = [bin_dir(major) / "initdb", "-D", fresh, "-U", "postgres", "-A", "scram-sha-256"]
    argv += ["--pwfile", password, "-E", "UTF8", f"--locale={LOCALE}", "--no-sync"]
    made = run_as_server(argv, die_with_parent=True, stdout=subprocess.PIPE)
    output, _ = made.communicate(timeout=120)
    if made.returncode:
        raise ProviderError(f"PostgreSQL could not make a cluster in {data_dir}: {output.decode()[-600:]}")
    fresh.rename(data_dir / "cluster")


def _refuse_unreachable(data_dir: Path) -> None:
    if os.geteuid() == 0 and not traversable(data_dir.parent):
        raise ProviderError(
            f"{data_dir} is hidden from the user PostgreSQL must run as: nothing was started or changed. "
            "Choose a directory whose parents other users may pass (chmod o+x), or run as an ordinary user."
        )


def _refuse_foreign(data_dir: Path) -> None:
    owner, account = data_dir.stat().st_uid, server_account()
    if owner not in {os.geteuid(), account.pw_uid if account else os.geteuid()}:
        raise ProviderError(
            f"{data_dir} belongs to {_name(owner)}: nothing was started or changed. "
            "Run as that user, or choose another directory (OPS_DATA_DIR)."
        )
    strangers = sorted({entry.name for entry in data_dir.iterdir()} - OURS)
    if strangers:
        raise ProviderError(
            f"{data_dir} holds files that are not ours ({', '.join(strangers[:3])}): nothing was started or changed. "
            "Choose an empty directory."
        )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
