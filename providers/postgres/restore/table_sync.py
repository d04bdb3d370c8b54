"""Bringing a table to a wanted state by its primary key: the difference first, then delete, update, insert.

In: a connection, the live table, a table that holds the wanted rows. Out: counts; the caller owns the transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from providers.postgres.connection import Connection
from providers.postgres.schema.model import Name


@dataclass(frozen=True)
class Difference:
    """`added` would come back, `changed` would be overwritten, `missing` would be removed.

    `along`: rows of other tables that are deleted, or lose their reference, with what is removed here.
    """

    table: str
    added: int
    changed: int
    missing: int
    along: tuple[tuple[str, int], ...] = ()

    @property
    def none(self) -> bool:
        return not (self.added or self.changed or self.missing)


def primary_key(connection: Connection, table: Name) -> list[str]:
    query = sql.SQL(
        "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)"
        " WHERE i.indrelid = {}::regclass AND i.indisprimary ORDER BY array_position(i.indkey::int[], a.attnum::int)"
    ).format(sql.Literal(sql.Identifier(*table).as_string()))
    return [str(row[0]) for row in connection.execute(query)]


def _joined(parts: Sequence[sql.Composable], by: str = ", ") -> sql.Composable:
    return sql.SQL(by).join(parts)


def _same(names: Sequence[str], left: str, right: str) -> sql.Composable:
    return _joined(
        [sql.SQL("{} = {}").format(sql.Identifier(left, n), sql.Identifier(right, n)) for n in names], " AND "
    )


def _row(names: Sequence[str], alias: str) -> sql.Composable:
    texts = [sql.SQL("{}::pg_catalog.text").format(sql.Identifier(alias, name)) for name in names]
    return sql.SQL("ROW({})").format(_joined(texts))


def difference(
    connection: Connection, live: Name, wanted: Name, columns: Sequence[str], key: Sequence[str]
) -> Difference:
    """Rows compared as text, column by column, joined by the primary key."""
    query = sql.SQL(
        "SELECT count(*) FILTER (WHERE l.ctid IS NULL), count(*) FILTER (WHERE w.ctid IS NULL),"
        " count(*) FILTER (WHERE l.ctid IS NOT NULL AND w.ctid IS NOT NULL AND {} IS DISTINCT FROM {})"
        " FROM {} l FULL JOIN {} w ON {}"
    ).format(
        _row(columns, "l"), _row(columns, "w"), sql.Identifier(*live), sql.Identifier(*wanted), _same(key, "l", "w")
    )
    row = connection.execute(query).fetchone()
    added, missing, changed = row if row else (0, 0, 0)
    return Difference(".".join(live), int(added), int(changed), int(missing))


def remove_missing(connection: Connection, live: Name, wanted: Name, key: Sequence[str]) -> int:
    """Delete live rows that the wanted state does not have; without a key, all rows."""
    if not key:
        return connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(*live))).rowcount
    query = sql.SQL("DELETE FROM {} l WHERE NOT EXISTS (SELECT FROM {} w WHERE {})").format(
        sql.Identifier(*live), sql.Identifier(*wanted), _same(key, "l", "w")
    )
    return connection.execute(query).rowcount


def bring_back(connection: Connection, live: Name, wanted: Name, columns: Sequence[str], key: Sequence[str]) -> int:
    """Update rows that differ, then insert those that are gone."""
    done = _update(connection, live, wanted, [name for name in columns if name not in key], key)
    absent = sql.SQL(" WHERE NOT EXISTS (SELECT FROM {} l WHERE {})").format(
        sql.Identifier(*live), _same(key, "l", "w")
    )
    names = _joined([sql.Identifier(name) for name in columns])
    query = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {} w{}").format(
        sql.Identifier(*live), names, names, sql.Identifier(*wanted), absent if key else sql.SQL("")
    )
    return done + connection.execute(query).rowcount


def _update(connection: Connection, live: Name, wanted: Name, rest: Sequence[str], key: Sequence[str]) -> int:
    if not key or not rest:
        return 0
    sets = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Identifier("w", name)) for name in rest]
    query = sql.SQL("UPDATE {} l SET {} FROM {} w WHERE {} AND {} IS DISTINCT FROM {}").format(
        sql.Identifier(*live),
        _joined(sets),
        sql.Identifier(*wanted),
        _same(key, "l", "w"),
        _row(rest, "l"),
        _row(rest, "w"),
    )
    return connection.execute(query).rowcount


def stage(connection: Connection, live: Name, name: str) -> Name:
    """A temporary table of the live one's columns, gone at the end of the transaction."""
    connection.execute(
        sql.SQL("CREATE TEMP TABLE {} (LIKE {}) ON COMMIT DROP").format(sql.Identifier(name), sql.Identifier(*live))
    )
    return "pg_temp", name


def lock_tables(connection: Connection, tables: Sequence[Name]) -> None:
    """Nobody else writes until the transaction ends; waits at most the session's lock_timeout."""
    names = _joined([sql.Identifier(*table) for table in tables])
    connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(names))


def copy_of(connection: Connection, table: Name, name: Name) -> None:
    """An empty table with the same columns and nothing else."""
    connection.execute(sql.SQL("CREATE TABLE {} (LIKE {})").format(sql.Identifier(*name), sql.Identifier(*table)))


def stage_columns(connection: Connection, name: str, columns: Sequence[tuple[str, str]]) -> Name:
    """A temporary table of these columns (name, type as the catalogue wrote it), gone at the end of the transaction."""
    listed = _joined([sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in columns])
    connection.execute(sql.SQL("CREATE TEMP TABLE {} ({}) ON COMMIT DROP").format(sql.Identifier(name), listed))
    return "pg_temp", name


def columns_of(connection: Connection, table: Name) -> list[str]:
    """The stored columns of a table."""
    query = sql.SQL(
        "SELECT attname FROM pg_attribute WHERE attrelid = {}::regclass AND attnum > 0 AND NOT attisdropped"
        " AND attgenerated = ''"
    ).format(sql.Literal(sql.Identifier(*table).as_string()))
    return [str(row[0]) for row in connection.execute(query)]


def remove_clashing(connection: Connection, live: Name, newer: Name, key: Sequence[str]) -> int:
    """Delete live rows that cannot stand beside newer ones: the same unique value under another primary key."""
    query = sql.SQL(
        "SELECT array_agg(a.attname::text ORDER BY k.position) FROM pg_index i"
        " CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, position)"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number"
        " WHERE i.indrelid = {}::regclass AND i.indisunique AND NOT i.indisprimary AND i.indpred IS NULL"
        " AND i.indexprs IS NULL AND k.position <= i.indnkeyatts GROUP BY i.indexrelid"
    ).format(sql.Literal(sql.Identifier(*live).as_string()))
    removed = 0
    for (names,) in connection.execute(query).fetchall():
        other = sql.SQL(" AND NOT ({})").format(_same(key, "l", "w")) if key else sql.SQL("")
        removed += connection.execute(
            sql.SQL("DELETE FROM {} l USING {} w WHERE {}{}").format(
                sql.Identifier(*live), sql.Identifier(*newer), _same(names, "l", "w"), other
            )
        ).rowcount
    return removed


def set_aside(connection: Connection, live: Name, staged: Name) -> str:
    """Keep staged rows in a table of their own beside the live one; answers its name."""
    beside = (live[0], f"{live[1][:50]}_kept_rows")
    connection.execute(sql.SQL("CREATE TABLE {} AS TABLE {}").format(sql.Identifier(*beside), sql.Identifier(*staged)))
    return ".".join(beside)
