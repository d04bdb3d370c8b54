"""Bringing values back into a table that people went on using: what was destroyed comes back, what came since stays.

In: a session in an open transaction, a live table, a staged one with its old rows. Out: counts. A row whose version the
destroying transaction wrote is still as that left it; every other one was changed since, and keeps what it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from providers.postgres.connection import Connection
from providers.postgres.restore.table_sync import columns_of
from providers.postgres.schema.model import Name


@dataclass(frozen=True)
class Lost:
    """What a table lost, by its own columns: rows, values of columns that stayed, columns. `key`: its primary key.

    `xids`: the transactions that destroyed, as xid8 numbers.
    """

    live: Name
    staged: Name
    key: tuple[str, ...]
    rows: bool
    values: tuple[str, ...]
    columns: tuple[str, ...]
    xids: tuple[int, ...]


@dataclass(frozen=True)
class Returned:
    """Rows that came back, rows whose values came back, rows that somebody changed since and that kept their values."""

    rows: int = 0
    values: int = 0
    kept: int = 0

    def __add__(self, other: Returned) -> Returned:
        return Returned(self.rows + other.rows, self.values + other.values, self.kept + other.kept)


def remember(connection: Connection, lost: Lost) -> None:
    """Before the table itself is altered, which may write its rows anew: which rows nobody changed since."""
    listed = sql.SQL(", ").join(
        sql.SQL("l.{0}::pg_catalog.text AS {0}").format(sql.Identifier(name)) for name in lost.key
    )
    query = sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} l WHERE {}")
    connection.execute(
        query.format(_untouched(lost), listed or sql.SQL("1"), sql.Identifier(*lost.live), _written_by(lost.xids))
    )


def bring_back_lost(connection: Connection, lost: Lost, names: Sequence[str]) -> Returned:
    """`names`: every column that both tables store. A table without a key gets rows back, no values."""
    if not lost.key:
        return Returned(_add_unkeyed(connection, lost, names) if lost.rows else 0)
    columns = [name for name in lost.columns if name not in lost.key and name in names]
    values = [name for name in lost.values if name not in lost.key and name in names]
    kept = _changed_since(connection, lost, values) if values else 0
    returned = _set(connection, lost, values, only_untouched=True) if values else 0
    returned += _set(connection, lost, columns, only_untouched=False) if columns else 0
    return Returned(_add(connection, lost, names) if lost.rows else 0, returned, kept)


def other_keys(connection: Connection, lost: Lost) -> int:
    """Old rows of which nothing is there under their key, where only values were to be other."""
    if lost.rows or not lost.key or not lost.values:
        return 0
    query = sql.SQL("SELECT count(*) FROM {} w WHERE NOT EXISTS (SELECT FROM {} l WHERE {})").format(
        sql.Identifier(*lost.staged), sql.Identifier(*lost.live), _same(lost.key)
    )
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def numbers_after(connection: Connection, table: Name) -> None:
    """The sequences that number a table's rows go on behind its greatest number, or its least where they count down."""
    for name in columns_of(connection, table):
        quoted = sql.Identifier(*table).as_string(connection)
        row = connection.execute("SELECT pg_catalog.pg_get_serial_sequence(%s, %s)", [quoted, name]).fetchone()
        if row and row[0]:
            query = sql.SQL(
                "SELECT pg_catalog.setval({sequence}, number) FROM pg_catalog.pg_sequence CROSS JOIN LATERAL ("
                "SELECT CASE WHEN seqincrement > 0 THEN pg_catalog.max({column}) ELSE pg_catalog.min({column}) END"
                " AS number FROM {table}) t WHERE seqrelid = {sequence} AND number BETWEEN seqmin AND seqmax"
                " AND (number - coalesce(pg_catalog.pg_sequence_last_value({sequence}), seqstart - seqincrement))"
                " * pg_catalog.sign(seqincrement) > 0"
            )
            place = sql.Literal(row[0]) + sql.SQL("::pg_catalog.regclass")
            parts = {"column": sql.Identifier(name), "table": sql.Identifier(*table)}
            connection.execute(query.format(sequence=place, **parts))


