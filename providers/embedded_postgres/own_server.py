"""An operator's own throwaway server for drills: what no wheel has (PostGIS, ICU, extensions of the platform, a newer
major version). In: its DSN, of a role that may make databases, roles and extensions. Out: databases like those of an
embedded server; they and their roles are gone after the block, what a killed drill left after a day.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import conninfo, sql

from providers.postgres.connection import statements
from providers.postgres.error_facts import explain_load

KEPT_SECONDS = 24 * 3600
MINE = "drill_{:010d}_"


class OwnServer:
    """Names of databases are made unique here, because several drills may share the server."""

    own = True

    def __init__(self, dsn: str) -> None:
        self.admin = dsn
        self.names: dict[str, str] = {}

    def create_database(self, name: str, *, options: sql.Composed | None = None) -> None:
        made = MINE.format(int(time.time())) + secrets.token_hex(4)
        usual = sql.SQL("TEMPLATE template1")
        self._execute(sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(made), options or usual))
        self.names[name] = made

    def dsn(self, name: str) -> str:
        return conninfo.make_conninfo(self.admin, dbname=self.names[name])

    def empty(self) -> None:
        for name in self.names.values():
            self._drop(name)
        self.names.clear()

    def sweep(self) -> None:
        """Databases of drills that were killed; one that somebody uses stays."""
        before = MINE.format(int(time.time()) - KEPT_SECONDS)
        with psycopg.connect(self.admin, autocommit=True) as connection:
            rows = connection.execute("SELECT datname FROM pg_database WHERE datname ~ '^drill_[0-9]{10}_[0-9a-f]{8}$'")
            old = [str(name) for (name,) in rows if str(name) < before]
        for name in old:
            self._drop(name)

    def _drop(self, name: str) -> None:
        with psycopg.connect(conninfo.make_conninfo(self.admin, dbname=name), autocommit=True) as connection:
            roles = [str(role) for (role,) in connection.execute(statements("drill_roles"))]
            for role in map(sql.Identifier, roles):
                connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(role))
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        for role in map(sql.Identifier, roles):
            self._execute(sql.SQL("DROP ROLE {}").format(role))

    def _execute(self, query: sql.Composed) -> None:
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(query)


@contextmanager
def own_server(dsn: str) -> Iterator[OwnServer]:
    server = OwnServer(dsn)
    try:
        server.sweep()
        yield server
    except psycopg.Error as error:
        raise explain_load(error, "Work on the server of DRILL_DSN") from None
    finally:
        server.empty()
