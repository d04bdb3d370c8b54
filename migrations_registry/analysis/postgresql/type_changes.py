"""Which type changes keep a column's stored form (ATColumnChangeRequiresRewrite; measured on PostgreSQL 15 and 18)."""

from __future__ import annotations

import re
from enum import Enum

_SPELLINGS = {
    "character varying": "varchar",
    "character": "bpchar",
    "integer": "int4",
    "bigint": "int8",
    "smallint": "int2",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "boolean": "bool",
    "time without time zone": "time",
    "time with time zone": "timetz",
    "bit varying": "varbit",
    "double precision": "float8",
    "real": "float4",
}
_FORMAT = re.compile(
    r"^(?P<base>(?:[^()\[]|\[(?!\]))*?)(?:\((?P<mods>[\d, -]+)\))?"
    r"(?P<rest> with(?:out)? time zone)?(?P<array>(?:\[\])*)$"
)


class Change(Enum):
    """What a type change does to the rows that exist."""

    SAFE = "keeps the stored form"
    REWRITES = "writes the table anew"
    NARROWS = "writes or checks every value, and some may not fit"
    UNKNOWN = "the old type is not known"


def change(before: str | None, after: str, sizes: list[int], utc: bool) -> Change:
    """Judge `before` (as format_type prints it) → `after` (grammar's name) with its size modifiers."""
    if before is None:
        return Change.SAFE if after == "inet" and not sizes else Change.UNKNOWN  # without USING only cidr becomes inet
    old, old_sizes = parse_type(before)
    new = after
    if old == new:
        return _resized(old, old_sizes, sizes)
    if (old, new) in (("varchar", "text"), ("cidr", "inet"), ("text", "varchar")) and not sizes:
        return Change.SAFE
    if (old, new) in (("timestamp", "timestamptz"), ("timestamptz", "timestamp")):
        return Change.SAFE if utc and sizes == old_sizes else Change.REWRITES
    if sizes and new in ("varchar", "bpchar") and old in ("text", "varchar", "bpchar"):
        return Change.NARROWS
    shrinks = ("int8", "int4", "int2")
    if old in shrinks and new in shrinks and shrinks.index(new) > shrinks.index(old):
        return Change.NARROWS
    return Change.REWRITES


def _resized(base: str, old: list[int], new: list[int]) -> Change:
    if old == new or (not new and base in ("varchar", "varbit", "numeric")):
        return Change.SAFE
    if base in ("varchar", "varbit") and old:
        return Change.SAFE if new[0] >= old[0] else Change.NARROWS
    if base == "numeric" and old:
        if new[1:] == old[1:]:
            return Change.SAFE if new[0] >= old[0] else Change.NARROWS
        old_scale, new_scale = (old[1:] or [0])[0], (new[1:] or [0])[0]
        return Change.NARROWS if new_scale < old_scale or new[0] - new_scale < old[0] - old_scale else Change.REWRITES
    if base in ("timestamp", "timestamptz", "time", "timetz", "interval") and new and (not old or new[0] < old[0]):
        return Change.SAFE if new[0] >= 6 else Change.NARROWS
    if base in ("timestamp", "timestamptz", "time", "timetz"):
        return Change.SAFE
    return Change.NARROWS if new and (not old or new[0] < old[0]) else Change.REWRITES


def parse_type(text: str) -> tuple[str, list[int]]:
    """`numeric(10,2)` → ("numeric", [10, 2]); long spellings become the grammar's names."""
    match = _FORMAT.match(text)
    if not match:
        return text, []
    base = (match["base"] + (match["rest"] or "")).strip()
    sizes = [int(size) for size in (match["mods"] or "").split(",") if size.strip()]
    return _SPELLINGS.get(base, base) + match["array"], sizes
