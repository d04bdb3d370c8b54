"""The statement itself in its safe form, ready to copy; a description where no mechanical form exists."""

from __future__ import annotations

import re

from migrations_registry.analysis.state import State

_INDEX = re.compile(r"(?i)^(\s*(?:CREATE\s+(?:UNIQUE\s+)?|DROP\s+)INDEX)\b")
_REINDEX = re.compile(r"(?i)^(\s*REINDEX\s+(?:\([^)]*\)\s*)?(?:TABLE|INDEX|SCHEMA|DATABASE))\b")
_ALONE = "  -- alone in its step, outside a transaction"


def concurrently(state: State) -> str:
    """CREATE, DROP or REINDEX … with CONCURRENTLY."""
    for pattern in (_INDEX, _REINDEX):
        text, count = pattern.subn(r"\1 CONCURRENTLY", state.source, count=1)
        if count and not state.hidden:
            return f"{text};{_ALONE}"
    return f"the same with CONCURRENTLY;{_ALONE}"


def not_valid(state: State, table: str, constraint: str) -> str:
    """ADD CONSTRAINT … NOT VALID, and its VALIDATE in another transaction."""
    single = state.source.count(",") == 0 or state.source.upper().count(" ADD ") == 1
    added = (
        f"{state.source} NOT VALID;"
        if single and not state.hidden
        else f"ALTER TABLE {table} ADD CONSTRAINT … NOT VALID;"
    )
    name = constraint or "…"
    return f"{added}\n-- then, in another transaction:\nALTER TABLE {table} VALIDATE CONSTRAINT {name};"


def set_not_null(table: str, column: str) -> str:
    """NOT NULL by way of a validated CHECK (PostgreSQL 12 and later skip the scan)."""
    name = f"{table.rpartition('.')[2]}_{column}_not_null"
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID;\n"
        f"-- then, in another transaction:\nALTER TABLE {table} VALIDATE CONSTRAINT {name};\n"
        f"-- then:\nALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;\n"
        f"ALTER TABLE {table} DROP CONSTRAINT {name};"
    )
