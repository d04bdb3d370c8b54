"""Rows of the system catalogs that an open transaction made, changed or removed, each with what it was.

In: the transaction's own session and a second one, which sees what everybody else sees. Out: pairs of rows. A row is
the transaction's own when it is visible there and its xmin is still in progress (measured: savepoints too).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from psycopg import sql

from providers.postgres.connection import Connection, statements
from providers.postgres.migrate.catalogs import NUMBERS, Catalog

Key = tuple[str, ...]
Name = tuple[str, ...]
Object = tuple[str, int, int]  # catalog, oid, column number or 0


@dataclass(frozen=True)
class Ids:
    """The transaction's own id, and one that was given out after all of its savepoints'."""

    xid: int
    newest: int


@dataclass(frozen=True)
class Row:
    """One row as JSON, with the object that it tells about, as pg_identify_object_as_address names it."""

    values: dict[str, Any]
    class_: str
    oid: int
    kind: str
    name: Name
    arguments: Name = ()

    @property
    def object(self) -> Object:
        return self.class_, self.oid, int(self.values.get("attnum", 0) if self.class_ == "pg_class" else 0)


@dataclass(frozen=True)
class Pair:
    """What a row was before and is now: None where there is none."""

    catalog: Catalog
    before: Row | None
    now: Row | None


def fetch_rows(connection: Connection, query: sql.Composable | str, values: Any = None) -> list[tuple[Any, ...]]:
    """Never by a prepared statement: the file could have prepared another one under the driver's own name."""
    return connection.execute(query, values, prepare=False).fetchall()  # type: ignore[arg-type]


def changed_rows(own: Connection, other: Connection, catalog: Catalog, ids: Ids, *, removed: bool) -> Iterator[Pair]:
    """What the open transaction of `own` did to one catalog; `removed`: rows of it were deleted."""
    gone: set[Key] = set()
    if removed and catalog.vanishes:
        gone = _removed(own, other, catalog, ids)
    now = _rows(own, catalog, _own(catalog), asdict(ids))
    wanted = {*now, *gone}
    before = _rows(other, catalog, _exactly(catalog), _columns(wanted)) if wanted else {}
    for key in gone:
        if key in before:
            yield Pair(catalog, before[key], None)
    for key, row in now.items():
        yield Pair(catalog, before.get(key), row)


def owners(connection: Connection, rows: Sequence[Row]) -> list[frozenset[Name]]:
    """What each row's object is a part of, itself included."""
    return above(connection, [row.object for row in rows])


def above(connection: Connection, objects: Sequence[Object], *, everything: bool = False) -> list[frozenset[Name]]:
    """The same, of objects; `everything`: whatever they depend on, as a DROP … CASCADE follows it."""
    if not objects:
        return []
    classes, oids, parts = zip(*objects, strict=True)
    values = {"classes": [f"pg_catalog.{name}" for name in classes], "oids": list(oids), "parts": list(parts)}
    names: list[set[Name]] = [set() for _ in objects]
    for number, kind, inside in fetch_rows(connection, statements("effects_owners"), {**values, "any": everything}):
        names[number - 1].add((kind, *inside))
    return [frozenset(owned_by) for owned_by in names]


def _removed(own: Connection, other: Connection, catalog: Catalog, ids: Ids) -> set[Key]:
    """Keys that others still see and the transaction no longer does."""
    names = {"keys": _key_list(catalog), "catalog": sql.Identifier(catalog.name)}
    touched = set(fetch_rows(other, sql.SQL(statements("effects_removed")).format(**names), asdict(ids)))
    firsts = sorted({key[0] for key in touched}, key=int)
    query = sql.SQL("SELECT {keys} FROM pg_catalog.{catalog} c WHERE {condition}")
    here = fetch_rows(own, query.format(**names, condition=_among(catalog)), {"firsts": firsts}) if touched else []
    return touched - set(here)


def _key_list(catalog: Catalog) -> sql.Composable:
    return sql.SQL(", ").join(
        sql.SQL("c.{}::pg_catalog.text" if key in NUMBERS else "c.{}::pg_catalog.oid::pg_catalog.text").format(
            sql.Identifier(key)
        )
        for key in catalog.keys
    )


def _own(catalog: Catalog) -> sql.Composable:
    return sql.SQL(statements("effects_own_rows"))


def _among(catalog: Catalog) -> sql.Composable:
    return sql.SQL("c.{} = ANY (%(firsts)s::pg_catalog.oid[])").format(sql.Identifier(catalog.keys[0]))


def _exactly(catalog: Catalog) -> sql.Composable:
    """Only these rows: of a table with a new column not all the others, too. The first part finds them by an index."""
    part = "pg_catalog.unnest(%(key_{})s::pg_catalog.text[])"
    parts = sql.SQL(", ").join(sql.SQL(part.format(number)) for number in range(len(catalog.keys)))
    query = sql.SQL("{among} AND ({keys}) IN (SELECT * FROM ROWS FROM ({parts}) AS wanted)")
    return query.format(among=_among(catalog), keys=_key_list(catalog), parts=parts)


def _columns(keys: Iterable[Key]) -> dict[str, list[str]]:
    columns = [list(column) for column in zip(*keys, strict=True)]
    firsts = sorted(set(columns[0]), key=int)
    return {"firsts": firsts, **{f"key_{number}": column for number, column in enumerate(columns)}}


def _rows(connection: Connection, catalog: Catalog, condition: sql.Composable, values: Any) -> dict[Key, Row]:
    if catalog.class_of == "classoid":
        class_: sql.Composable = sql.SQL("t.classoid")
    else:
        class_ = sql.SQL("{}::pg_catalog.regclass").format(sql.Literal(f"pg_catalog.{catalog.class_of}"))
    query = sql.SQL(statements("effects_rows")).format(
        keys=sql.SQL("ARRAY[{}]").format(_key_list(catalog)),
        catalog=sql.Identifier(catalog.name),
        condition=condition,
        class_=class_,
        object_=sql.Identifier(catalog.object_),
        part=sql.SQL("t.{}").format(sql.Identifier(catalog.part)) if catalog.part else sql.SQL("0"),
    )
    return {
        tuple(key): Row(row, str(class_name), oid, kind or catalog.name, tuple(names or ()), tuple(arguments or ()))
        for key, row, class_name, oid, kind, names, arguments in fetch_rows(connection, query, values)
    }
