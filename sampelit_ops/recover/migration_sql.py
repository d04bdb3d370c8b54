"""The SQL that brings lost things back from a schema restored beside: generated from a manifest, by primary key. Pure.

In: what was lost, the run's manifest, the schema beside, the columns that live now. Out: the text of a migration.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from psycopg import sql

from backups.archive.manifest import Column, Manifest, Statement, Table
from providers.errors import Refused
from providers.postgres.schema.model import parted
from sampelit_ops.recover.loss import Lost
from sampelit_ops.recover.missing_rows_sql import missing_rows, same_key

NOTHING = "Nothing was written."
_GRANTED = re.compile(r"GRANT [A-Z, ]{1,200} ON (?:TABLES|SEQUENCES) TO (\"(?:[^\"]|\"\")*+\"|\w+)")


def migration(lost: Lost, manifest: Manifest, beside: str, live_columns: Collection[str]) -> str:
    """Raises Refused where the run cannot bring it back. `live_columns` is empty where the table is gone."""
    table = table_of(lost, manifest)
    if lost.kind == "table":
        statements = _table(manifest, table, beside, live_columns)
    elif not live_columns:
        raise Refused(f"{table.qualified} itself is gone. {NOTHING} Bring the table back first.")
    elif lost.kind == "column":
        statements = _column(lost, manifest, table, beside, live_columns)
    else:
        only = ("id", lost.key) if lost.kind == "experiment" else None
        statements = [missing_rows(manifest, table, beside, only)]
    head = [
        f"-- Brings back the {lost} from run {manifest.name}.",
        f"-- Its rows lie beside the live tables, in the schema {beside}.",
    ]
    return "\n".join([*head, "", *(f"{statement.as_string()};" for statement in statements), ""])


def table_of(lost: Lost, manifest: Manifest) -> Table:
    """Raises Refused for a run without the table, and for what no table holds."""
    held = next((table for table in manifest.tables if table.qualified == lost.table), None)
    if held is None:
        what = lost.table or f"a {lost.kind}"
        raise Refused(f"{manifest.name} does not hold {what} as a table. {NOTHING} Choose another run.")
    return held


def column_of(lost: Lost, table: Table) -> Column | None:
    return next((column for column in table.columns if column.name == lost.column), None)


def _table(manifest: Manifest, table: Table, beside: str, live_columns: Collection[str]) -> list[sql.Composable]:
    """Its own statements, its rows, then keys, indexes, policies and the references that others had to it."""
    if live_columns:
        raise Refused(f"{table.qualified} exists now. {NOTHING} Choose its rows or a column instead.")
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    copy = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE\nSELECT {} FROM {}").format(
        sql.Identifier(table.schema, table.name), names, names, sql.Identifier(beside, table.name)
    )
    own = [item for item in manifest.statements if table.qualified in (item.table, item.references)]
    before = [_text(item) for item in own if item.phase == "before"]
    return [*before, *_no_rights_by_default(manifest, own), copy, *(_text(i) for i in own if i.phase == "after")]


def _no_rights_by_default(manifest: Manifest, own: Collection[Statement]) -> list[sql.Composable]:
    """What it was open to, its own statements say; roles that get rights on every new table get none by that."""
    usual = [item.sql for item in manifest.statements if item.kind == "default_grants"]
    roles = sorted({role for text in usual for role in _GRANTED.findall(text)} - {"PUBLIC"})
    made = [item for item in own if item.kind in ("table", "sequence") and item.phase == "before"]
    return [
        sql.SQL("REVOKE ALL ON {} {} FROM {}").format(
            sql.SQL(item.kind.upper()),
            sql.Identifier(*parted(item.name)),
            sql.SQL(", ".join(["PUBLIC", *roles])),
        )
        for item in made
    ]


def _text(item: Statement) -> sql.Composable:
    """A statement as the catalogue wrote it when the run was made."""
    return sql.SQL(item.sql.strip().rstrip(";"))


def _column(
    lost: Lost, manifest: Manifest, table: Table, beside: str, live_columns: Collection[str]
) -> list[sql.Composable]:
    """The column where it is gone; its values by key; then what was built on it."""
    column = column_of(lost, table)
    if column is None:
        raise Refused(f"{manifest.name} holds no {lost.column} of {table.qualified}. {NOTHING} Choose another run.")
    live, copy = sql.Identifier(table.schema, table.name), sql.Identifier(beside, table.name)
    update = sql.SQL(
        "UPDATE {live} AS live SET {name} = copy.{name}\nFROM {copy} AS copy\n"
        "WHERE {same} AND live.{name} IS DISTINCT FROM copy.{name}"
    ).format(live=live, copy=copy, name=sql.Identifier(column.name), same=same_key(manifest, table))
    if column.name in live_columns:
        return [update]
    default = _default(manifest, table, column)
    made = sql.SQL("ALTER TABLE {} ADD COLUMN {} {}").format(live, sql.Identifier(column.name), sql.SQL(column.type))
    if default:
        made += sql.SQL(f" DEFAULT {default}")
    return [made, update, *_not_null(manifest, table, column, default), *_built_on(manifest, table, column)]


def _default(manifest: Manifest, table: Table, column: Column) -> str:
    for item in manifest.statements:
        if item.kind == "default" and item.name == f"{table.qualified}.{column.name}":
            return item.sql.partition(" SET DEFAULT ")[2]
    written = re.search(r" DEFAULT (.*?)(?: NOT NULL)?$", _line(manifest, table, column))
    return written[1] if written else ""


def _line(manifest: Manifest, table: Table, column: Column) -> str:
    """The column in its CREATE TABLE: pg_dump gives each a line of its own."""
    made = next((i.sql for i in manifest.statements if i.kind == "table" and i.table == table.qualified), "")
    start = f"    {sql.Identifier(column.name).as_string()} {column.type}"
    plain = f"    {column.name} {column.type}"
    return next((line.removesuffix(",") for line in made.splitlines() if line.startswith((start, plain))), "")


def _not_null(manifest: Manifest, table: Table, column: Column, default: str) -> list[sql.Composable]:
    """Only with a default: rows that are younger than the run have no other value."""
    made = next((i.sql for i in manifest.statements if i.kind == "table" and i.table == table.qualified), "")
    name = sql.Identifier(column.name)
    written = re.search(rf"{re.escape(name.as_string())} {re.escape(column.type)}([^,]*)", made)
    required = _line(manifest, table, column).endswith(" NOT NULL") or (written and "NOT NULL" in written[1])
    if not required or not default:
        return []
    live = sql.Identifier(table.schema, table.name)
    return [sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL").format(live, name)]


def _built_on(manifest: Manifest, table: Table, column: Column) -> list[sql.Composable]:
    """Indexes and constraints that name the column went with it."""
    kinds = {"unique", "check", "exclusion", "index", "foreign_key"}
    word = re.compile(rf"\b{re.escape(column.name)}\b")
    built_on = [item for item in manifest.statements if item.table == table.qualified and item.kind in kinds]
    return [_text(item) for item in built_on if word.search(item.sql.partition("(")[2])]
