"""Columns that code computes from other tables, whose rows may have come later: computed anew once all rows are there.

In: a session that owns the tables, before triggers are made. Out: tables whose rows were written anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from providers.postgres.connection import Connection, statements
from providers.postgres.copy.row_digests import Evidence, evidence_of_query
from providers.postgres.schema.model import Column, Name


@dataclass(frozen=True)
class ByCode:
    """`expressions` by column; `read`: columns that an UPDATE sets to have them computed."""

    expressions: Mapping[str, str]
    read: Sequence[str]


def computed_by_code(connection: Connection) -> dict[Name, ByCode]:
    rows = connection.execute(statements("computed_by_code").encode())
    return {(schema, name): ByCode(expressions, read) for schema, name, expressions, read in rows}


def compute_again(
    connection: Connection, table: Name, columns: Sequence[Column], by_code: ByCode, wanted: Evidence
) -> bool:
    """Whether `columns` came out as `wanted` this time and were written so; else nothing changed."""
    values = [
        sql.SQL("{} AS {}").format(sql.SQL(found) if (found := by_code.expressions.get(column.name)) else name, name)
        for column in columns
        for name in [sql.Identifier(column.name)]
    ]
    query = sql.SQL("SELECT {} FROM ONLY {}").format(sql.SQL(", ").join(values), sql.Identifier(*table))
    set_again = [sql.SQL("{0} = {0}").format(sql.Identifier(name)) for name in by_code.read]
    try:
        with connection.transaction():
            if not set_again or evidence_of_query(connection, query, columns) != wanted:
                return False
            listed = sql.SQL(", ").join(set_again)
            connection.execute(sql.SQL("UPDATE ONLY {} SET {}").format(sql.Identifier(*table), listed))
    except psycopg.Error:
        if connection.closed:
            raise
        return False
    return True
