"""A table whose definition runs code that refuses: the same without what computes its columns. Pure.

In: the CREATE TABLE that pg_dump wrote. Out: one that rows can be brought into. PostgreSQL plans the expression of a
generated column when it makes the table, so a function that fails, or reads a table, is called then.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

CODE = ("CONSTR_GENERATED", "CONSTR_NOTNULL")


def without_code(text: str) -> tuple[str, list[str]]:
    """Generated columns as plain ones that may be empty, and their names; no text where there are none."""
    from postgast import PgQueryError, deparse, parse

    try:
        tree = parse(text)
        columns = [name for statement in tree.stmts for name in _let_go(statement.stmt.create_stmt)]
        return deparse(tree) if columns else "", columns
    except PgQueryError:
        return "", []


def _let_go(table: Any) -> Iterator[str]:
    for column in (element.column_def for element in table.table_elts if element.WhichOneof("node") == "column_def"):
        if "CONSTR_GENERATED" in map(_kind, column.constraints):
            kept = [part for part in column.constraints if _kind(part) not in CODE]
            del column.constraints[:]
            column.constraints.extend(kept)
            yield column.colname


def _kind(part: Any) -> str:
    kinds = part.constraint.DESCRIPTOR.fields_by_name["contype"].enum_type.values_by_number
    return str(kinds[part.constraint.contype].name)
