"""A database for a load of what strangers wrote: roles, schemas, extensions, made before anything foreign is there.

In: a server of ours, what a load needs. Out: the logins of an owner and of a reader; neither is mighty, and no name or
text of the load is run here but as a quoted name.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import conninfo, sql

from providers.embedded_postgres.server import EmbeddedPostgres
from providers.postgres.connection import statements

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
    """`owner` loads; `reader` sees every row and owns nothing; `note` says what the platform did not let us have."""

    owner: str
    reader: str
    note: str = ""


def furnish(server: EmbeddedPostgres, database: str, needs: Needs) -> Logins:
    """Make the database, its two roles, its schemas and the allowed extensions, as the superuser of the server."""
    server.create_database(database)
    mark = secrets.token_hex(4)  # roles belong to the whole server, where a test has many such databases
    names = {name: f"drill_{name}_{mark}" for name in ("owner", "reader")}
    passwords = {name: secrets.token_urlsafe(24) for name in names}
    parts: dict[str, sql.Composable] = {name: sql.Identifier(role) for name, role in names.items()}
    parts |= {f"{name}_password": sql.Literal(password) for name, password in passwords.items()}
    admin = server.dsn(database)
    with psycopg.connect(admin, autocommit=True) as connection:
        parts["database"] = sql.Identifier(connection.info.dbname)
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
