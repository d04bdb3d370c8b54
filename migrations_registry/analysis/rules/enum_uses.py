"""A value of an enum that is used in the transaction that adds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from migrations_registry.analysis.model import EXECUTION, Name
from migrations_registry.analysis.parsing.nodes import constant, dotted, relation, strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.type_changes import parse_type
from migrations_registry.analysis.rule_registry import AFTER, rule
from migrations_registry.analysis.state import State

ENUM_USE = rule(
    "MT-ENUM-USE",
    EXECUTION,
    "uses enum value {name} in the transaction that adds it: the server refuses (55P04), and nothing of it stays",
    "ADD VALUE in this file, its first use in the next file: the runner applies each file by itself.",
    bad=(
        "BEGIN; ALTER TYPE mood ADD VALUE 'calm'; UPDATE orders SET status = 'calm' WHERE id = 1; COMMIT",
        "BEGIN; ALTER TYPE mood ADD VALUE 'calm'; CREATE VIEW x AS SELECT id FROM orders WHERE status = 'calm'; COMMIT",
        "BEGIN; ALTER TYPE mood ADD VALUE 'calm'; CREATE POLICY x ON orders USING (status = 'calm'); COMMIT",
    ),
    good=(
        "ALTER TYPE mood ADD VALUE 'calm'; UPDATE orders SET status = 'calm' WHERE id = 1",
        "BEGIN; ALTER TYPE mood ADD VALUE 'calm'; UPDATE orders SET note = 'calm' WHERE id = 1; COMMIT",
        "BEGIN; CREATE TYPE x AS ENUM ('a'); ALTER TYPE x ADD VALUE 'b'; CREATE TABLE y (a x DEFAULT 'b'); COMMIT",
    ),
)
Use = tuple[str, str, Name | None]  # a literal, the column that it meets, the type that it is cast to
# Columns that so plainly hold text that a guess is fair: a wrong one costs an error, and nothing of the file stays.
_NAMES = """body code comment comments content description detail details email key label log message messages msg name
note notes subject summary text title url value"""
_PROSE = frozenset(_NAMES.split())


def uses_enum(kind: str, node: Node, _taken: list[tuple[Name, str]], state: State) -> None:
    """After each statement: does one of its literals become a value that this transaction added?"""
    if not state.enum_values or not state.in_transaction or kind in ("AlterEnumStmt", "CreateEnumStmt"):
        return
    fresh = {text: enum for text, (enum, number) in state.enum_values.items() if number == state.transaction}
    if not fresh:
        return
    tables = list(_tables(node))
    for text, column, cast in _uses({kind: node}):
        if text in fresh and _meets(fresh[text], column, cast, tables, state):
            state.see(ENUM_USE, name=f"'{text}'")
            return


def _meets(enum: Name, column: str, cast: Name | None, tables: Iterable[Name], state: State) -> bool:
    """Whether the literal becomes that enum: by its cast, else by its column's type, as far as anybody knows it."""
    if cast is not None:
        return cast[1] == enum[1]
    if not column:
        return False
    known = [kind for table in tables if (kind := _type_of(table, column, state))]
    return any(kind == enum[1] for kind in known) if known else column not in _PROSE


def _type_of(table: Name, column: str, state: State) -> str | None:
    facts = state.table(table)
    if facts and column in facts.columns:
        return parse_type(facts.columns[column].type)[0].rpartition(".")[2]
    return state.column_types.get((table, column))


def _tables(node: Any) -> Iterator[Name]:
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, dict):
            if "relname" in current:
                yield relation(current)
            stack += current.values()
        elif isinstance(current, list):
            stack += current


def _uses(node: Any, column: str = "", cast: Name | None = None) -> Iterator[Use]:
    """Every literal below a node with the column that it is assigned to or compared with."""
    if isinstance(node, list):
        for item in node:
            yield from _uses(item, column, cast)
    elif isinstance(node, dict):
        for kind, inner in node.items():
            yield from _READERS.get(kind, _other)(kind, inner, column, cast)


def _other(_kind: str, inner: Any, column: str, cast: Name | None) -> Iterator[Use]:
    if isinstance(inner, (dict, list)):
        yield from _uses(inner, column, cast)


def _literal(_kind: str, inner: Node, column: str, cast: Name | None) -> Iterator[Use]:
    text = constant(inner) if isinstance(inner, dict) else None
    if isinstance(text, str):
        yield text, column, cast


def _cast(_kind: str, inner: Node, column: str, _before: Name | None) -> Iterator[Use]:
    yield from _uses(inner["arg"], column, dotted(strings(inner["typeName"]["names"])))


def _compared(_kind: str, inner: Node, column: str, cast: Name | None) -> Iterator[Use]:
    sides = [inner.get("lexpr", {}), inner.get("rexpr", {})]
    named = [strings(side["ColumnRef"]["fields"])[-1:] for side in sides if "ColumnRef" in side]
    casts = [dotted(strings(side["TypeCast"]["typeName"]["names"])) for side in sides if "TypeCast" in side]
    found = named[0][0] if named and named[0] else column
    yield from _uses(sides, found, casts[0] if casts else cast)


def _target(_kind: str, inner: Node, column: str, cast: Name | None) -> Iterator[Use]:
    yield from _uses(inner.get("val"), inner.get("name", column), cast)


def _made(_kind: str, inner: Node, _column: str, _cast: Name | None) -> Iterator[Use]:
    """A column with its type, and so of its defaults."""
    names = strings(inner.get("typeName", {}).get("names", []))
    yield from _uses(inner.get("constraints", []), inner.get("colname", ""), dotted(names) if names else None)


def _altered(_kind: str, inner: Node, _column: str, cast: Name | None) -> Iterator[Use]:
    yield from _uses(inner.get("def"), inner.get("name", ""), cast)


def _call(_kind: str, inner: Node, _column: str, _cast: Name | None) -> Iterator[Use]:
    """What a function does with its arguments, nobody knows; most take text."""
    yield from _uses(inner.get("args", []))


def _rows(kind: str, inner: Node, column: str, cast: Name | None) -> Iterator[Use]:
    """VALUES and SELECT of an INSERT meet its columns by their places."""
    query = inner.get("selectStmt", {}).get("SelectStmt", {})
    columns = [item["ResTarget"].get("name", "") for item in inner.get("cols", [])]
    rows = [row["List"]["items"] for row in query.get("valuesLists", [])] or [query.get("targetList", [])]
    for row in rows:
        for place, item in enumerate(row):
            yield from _uses([item], columns[place] if place < len(columns) else _UNNAMED if not columns else "", cast)
    rest = {name: part for name, part in query.items() if name not in ("valuesLists", "targetList")}
    yield from _uses([rest, {name: part for name, part in inner.items() if name not in ("selectStmt", "cols")}])


_UNNAMED = "?"  # INSERT without a list of columns
_READERS = {
    "A_Const": _literal,
    "TypeCast": _cast,
    "A_Expr": _compared,
    "ResTarget": _target,
    "ColumnDef": _made,
    "AlterTableCmd": _altered,
    "FuncCall": _call,
    "InsertStmt": _rows,
}
AFTER.append(uses_enum)
