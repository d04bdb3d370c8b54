"""A server for what strangers wrote: their functions, checks and defaults run in it, under a role that owns no server.

In: the schemas and extensions that a load needs. Out: a database and the logins of its owner and of a reader. Whoever
prepared it cannot sign in any more; it has a socket in its own directory and no port.
"""

from __future__ import annotations

import os
import pwd
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import quote

import psycopg

from providers import machine
from providers.embedded_postgres import cluster, enclosure, kept_cluster
from providers.embedded_postgres.furnish import Databases, Logins, Needs, furnish
from providers.embedded_postgres.install import bin_dir, whole_of
from providers.embedded_postgres.server import EmbeddedPostgres
from providers.embedded_postgres.throwaway import throwaway_of
from providers.postgres.connection import statements
from providers.processes import kill_group, spawn

HBA = "local all all scram-sha-256\n"
ENCLOSURE = Path(enclosure.__file__)
NOT_ENCLOSED = "not enclosed: "
UNLOGGED = {"wal_level": "minimal", "max_wal_senders": "0", "wal_init_zero": "off", "autovacuum": "off"}
MEGABYTE = 1 << 20
TRANSIENT = range(61184, 65520)  # systemd gives these to services for as long as they run


class Cell(EmbeddedPostgres):
    """Reached by the socket in its directory (0700) alone; with `seal` its superuser goes."""

    account: tuple[int, int]

    @property
    def host(self) -> str:
        return quote(str(self.data_dir), safe="")

    def listening(self) -> dict[str, str]:
        return {"listen_addresses": "", "unix_socket_directories": str(self.data_dir)}

    def prepare(self) -> None:
        cluster.prepare(self.data_dir, self.major, make=kept_cluster.make)
        (self.cluster / "pg_hba.conf").write_text(HBA)
        self.account = _own_account(self.data_dir)

    def run(self, argv: list[str | Path], stdout: int) -> subprocess.Popen[bytes]:
        """Under an account, a root and a network of its own, as far as the platform has them; the log says so."""
        places = [self.data_dir, whole_of(bin_dir(self.major))]
        words = [os.getpid(), *self.account, len(places), *places]
        enclosed = [sys.executable, "-I", "-S", ENCLOSURE, *map(str, words), *argv]
        try:
            return spawn(
                enclosed,
                env=cluster.ENVIRONMENT,
                cwd="/",
                die_with_parent=signal.SIGINT,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=subprocess.STDOUT,
            )
        except PermissionError as error:  # an interpreter that only whoever started us may start
            os.write(stdout, f"{NOT_ENCLOSED}{error}\n".encode())
            return super().run(argv, stdout)

    def stop(self) -> None:
        """At once: nothing here is kept."""
        if self.process is not None:
            kill_group(self.process, signal.SIGQUIT, grace=5)
        self.process = None

    def seal(self, database: str) -> str:
        """From here on nobody is a superuser; what the platform did not let us have."""
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            connection.execute(statements("cell_sealed").encode())
        (self.data_dir / "password").unlink()
        return self._note()

    def _note(self) -> str:
        """What the enclosure said before the server's first line."""
        with (self.data_dir / "server.log").open(errors="replace") as log:
            first = log.readline().strip()
        return first if first.startswith(NOT_ENCLOSED) else ""


def _own_account(data_dir: Path) -> tuple[int, int]:
    """As root a number that is nobody's, for this server alone; else our own. The directory is given to it."""
    if os.geteuid():
        return os.geteuid(), os.getegid()
    number = secrets.choice(sorted(set(TRANSIENT) - {entry.pw_uid for entry in pwd.getpwall()}))
    try:
        for path in (data_dir, *data_dir.rglob("*")):
            os.chown(path, number, number, follow_symlinks=False)
    except OSError:  # a container that has fewer accounts: the one that made it must do
        cluster.give_to_server(data_dir, *data_dir.rglob("*"))
        number = data_dir.stat().st_uid
    return number, number


def open_for(server: Databases, database: str, needs: Needs) -> Logins:
    """A database for one load. In a cell nothing can be prepared afterwards."""
    logins = furnish(server, database, needs)
    return replace(logins, note=server.seal(database)) if isinstance(server, Cell) else logins


def sorting(free: int | None) -> str:
    """What of so many free bytes an index is sorted in: a sixteenth, and never less than a server takes by itself."""
    return f"{min(256, max(64, (free or 0) // 16 // MEGABYTE))}MB"


@contextmanager
def cell(base: Path | None = None, major: int = 0, *, logged: bool = False) -> Iterator[Cell]:
    """A throwaway one for the length of the block: it cleans up after nobody and keeps no log to recover from.

    `logged`: it writes the log that a server of the product writes, as whoever measures it asks.
    """
    options = {} if logged else UNLOGGED
    sorted_in = sorting(machine.free_memory())
    with throwaway_of(partial(Cell, major=major), base, **options, maintenance_work_mem=sorted_in) as server:
        yield server
