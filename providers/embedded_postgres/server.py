"""An embedded PostgreSQL server: the portal's own database in the demo and tests; a drill's is a kind of it.

In: a directory of ours. Out: a server on 127.0.0.1 with a password, reached by `dsn()`. It survives crashes, adopts a
server that already runs there if it is ours, and dies with the process that started it.
"""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from providers.embedded_postgres import cluster, postmaster
from providers.embedded_postgres.install import bin_dir, data_home
from providers.errors import ProviderError
from providers.processes import kill_group

__all__ = ["EmbeddedPostgres", "bin_dir", "data_home"]

START_SECONDS = 300.0  # crash recovery of a large database takes its time; a server that dies ends the wait at once
ADOPT_SECONDS = 60.0
LOOPBACK = "127.0.0.1"
NOT_OURS = re.compile("authentication failed|does not exist|no pg_hba.conf entry")


class EmbeddedPostgres:
    """One server in `data_dir`, which is ours alone (0700): cluster, password and log lie in it."""

    own = False

    def __init__(
        self,
        data_dir: Path,
        *,
        options: Mapping[str, str] | None = None,
        port: int | None = None,
        die_with_parent: bool = True,
        major: int = 0,
    ) -> None:
        self.data_dir = Path(data_dir).absolute()
        self.options = dict(options or {})
        self.major = major
        self.port = port
        self.adopted = False
        self.process: subprocess.Popen[bytes] | None = None
        self._wanted_port = port
        self._die_with_parent = die_with_parent

    @property
    def cluster(self) -> Path:
        return self.data_dir / "cluster"

    @property
    def host(self) -> str:
        """Where it is reached, as a URL says it."""
        return LOOPBACK

    @property
    def password(self) -> str:
        return (self.data_dir / "password").read_text()

    def listening(self) -> dict[str, str]:
        return {"listen_addresses": LOOPBACK, "unix_socket_directories": ""}

    def prepare(self) -> None:
        """Make the cluster where it is missing."""
        cluster.prepare(self.data_dir, self.major, make=cluster.make)

    def start(self) -> None:
        """Make the directory if need be, then adopt the server that runs there or start one; ready on return.

        Raises ProviderError when a server that is not ours holds the directory, or the start fails.
        """
        with cluster.locked(self.data_dir):
            self.prepare()
            deadline = time.monotonic() + ADOPT_SECONDS
            while (running := postmaster.find(self.cluster)) is not None:
                if self._adopt(running, deadline):
                    return
                time.sleep(0.05)
            self._launch(time.monotonic() + START_SECONDS)

    def run(self, argv: list[str | Path], stdout: int) -> subprocess.Popen[bytes]:
        """Start the server's program."""
        return cluster.run_as_server(argv, die_with_parent=self._die_with_parent, stdout=stdout)

    def stop(self) -> None:
        """Fast shutdown of the server we started; an adopted one is left to its owner."""
        process, self.process, self.adopted = self.process, None, False
        if process is not None:
            kill_group(process, signal.SIGINT, grace=20)

    def running(self) -> bool:
        """Whether the server we started, or adopted, is still there."""
        if self.process is not None:
            return self.process.poll() is None
        return self.adopted and postmaster.find(self.cluster) is not None

    def dsn(self, dbname: str = "postgres", user: str = "postgres") -> str:
        """postgresql:// URL with the password; roles created with this server's password can be named as `user`."""
        return f"postgresql://{user}:{self.password}@{self.host}:{self.port}/{dbname}"

    def create_database(
        self, name: str, *, template: str = "template1", owner: str = "postgres", options: sql.Composed | None = None
    ) -> None:
        """`options` (with a template of their own) take the place of template, owner and the way of copying."""
        usual = sql.SQL("TEMPLATE {} OWNER {} STRATEGY {}").format(
            sql.Identifier(template),
            sql.Identifier(owner),
            sql.SQL("wal_log" if template == "template1" else "file_copy"),  # four times faster for filled templates
        )
        self._execute(sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), options or usual))

    def drop_database(self, name: str) -> None:
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def databases(self) -> list[str]:
        with psycopg.connect(self.dsn()) as connection:
            return [name for (name,) in connection.execute("SELECT datname FROM pg_database ORDER BY 1")]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute(statement)

    def _launch(self, deadline: float) -> None:
        """Start `postgres` itself; a lost race for a free port, or shared memory not yet released, is tried again."""
        log = self.data_dir / "server.log"
        while True:
            self.port = self._wanted_port or cluster.free_port()
            with log.open("wb") as stream:
                self.process = self.run(self._server_argv(), stream.fileno())
            if self._wait_ready(deadline):
                return
            self.stop()
            tail = log.read_text(errors="replace")[-600:]
            retry = "shared memory block" in tail or ("could not bind" in tail and self._wanted_port is None)
            if not retry or time.monotonic() > deadline:
                raise ProviderError(
                    f"PostgreSQL did not start in {self.data_dir}; no data was changed. It says: {tail}"
                )
            time.sleep(0.2)

    def _server_argv(self) -> list[str | Path]:
        options = {"timezone": "UTC", "log_timezone": "UTC"} | self.listening() | self.options
        argv: list[str | Path] = [bin_dir(self.major) / "postgres", "-D", self.cluster, "-p", str(self.port)]
        return argv + [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    def _wait_ready(self, deadline: float) -> bool:
        while self.process and self.process.poll() is None and time.monotonic() < deadline:
            if self._accepts() is None:
                return True
            time.sleep(0.03)
        return False

    def _accepts(self) -> str | None:
        """None when the server at our port takes our password and serves this very directory, else what it said."""
        try:
            with psycopg.connect(self.dsn(), connect_timeout=5) as connection:
                row = connection.execute("SELECT current_setting('data_directory')").fetchone()
        except (psycopg.OperationalError, FileNotFoundError) as error:
            return str(error) or type(error).__name__
        served = Path(row[0]) if row else None
        same = served is not None and served.resolve() == self.cluster.resolve()
        return None if same else f"it serves another directory, which does not exist here: {served}"

    def _adopt(self, running: postmaster.Postmaster, deadline: float) -> bool:
        """Whether the live server is ours; False while it still starts or stops, an error when it is not ours."""
        self.port = running.port
        objection = self._accepts() if running.port else "it is starting"
        if objection is not None and (NOT_OURS.search(objection) or time.monotonic() > deadline):
            raise ProviderError(
                f"A PostgreSQL server (process {running.pid}) runs in {self.data_dir} and is not ours "
                f"({objection.strip()}): it was neither used nor stopped. Stop it, or choose another directory."
            )
        self.adopted = objection is None
        return self.adopted
