"""Every schema object of a database as one line of SQL each, for comparing two moments. In: a connection. Out: rows.

The text never holds an OID, a file number or a position that a dump, a rewrite or a reindex would change.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import errors

from providers.postgres.connection import Connection, statements
from providers.postgres.driver_errors import explain

QUERIES = ("relations", "columns", "others", "machinery", "grants", "server")
CRON = """
    SELECT 'cron job', coalesce(jobname, 'number ' || jobid) || ' of ' || username, '',
      format('-- %s in %s active %s: %s', schedule, database, active, md5(command))
    FROM cron.job WHERE database = current_database()
"""
# Both change how a definition is printed, and a database may set them.
PRINTED = {"quote_all_identifiers": "off", "standard_conforming_strings": "on"}
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
    texts = [statements("objects_places") + statements(f"objects_{name}") for name in QUERIES]
    if _may_see_jobs(connection):
        texts.append(CRON)
    before = {name: connection.execute("SELECT current_setting(%s)", [name]).fetchone() for name in PRINTED}
    _set(connection, PRINTED)
    objects = [
        CatalogObject(row[0], row[1], row[2] or "", row[3] or "") for text in texts for row in connection.execute(text)
    ]
    _set(connection, {name: str(row[0]) for name, row in before.items() if row})
    return objects


def _set(connection: Connection, values: dict[str, str]) -> None:
    for item in values.items():
        connection.execute("SELECT set_config(%s, %s, true)", item)


def _may_see_jobs(connection: Connection) -> bool:
    """pg_cron shows each role its own jobs by row security, which this session does not have applied."""
    row = connection.execute(
        "SELECT has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid)"
        " FROM pg_class c WHERE c.oid = to_regclass('cron.job')"
    ).fetchone()
    return bool(row and row[0])
