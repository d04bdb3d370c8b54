"""What changed between an earlier run's audit trail and today's, told in SQL inside a drill server.

In: two tables of one database (the earlier one may hold only the segments that differ). Out: findings with rows before
and after. Columns are compared by value where equality is exact, else as text (docs/design.md 7, "row evidence").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from providers.postgres.connection import Connection, statements
from providers.postgres.schema.model import Name

CONVERSION = ("conversion_observed", "conversion_timestamp", "conversion_value")
PLACE = ("experiment_id", "sequence_number")
EXACT = frozenset(
    [
        "boolean",
        "smallint",
        "integer",
        "bigint",
        "uuid",
        "text",
        "bytea",
        "date",
        "timestamp with time zone",
        "timestamp without time zone",
    ]
)
COARSER = frozenset(["numeric", "real", "double precision", "interval", "character"])  # 1.5 = 1.50, with other texts
MODIFIERS = re.compile(r"\(-?\d+(?:,-?\d+)?\)")
UNBOUND = {"character": "bpchar", "bit": "bit varying"}  # without a length these mean a length of 1
FOUND = "found"
LONGEST = 500


@dataclass(frozen=True)
class Compared:
    """One column that both runs have; `type` is today's, `earlier` what the staging table has.

    Where they differ, today's value is cast back to the earlier type without its modifiers, so that what a change of
    the definition did to a value shows, and a mere widening does not.
    """

    name: str
    type: str
    earlier: str
    exact: bool

    def _value(self, alias: str) -> sql.Composable:
        name: sql.Composable = sql.Identifier(alias, self.name)
        if alias != "b" and self.earlier != self.type:
            name = sql.SQL("{}::{}").format(name, sql.SQL(unmodified(self.earlier)))
        return name

    @property
    def by_value(self) -> bool:
        return self.exact or (
            self.earlier != self.type and unmodified(self.earlier) in (*EXACT, *COARSER, "character varying")
        )

    def compared(self, alias: str) -> sql.Composable:
        return self._value(alias) if self.by_value else self.text(alias)

    def text(self, alias: str) -> sql.Composable:
        return sql.SQL('({}::pg_catalog.text COLLATE "C")').format(self._value(alias))


@dataclass(frozen=True)
class Pair:
    before: Name
    now: Name
    key: tuple[str, ...]
    columns: tuple[Compared, ...]

    @property
    def found(self) -> Name:
        return self.before[0], FOUND


@dataclass(frozen=True)
class RowDifferences:
    """`mark` is the same exactly when the same rows differ in the same way."""

    kind: str
    total: int
    chains: int
    mark: str
    rows: tuple[dict[str, Any], ...]


def unmodified(type_name: str) -> str:
    plain = MODIFIERS.sub("", type_name)
    return UNBOUND.get(plain, plain)


def exact(type_name: str, hashed_as: str) -> bool:
    """Whether equal values of this type have equal texts; a non-deterministic collation is hashed as text."""
    return hashed_as == "value" and (type_name in EXACT or type_name.startswith("character varying"))


def stage_earlier(connection: Connection, name: Name, columns: Sequence[tuple[str, str]]) -> None:
    """An empty table for the earlier run's rows, in a schema that is there; names and types are its manifest's."""
    parts = [sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in columns]
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(*name)))
    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(*name), sql.SQL(", ").join(parts)))


def find_differences(connection: Connection, pair: Pair, limit: int) -> list[RowDifferences]:
    """Every kind of difference with its number of rows, and at most `limit` rows of each."""
    connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(*pair.before)))
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(*pair.found)))
    connection.execute(sql.SQL(statements("tamper_found")).format(**_parts(pair)))
    connection.execute(sql.SQL(statements("tamper_refine")).format(**_parts(pair)))
    counted = sql.SQL(
        "SELECT kind, count(*), count(DISTINCT chain), sum(mark::numeric)::text FROM {} GROUP BY 1 ORDER BY 1"
    ).format(sql.Identifier(*pair.found))
    totals = connection.execute(counted).fetchall()
    return [
        RowDifferences(kind, total, chains, mark, _rows(connection, pair, kind, limit))
        for kind, total, chains, mark in totals
    ]


def _parts(pair: Pair) -> dict[str, sql.Composable]:
    fixed = [column for column in pair.columns if column.name not in CONVERSION]
    conversion = [column for column in pair.columns if column.name in CONVERSION]
    names = {"before": pair.before, "now": pair.now, "found": pair.found}
    return {
        **{name: sql.Identifier(*table) for name, table in names.items()},
        "key_b": _key(pair),
        "same_key": _same(pair, pair.key, "n"),
        "same_place": _same(pair, PLACE, "p"),
        "fixed_b": _values(fixed, "b"),
        "fixed_n": _values(fixed, "n"),
        "conversion_b": _values(conversion, "b"),
        "conversion_n": _values(conversion, "n"),
        "was_set": _was_set(conversion),
    }


def _key(pair: Pair) -> sql.Composable:
    parts = [column.text("b") for column in pair.columns if column.name in pair.key]
    return sql.SQL(" || ',' || ").join(parts)


def _same(pair: Pair, names: Sequence[str], alias: str) -> sql.Composable:
    columns = [column for column in pair.columns if column.name in names]
    parts = [sql.SQL("{} = {}").format(column.compared("b"), column.compared(alias)) for column in columns]
    return sql.SQL(" AND ").join(parts)


def _values(columns: Sequence[Compared], alias: str) -> sql.Composable:
    return sql.SQL(", ").join(column.compared(alias) for column in columns)


def _was_set(columns: Sequence[Compared]) -> sql.Composable:
    """A conversion was there: seen, or a time, or a value."""
    if not columns:
        return sql.SQL("false")
    tests = {"conversion_observed": "coalesce({}::text::boolean, false)"}
    parts = [sql.SQL(tests.get(c.name, "{} IS NOT NULL")).format(c.compared("b")) for c in columns]
    return sql.SQL("({})").format(sql.SQL(" OR ").join(parts))


def _rows(connection: Connection, pair: Pair, kind: str, limit: int) -> tuple[dict[str, Any], ...]:
    def texts(alias: str) -> sql.Composable:
        cut = [sql.SQL("left({}, {})").format(c.text(alias), sql.Literal(LONGEST)) for c in pair.columns]
        return sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(cut))

    names = sql.Literal([column.name for column in pair.columns])
    query = sql.SQL(statements("tamper_rows")).format(
        **_parts(pair), names=names, before_values=texts("b"), now_values=texts("n"), place_values=texts("p")
    )
    return tuple(
        {"id": key, "chain": chain, "sequence": sequence, "before": before, "after": after or {}}
        for key, chain, sequence, before, after in connection.execute(query, [kind, limit])
    )
