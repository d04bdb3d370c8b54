"""Which database answers, whatever its address: the server's system identifier, the database's oid and name.

In: an open session. Out: an Identity. A `MetDsn` is a DSN whose owner is told who answered before anybody gets the
session. Source: PostgreSQL 17, 9.28.9 Control Data Functions; any role may call pg_control_system() by default.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

ASK = """
SELECT oid, datname, has_function_privilege(pg_catalog.to_regprocedure('pg_catalog.pg_control_system()'), 'EXECUTE')
FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()"""


@dataclass(frozen=True)
class Identity:
    """`system_identifier` is empty where the role may not read it. A physical copy keeps its original's identity."""

    system_identifier: str
    database_oid: int
    database_name: str

    def __str__(self) -> str:
        server = self.system_identifier or "with an unreadable identifier"
        return f"database {self.database_name} (oid {self.database_oid}) of server {server}"

    def may_be(self, other: Identity) -> bool:
        """Whether both can be one database: an identifier that a role may not read proves no difference, and neither
        does a name, which ALTER DATABASE changes. A database keeps its oid.
        """
        if self.system_identifier and other.system_identifier:
            return self.key == other.key
        return self.database_oid == other.database_oid

    @property
    def key(self) -> tuple[str, int]:
        """What a new name does not change."""
        return self.system_identifier, self.database_oid


class MetDsn(str):
    """A DSN; `connect` calls `meet` with who answered, and closes the session again where that raises."""

    meet: Callable[[Identity], None]

    def __new__(cls, dsn: str, meet: Callable[[Identity], None]) -> MetDsn:
        made = super().__new__(cls, dsn)
        made.meet = meet
        return made


def identity(connection: psycopg.Connection[Any]) -> Identity:
    """Ask the server who it is. Raises psycopg.Error when it does not answer."""
    row = connection.execute(ASK).fetchone()
    assert row is not None  # noqa: S101 - a session always has a database
    oid, name, allowed = row
    if not allowed:
        return Identity("", int(oid), str(name))
    control = connection.execute("SELECT system_identifier FROM pg_catalog.pg_control_system()").fetchone()
    return Identity(str(control[0]) if control else "", int(oid), str(name))
