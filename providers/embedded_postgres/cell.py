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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import conninfo, sql

from providers.embedded_postgres import cluster, enclosure
from providers.embedded_postgres.server import EmbeddedPostgres, bin_dir
from providers.embedded_postgres.throwaway import throwaway_of
from providers.postgres.connection import statements
from providers.processes import kill_group, spawn

# What a superuser makes for a load: extensions that reach neither files nor other servers. Of others it is said that
# they are missing. The second half PostgreSQL lets no owner make, though they only compute or look.
EXTENSIONS = frozenset(
    [
        "btree_gin",
        "btree_gist",
        "citext",
        "cube",
        "dict_int",
        "fuzzystrmatch",
        "hstore",
        "intarray",
        "isn",
        "lo",
        "ltree",
        "pg_trgm",
        "pgcrypto",
        "seg",
        "tablefunc",
        "tcn",
        "tsm_system_rows",
        "tsm_system_time",
        "unaccent",
        "uuid-ossp",
        "vector",
        "autoinc",
        "bloom",
        "dict_xsyn",
        "earthdistance",
        "insert_username",
        "intagg",
        "moddatetime",
        "pg_stat_statements",
        "refint",
    ]
)
HBA = "local all all scram-sha-256\n"
ENCLOSURE = Path(enclosure.__file__)
TRANSIENT = range(61184, 65520)  # systemd gives these to services for as long as they run


@dataclass(frozen=True)
class Needs:
    """What must be there before the first statement of a load: schemas, and extensions with their schemas."""

    schemas: Sequence[str] = ()
    extensions: Mapping[str, str] | None = None

    @property
    def places(self) -> list[str]:
        """Schemas to make: those of the system, and public, are there."""
        wanted = {*self.schemas, *(self.extensions or {}).values()} - {"public", "information_schema"}
        return sorted(name for name in wanted if not name.startswith("pg_"))


@dataclass(frozen=True)
class Logins:
    """`owner` loads; `reader` sees every row and owns nothing."""

    owner: str
    reader: str


class Cell(EmbeddedPostgres):
    """Reached by the socket in its directory (0700) alone; with `furnish` its superuser goes."""

    @property
    def host(self) -> str:
        return quote(str(self.data_dir), safe="")

    def listening(self) -> dict[str, str]:
        return {"listen_addresses": "", "unix_socket_directories": str(self.data_dir)}

    def prepare(self) -> None:
        super().prepare()
        (self.cluster / "pg_hba.conf").write_text(HBA)
        self.account = _own_account(self.data_dir)

    def run(self, argv: list[str | Path], stdout: int) -> subprocess.Popen[bytes]:
        """Under an account, a root and a network of its own, as far as the platform has them; the log says so."""
        places = [self.data_dir, bin_dir().parent]
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
            os.write(stdout, f"not enclosed: {error}\n".encode())
            return super().run(argv, stdout)

    account: tuple[int, int]

    def stop(self) -> None:
        """At once: nothing here is kept."""
        if self.process is not None:
            kill_group(self.process, signal.SIGQUIT, grace=5)
        self.process = None

    def furnish(self, database: str, needs: Needs) -> Logins:
        """A database for one load. Nothing can be prepared on this server afterwards."""
        logins = furnish(self, database, needs)
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            connection.execute(statements("cell_sealed").encode())
        (self.data_dir / "password").unlink()
        return logins


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


def furnish(server: EmbeddedPostgres, database: str, needs: Needs) -> Logins:
    """Make the database, its two roles, its schemas and the allowed extensions, as the superuser of the server."""
    server.create_database(database)
    names = {"owner": f"{database}_owner", "reader": f"{database}_reader"}
    passwords = {name: secrets.token_urlsafe(24) for name in names}
    parts: dict[str, sql.Composable] = {name: sql.Identifier(role) for name, role in names.items()}
    parts |= {f"{name}_password": sql.Literal(password) for name, password in passwords.items()}
    parts["database"] = sql.Identifier(database)
    admin = server.dsn(database)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL(statements("cell_roles")).format(**parts))
        for schema in needs.places:
            words = sql.SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}")
            connection.execute(words.format(sql.Identifier(schema), parts["owner"]))
        _make_extensions(connection, needs.extensions or {})
    logins = {name: conninfo.make_conninfo(admin, user=names[name], password=passwords[name]) for name in names}
    return Logins(**logins)


def _make_extensions(connection: psycopg.Connection[tuple[object, ...]], wanted: Mapping[str, str]) -> None:
    """Those that are allowed and that this server has; with what they need themselves (earthdistance: cube)."""
    offered = {str(row[0]) for row in connection.execute("SELECT name FROM pg_available_extensions")}
    for name in sorted(wanted.keys() & EXTENSIONS & offered):
        words = sql.SQL("CREATE EXTENSION IF NOT EXISTS {} WITH SCHEMA {} CASCADE")
        connection.execute(words.format(sql.Identifier(name), sql.Identifier(wanted[name])))


@contextmanager
def cell(base: Path | None = None) -> Iterator[Cell]:
    """A throwaway one for the length of the block."""
    with throwaway_of(Cell, base) as server:
        yield server


Furnish = Callable[[str, Needs], Logins]