def _set(connection: Connection, lost: Lost, names: Sequence[str], *, only_untouched: bool) -> int:
    sets = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Identifier("w", name)) for name in names
    )
    query = sql.SQL("UPDATE {} l SET {} FROM {} w WHERE {} AND {} IS DISTINCT FROM {}{}").format(
        sql.Identifier(*lost.live),
        sets,
        sql.Identifier(*lost.staged),
        _same(lost.key),
        _row(names, "l"),
        _row(names, "w"),
        sql.SQL(" AND ") + _is_untouched(lost) if only_untouched else sql.SQL(""),
    )
    return connection.execute(query).rowcount


def _changed_since(connection: Connection, lost: Lost, values: Sequence[str]) -> int:
    query = sql.SQL("SELECT count(*) FROM {} l JOIN {} w ON {} WHERE NOT {} AND {} IS DISTINCT FROM {}").format(
        sql.Identifier(*lost.live),
        sql.Identifier(*lost.staged),
        _same(lost.key),
        _is_untouched(lost),
        _row(values, "l"),
        _row(values, "w"),
    )
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _add(connection: Connection, lost: Lost, names: Sequence[str]) -> int:
    query = sql.SQL(
        "INSERT INTO {} ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM {} w"
        " WHERE NOT EXISTS (SELECT FROM {} l WHERE {})"
    ).format(
        sql.Identifier(*lost.live),
        sql.Identifier(*lost.staged),
        sql.Identifier(*lost.live),
        _same(lost.key),
        names=sql.SQL(", ").join(map(sql.Identifier, names)),
    )
    return connection.execute(query).rowcount


def _add_unkeyed(connection: Connection, lost: Lost, names: Sequence[str]) -> int:
    """As often as a row was there and is not any more; compared as text, since not every type can be."""
    texts = sql.SQL(", ").join(sql.SQL("{}::pg_catalog.text").format(sql.Identifier(name)) for name in names)
    listed = sql.SQL(", ").join(map(sql.Identifier, names))
    query = sql.SQL(
        "WITH held AS (SELECT ROW({texts})::pg_catalog.text AS said, pg_catalog.count(*) AS times"
        " FROM {live} GROUP BY 1),"
        " old AS (SELECT *, ROW({texts})::pg_catalog.text AS said,"
        " pg_catalog.row_number() OVER (PARTITION BY ROW({texts})::pg_catalog.text) AS time FROM {staged})"
        " INSERT INTO {live} ({listed}) OVERRIDING SYSTEM VALUE"
        " SELECT {listed} FROM old LEFT JOIN held USING (said) WHERE time > coalesce(times, 0)"
    ).format(texts=texts, listed=listed, live=sql.Identifier(*lost.live), staged=sql.Identifier(*lost.staged))
    return connection.execute(query).rowcount


def _untouched(lost: Lost) -> sql.Identifier:
    return sql.Identifier(f"{lost.staged[1]}_untouched")


def _is_untouched(lost: Lost) -> sql.Composable:
    pairs = [sql.SQL("u.{name} = l.{name}::pg_catalog.text").format(name=sql.Identifier(name)) for name in lost.key]
    return sql.SQL("EXISTS (SELECT FROM {} u WHERE {})").format(_untouched(lost), sql.SQL(" AND ").join(pairs))


def _written_by(xids: Sequence[int]) -> sql.Composable:
    """A row's xmin has the lower half of a transaction's whole number."""
    listed = sql.SQL(", ").join(sql.Literal(str(xid % 2**32)) for xid in xids)
    return sql.SQL("l.xmin::pg_catalog.text IN ({})").format(listed) if xids else sql.SQL("false")


def _same(key: Sequence[str]) -> sql.Composable:
    pairs = [sql.SQL("{} = {}").format(sql.Identifier("l", name), sql.Identifier("w", name)) for name in key]
    return sql.SQL(" AND ").join(pairs)


def _row(names: Sequence[str], alias: str) -> sql.Composable:
    texts = [sql.SQL("{}::pg_catalog.text").format(sql.Identifier(alias, name)) for name in names]
    return sql.SQL("ROW({})").format(sql.SQL(", ").join(texts))
