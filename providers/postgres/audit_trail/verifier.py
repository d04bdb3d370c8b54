"""The product's own `verify_audit_chain()`: read where it is defined, run where nothing can be harmed.

In: a catalogue; later a drill's two logins and the function's text. Out: what it says of every chain. The text comes
from the product's database, so it is defined and called by a role that owns nothing else: it alters no row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import conninfo, sql

from providers.postgres.connection import Connection, connect, statements
from providers.postgres.error_facts import facts_of
from providers.postgres.schema.model import Name, SchemaObject

KIND, NAME = "verifier", "verify_audit_chain"
LIMIT = "60s"


@dataclass(frozen=True)
class Said:
    """`invalid` rows of `rows`; `problem` says why it was not run."""

    chains: int = 0
    rows: int = 0
    invalid: int = 0
    problem: str = ""


def read_verifier(connection: Connection, schemas: Sequence[str], table: str) -> list[SchemaObject]:
    """The function's definition, if the product has it; needed by no restore."""
    rows = connection.execute(statements("verifier"), {"schemas": list(schemas)})
    return [SchemaObject("after", KIND, name, text, False, table) for name, text in rows]


def ask_verifier(connection: Connection, reader: str, text: str, table: Name) -> Said:
    """Define it in the drill's database as the role that only reads and run it over every chain there."""
    try:
        _admit(connection, str(conninfo.conninfo_to_dict(reader)["user"]), table[0])
        with connect(reader, read_only=False) as other:
            other.execute(sql.SQL("SET search_path = {}, pg_catalog").format(sql.Identifier(table[0])))
            other.execute(sql.SQL("SET statement_timeout = {}").format(sql.Literal(LIMIT)))
            other.execute(text.encode())
            query = sql.SQL(statements("verifier_run")).format(
                table=sql.Identifier(*table), function=sql.Identifier(table[0], NAME)
            )
            row = other.execute(query).fetchone() or (0, 0, 0)
    except psycopg.Error as error:
        return Said(problem=f"It stopped: {facts_of(error)}.")
    return Said(int(row[0]), int(row[1]), int(row[2]))


def _admit(connection: Connection, reader: str, schema: str) -> None:
    """Let the role read this schema and make this function in it anew, and nothing more."""
    role = sql.Identifier(reader)
    connection.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {}").format(sql.Identifier(schema), role))
    known = "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = %s::regnamespace AND proname = %s"
    for (routine,) in connection.execute(known, [sql.Identifier(schema).as_string(), NAME]).fetchall():
        connection.execute(sql.SQL("DROP ROUTINE {} CASCADE").format(sql.SQL(routine)))
    connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(sql.Identifier(schema), role))
