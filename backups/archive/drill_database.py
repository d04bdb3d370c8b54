"""The database that a run is loaded into to be compared. In: a manifest, a way to start a server. Out: a Drill.

Server and database are new, and gone after the block. What the run brings with it runs there as a role that owns no
server (`providers/embedded_postgres/cell.py`), so its errors are cut to facts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType

import psycopg

from backups.archive.manifest import Manifest
from backups.archive.source import Surroundings
from providers import postgres
from providers.embedded_postgres.cell import cell, open_for
from providers.embedded_postgres.choice import fitting
from providers.embedded_postgres.furnish import Databases, Locale, Needs
from providers.embedded_postgres.own_server import own_server
from providers.errors import Refused
from providers.postgres.connection import Connection
from providers.postgres.error_facts import explain_load

Server = Callable[[int, bool], AbstractContextManager[Databases]]
NAME = "drill"
VARIABLE = "DRILL_DSN"
LEFT_OUT = " What only a superuser may make is left out of a drill."
_PLACE = re.compile(r"WITH SCHEMA (?:\"(?P<quoted>(?:[^\"]|\"\")+)\"|(?P<plain>\w+))$")


def chosen_server(major: int = 0, logged: bool = False) -> AbstractContextManager[Databases]:
    """An operator's own throwaway server, where the proving worker has one; else a cell of this major version."""
    dsn = os.environ.get(VARIABLE)
    return own_server(dsn) if dsn else cell(major=major, logged=logged)


drill_server: Server = chosen_server  # looked up at each drill: a test names a server that runs already


@dataclass(frozen=True)
class Drill:
    """A session of the owner, the login of a role that only reads, what the platform denies the server.

    `not_the_same`: what this server has not, or otherwise, than the source's, so what could not be checked here.
    `login`: for more sessions of the owner.
    """

    connection: Connection
    reader: str
    note: str = ""
    owner: str = ""
    not_the_same: tuple[str, ...] = ()
    login: str = ""


@contextmanager
def drill_database(
    manifest: Manifest | None = None,
    server: Server | None = None,
    schemas: Sequence[str] = (),
    *,
    may_create: bool = False,
    extensions: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Drill]:
    """A database with the schemas and extensions of the run and `schemas` of our own, and no table yet.

    `may_create`: its owner makes schemas and trusted extensions too, as whoever applies migrations does, and the server
    logs what is written as the source does. `extensions`: more that the source has, by schema.
    """
    needs = needs_of(manifest, schemas)
    needs = replace(needs, may_create=may_create, extensions={**extensions, **(needs.extensions or {})})
    with (server or drill_server)(fitting(major_of(manifest), needs.extensions or ()), may_create) as running:
        logins = open_for(running, NAME, needs)
        connection = postgres.connect(logins.owner, read_only=False)
        try:
            _refuse_source(connection, manifest)
            yield Drill(connection, logins.reader, logins.note, logins.owner_role, logins.not_the_same, logins.owner)
        except psycopg.Error as error:
            raise explain_load(error, "Work in the drill's server") from None
        finally:
            connection.close()


def _refuse_source(connection: Connection, manifest: Manifest | None) -> None:
    """Nobody drills on the server that the run came from: what is loaded runs there; nor on an older one."""
    found = postgres.facts(connection)
    if found.version // 10000 < major_of(manifest):
        raise Refused(
            f"The run came from PostgreSQL {major_of(manifest)}, and the drill's server is {found.server_version}. "
            f"Nothing was loaded. Name a throwaway server at least as new in {VARIABLE}, or take {VARIABLE} away."
        )
    identifier = found.system_identifier
    if manifest and identifier and identifier == manifest.source.system_identifier and VARIABLE in os.environ:
        raise Refused(
            f"{VARIABLE} names the server that the run came from. Nothing was loaded. Name a throwaway server."
        )


def major_of(manifest: Manifest | None) -> int:
    """PostgreSQL's major version at the source; 0 for no source."""
    return int(re.split(r"\D", manifest.source.server_version)[0] or 0) if manifest else 0


def needs_of(manifest: Manifest | None, schemas: Sequence[str] = ()) -> Needs:
    """What the run's own statements would make; their text is not run by whoever prepares."""
    statements = manifest.statements if manifest else ()
    own = [statement.name for statement in statements if statement.kind == "schema"]
    extensions = {
        statement.name: place["plain"] or place["quoted"].replace('""', '"')
        for statement in statements
        if statement.kind == "extension" and (place := _PLACE.search(statement.sql))
    }
    around = manifest.surroundings if manifest else Surroundings()
    return Needs(
        (*own, *schemas),
        extensions,
        around.roles,
        around.collations,
        Locale(around.collate, around.ctype, around.provider, around.locale),
    )
