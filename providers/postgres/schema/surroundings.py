"""What a database takes from its server and what of it this session may not see. In: a session. Out: frozen facts."""

from __future__ import annotations

from dataclasses import dataclass

from providers.postgres.connection import Connection, statements
from providers.postgres.schema.model import Name

PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin"}


@dataclass(frozen=True)
class Surroundings:
    """`provider` is libc, icu or builtin; `locale` is the name that the last two know; `collations` are initdb's."""

    collate: str = "C"
    ctype: str = "C"
    provider: str = "libc"
    locale: str = ""
    collations: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


def read_surroundings(connection: Connection) -> Surroundings:
    row = connection.execute(statements("surroundings")).fetchone()
    assert row is not None  # noqa: S101 - the database a session is in exists
    collate, ctype, provider, locale, collations, roles = row
    return Surroundings(
        collate, ctype, PROVIDERS.get(str(provider), str(provider)), locale, tuple(collations), tuple(roles)
    )


def sorts_otherwise(connection: Connection, source: tuple[str, str, str]) -> bool:
    """Whether text may have another order here than by `source`: provider, collation, locale; no, if none is told."""
    here = read_surroundings(connection)
    return any(source) and source != (here.provider, here.collate, here.locale)


def unreadable_tables(connection: Connection) -> list[Name]:
    return [(schema, name) for schema, name in connection.execute(statements("unreadable"))]


def commented_extensions(connection: Connection) -> list[str]:
    """Those that somebody gave another comment; their own comes with them."""
    query = (
        "SELECT e.extname FROM pg_extension e JOIN pg_available_extensions a ON a.name = e.extname"
        " WHERE obj_description(e.oid, 'pg_extension') IS DISTINCT FROM a.comment ORDER BY 1"
    )
    return [str(name) for (name,) in connection.execute(query)]
