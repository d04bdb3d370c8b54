"""The statement itself in its safe form, ready to copy; a description where no mechanical form exists.

Where a transaction must end in between, the form is several files: the runner applies each file as one.
"""

from __future__ import annotations

import re

from migrations_registry.analysis.model import quoted
from migrations_registry.analysis.parsing.bounds import condition
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.state import State

_INDEX = re.compile(r"(?i)^(\s*(?:CREATE\s+(?:UNIQUE\s+)?|DROP\s+)INDEX)\b")
_REINDEX = re.compile(r"(?i)^(\s*REINDEX\s+(?:\([^)]*\)\s*)?(?:TABLE|INDEX|SCHEMA|DATABASE))\b")
NEXT_FILE = "-- in the next file:"
KEY, DEFAULT = "partition_key", "default_partition"
_BACKFILL = "-- alone in its file, asked for as migrations.backfill (short transactions by primary key):"
_ALONE = "  -- alone in its step, outside a transaction"


def concurrently(state: State) -> str:
    """CREATE, DROP or REINDEX … with CONCURRENTLY."""
    for pattern in (_INDEX, _REINDEX):
        text, count = pattern.subn(r"\1 CONCURRENTLY", state.source, count=1)
        if count and not state.hidden:
            return f"{text};{_ALONE}"
    return f"the same with CONCURRENTLY;{_ALONE}"


def not_valid(state: State, table: str, constraint: str) -> str:
    """ADD CONSTRAINT … NOT VALID, and its VALIDATE in the next file."""
    single = state.source.count(",") == 0 or state.source.upper().count(" ADD ") == 1
    added = (
        f"{state.source} NOT VALID;"
        if single and not state.hidden
        else f"ALTER TABLE {table} ADD CONSTRAINT … NOT VALID;"
    )
    name = constraint or "…"
    return f"{added}\n{NEXT_FILE}\nALTER TABLE {table} VALIDATE CONSTRAINT {name};"


def set_not_null(table: str, column: str, *, last: str = "") -> str:
    """NOT NULL by way of a validated CHECK (PostgreSQL 12 and later skip the scan)."""
    name = f"{table.rpartition('.')[2]}_{column}_not_null"
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID;\n"
        f"{NEXT_FILE}\nALTER TABLE {table} VALIDATE CONSTRAINT {name};\n"
        f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;{last}\n"
        f"{NEXT_FILE}\nALTER TABLE {table} DROP CONSTRAINT {name};"
    )


def backfill(state: State, filled: set[str]) -> str:
    """The UPDATE as the file of a backfill. What only fills empty columns says so, and then loses nothing."""
    if state.hidden:
        return f"{_BACKFILL}\nUPDATE …;"
    empty = " AND ".join(f"{quoted(column)} IS NULL" for column in sorted(filled))
    return f"{_BACKFILL}\n{state.source}{f'{chr(10)}WHERE {empty}' if empty else ''};"


def using_index(table: str, columns: list[str], constraint: str, kind: str) -> str:
    """UNIQUE and PRIMARY KEY by an index that was built beside the writers."""
    stem = f"{table.rpartition('.')[2]}_{'_'.join(columns)}"
    name = constraint or f"{stem}_key"
    index = f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({', '.join(columns)});{_ALONE}"
    added = f"{index}\nALTER TABLE {table} ADD CONSTRAINT {name} {kind} USING INDEX {name};"
    if kind == "UNIQUE":
        return added
    first, *others = columns
    return "\n".join([*(set_not_null(table, each) for each in others), set_not_null(table, first, last=f"\n{added}")])


def attach(partition: str, bound: Node, key: tuple[str, ...], source: str) -> str:
    """ATTACH PARTITION after a validated CHECK that implies its bounds."""
    return _proven(partition, "bounds", "{}", bound, key, source)


def exclude(default: str, bound: Node, key: tuple[str, ...], source: str) -> str:
    """A new partition after a validated CHECK that keeps its rows out of the DEFAULT partition."""
    return _proven(default or DEFAULT, "excludes", "NOT ({})", bound, key, source)


def _proven(table: str, suffix: str, says: str, bound: Node, key: tuple[str, ...], source: str) -> str:
    """What nobody knows without the live catalogue is for the reader to write, and is named so."""
    column = key[0] if len(key) == 1 else KEY
    asks = "" if len(key) > 1 else condition(bound, column)
    if not asks:
        return "No simple CHECK says these bounds: ATTACH the partition empty and move the rows into it in batches."
    unknown = [KEY] * (column == KEY) + [DEFAULT] * (table == DEFAULT)
    note = f"-- write the real name of {' and '.join(unknown)} in each file\n" if unknown else ""
    name = f"{table.rpartition('.')[2]}_{suffix}"
    return (
        f"{note}ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({says.format(asks)}) NOT VALID;\n"
        f"{NEXT_FILE}\nALTER TABLE {table} VALIDATE CONSTRAINT {name};\n{source};\n"
        f"ALTER TABLE {table} DROP CONSTRAINT {name};"
    )


def files(form: str) -> list[str]:
    """The files of a safe form, in their order."""
    return [part.strip() for part in form.split(NEXT_FILE)]
