"""Every schema object of a database as one line of SQL each, for comparing two moments. In: a connection. Out: rows.

The text never holds an OID, a file number or a position that a dump, a rewrite or a reindex would change.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import errors

from providers.postgres.connection import Connection, explain, statements

QUERIES = ("relations", "columns", "others", "grants")
# A definition is looked up after the snapshot: an object dropped in between answers with one of these.
_VANISHED = (errors.InternalError_, errors.UndefinedObject, errors.UndefinedTable, errors.UndefinedFunction)


@dataclass(frozen=True)
class CatalogObject:
    """`of` is the table (or other object) it belongs to, empty for what stands alone."""

    kind: str
    name: str
    of: str
    sql: str


def read_objects(connection: Connection) -> list[CatalogObject]:
    """All schema objects in one snapshot. Raises ProviderError when the server does not answer."""
    for last in (False, False, True):
        try:
            return _read(connection)
        except _VANISHED as error:
            if last:
                raise explain(error, "Reading the schema, which changed while it was read,") from None
        except psycopg.Error as error:
            raise explain(error, "Reading the schema") from None
    raise AssertionError("unreachable")


def _read(connection: Connection) -> list[CatalogObject]:
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return objects_in_transaction(connection)


def objects_in_transaction(connection: Connection) -> list[CatalogObject]:
    """The same inside the caller's transaction, its own uncommitted changes included. Raises psycopg.Error."""
    objects: list[CatalogObject] = []
    for name in QUERIES:
        text = statements("objects_places") + statements(f"objects_{name}")
        objects += [CatalogObject(row[0], row[1], row[2] or "", row[3] or "") for row in connection.execute(text)]
    return objects
