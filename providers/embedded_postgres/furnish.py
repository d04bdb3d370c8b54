"""A database for a load of what strangers wrote: roles, schemas, extensions, made before anything foreign is there.

In: a server of ours, what a load needs. Out: the logins of an owner and of a reader; neither is mighty, and no name or
text of the load is run here but as a quoted name.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import psycopg
from psycopg import conninfo, sql

from providers.postgres.connection import statements

# What a superuser makes for a load: extensions that reach neither files nor other servers. Of others it is said that
# they are missing. The second half PostgreSQL lets no owner make, though they only compute or look.
_EXTENSIONS = """btree_gin btree_gist citext cube dict_int fuzzystrmatch hstore intarray isn lo ltree pg_trgm pgcrypto
seg tablefunc tcn tsm_system_rows tsm_system_time unaccent uuid-ossp vector autoinc bloom dict_xsyn earthdistance
insert_username intagg moddatetime pg_stat_statements refint"""
EXTENSIONS = frozenset(_EXTENSIONS.split())

# Of an operator's own server all but those whose functions reach other servers or files.
REACHING = frozenset(
    [
        "adminpack",
        "dblink",
        "file_fdw",
        "http",
        "pg_cron",
        "pg_net",
        "pgsodium",
        "postgres_fdw",
        "supabase_vault",
        "wrappers",
    ]
)
# The order of bytes, for which PostgreSQL asks the C library at each comparison; as "C" it is memcmp: half the time.
BY_BYTES = re.compile(r"C\.(UTF-8|utf8)")
RESERVED = frozenset(["public", "none", "current_role", "current_user", "session_user"])


class Databases(Protocol):
    """A server that drills may have databases on; `own`: an operator chose it and what is installed there."""

    own: bool

    def create_database(self, name: str, *, options: sql.Composed | None = None) -> None: ...

    def dsn(self, name: str) -> str: ...


@dataclass(frozen=True)
class Locale:
    """A database's, as CREATE DATABASE takes it; `provider` is empty for the server's own."""

    collate: str = ""
    ctype: str = ""
    provider: str = ""
    name: str = ""

    @property
    def words(self) -> sql.Composed:
        collate = "C" if self.provider == "libc" and BY_BYTES.fullmatch(self.collate) else self.collate
        parts = sql.Literal(collate), sql.Literal(self.ctype), sql.Identifier(self.provider)
        words = sql.SQL("TEMPLATE template0 LC_COLLATE {} LC_CTYPE {} LOCALE_PROVIDER {}").format(*parts)
        if self.provider in ("icu", "builtin"):
            words += sql.SQL(" {}_LOCALE {}").format(sql.SQL(self.provider), sql.Literal(self.name))
        return words


@dataclass(frozen=True)
class Needs:
    """What must be there before the first statement of a load: schemas, and extensions with their schemas; roles that
    rights are given to, collations that initdb makes elsewhere, the locale. `may_create`: the owner makes schemas."""

    schemas: Sequence[str] = ()
    extensions: Mapping[str, str] | None = None
    roles: Sequence[str] = ()
    collations: Sequence[str] = ()
    locale: Locale = Locale()
    may_create: bool = False

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
    owner_role: str = ""
    not_the_same: tuple[str, ...] = ()


def furnish(server: Databases, database: str, needs: Needs) -> Logins:
    """Make the database, its two roles, its schemas and the allowed extensions, as the superuser of the server."""
    not_the_same = _make_database(server, database, needs.locale)
    mark = secrets.token_hex(4)  # roles belong to the whole server, where a test has many such databases
    names = {name: f"drill_{name}_{mark}" for name in ("owner", "reader")}
    passwords = {name: secrets.token_urlsafe(24) for name in names}
    parts: dict[str, sql.Composable] = {name: sql.Identifier(role) for name, role in names.items()}
    parts |= {f"{name}_password": sql.Literal(password) for name, password in passwords.items()}
    admin = server.dsn(database)
    with psycopg.connect(admin, autocommit=True) as connection:
        parts["database"] = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL(statements("cell_roles")).format(**parts))
        if needs.may_create:
            connection.execute(sql.SQL("GRANT CREATE ON DATABASE {database} TO {owner}").format(**parts))
        for schema in needs.places:
            words = sql.SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}")
            connection.execute(words.format(sql.Identifier(schema), parts["owner"]))
        _make_extensions(connection, needs, server.own, parts["owner"])
        not_the_same += _make_collations(connection, needs.collations)
        _make_roles(connection, needs.roles, names["owner"])
    logins = {name: conninfo.make_conninfo(admin, user=names[name], password=passwords[name]) for name in names}
    return Logins(**logins, owner_role=names["owner"], not_the_same=tuple(not_the_same))


def _make_database(server: Databases, database: str, locale: Locale) -> list[str]:
    """In the source's locale, where this machine has it."""
    if locale.provider:
        try:
            server.create_database(database, options=locale.words)
            return []
        except psycopg.Error:
            pass
    server.create_database(database)
    name = locale.name or locale.collate
    return [
        f"The source's locale is {name} ({locale.provider}), which is not here: order and comparison of text."
    ] * bool(locale.provider)


def _make_extensions(
    connection: psycopg.Connection[tuple[object, ...]], needs: Needs, own: bool, owner: sql.Composable
) -> None:
    """Those that are allowed and that this server has; with what they need themselves (earthdistance: cube). An owner
    who makes schemas has made, and owns, what it may."""
    wanted = needs.extensions or {}
    offered = {str(row[0]) for row in connection.execute("SELECT name FROM pg_available_extensions")}
    made = wanted.keys() & offered & ((offered - REACHING) if own else EXTENSIONS)
    for name in sorted(made):
        words = sql.SQL("CREATE EXTENSION IF NOT EXISTS {} WITH SCHEMA {} CASCADE")
        make = words.format(sql.Identifier(name), sql.Identifier(wanted[name]))
        if needs.may_create:
            with suppress(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(sql.SQL("SET LOCAL ROLE {}").format(owner))
                connection.execute(make)
                continue
        connection.execute(make)


def _make_collations(connection: psycopg.Connection[tuple[object, ...]], wanted: Sequence[str]) -> list[str]:
    """Of those that this server lacks a stand-in with the order of bytes: rows arrive, order is not checked."""
    there = {str(row[0]) for row in connection.execute("SELECT collname FROM pg_collation")}
    missing = sorted(set(wanted) - there)
    for name in missing:
        connection.execute(sql.SQL('CREATE COLLATION pg_catalog.{} FROM "C"').format(sql.Identifier(name)))
    return [f"The collation {name} is not here: order and comparison of text that has it." for name in missing]


def _make_roles(connection: psycopg.Connection[tuple[object, ...]], wanted: Sequence[str], owner: str) -> None:
    """Roles without login or might, so that what belongs or is granted to them can be made."""
    there = {str(row[0]) for row in connection.execute("SELECT rolname FROM pg_roles")}
    for name in wanted:
        if name not in there and name not in RESERVED:
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))
    for (role,) in connection.execute(statements("cell_stand_ins"), [list(wanted)]):
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(str(role)), sql.Identifier(owner)))
