"""One thing that an undo does, when it does it, and what it says where it could not. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from migrations_registry.fingerprint import SchemaObject

# The order in which things are made: rows come back after KEYS.
PLACES, TYPES, ROUTINES, TABLES, COLUMNS, RETYPED, KEYS = range(7)
CHECKS, REFERENCES, INDEXES, VIEWS, HOOKS, OWNERS, WORDS = range(7, 14)
Way = tuple[str, ...]


@dataclass(frozen=True)
class Action:
    """`ways`: alternatives, best first; `note`: what is told where only a later one, or none, is taken; `key`: of the
    object that it is about."""

    phase: int
    what: str
    ways: tuple[Way, ...]
    note: str = ""
    key: tuple[str, str] = ("", "")


def plain(item: SchemaObject) -> str:
    """Its SQL without what the catalogue adds as a remark."""
    if item.kind in ("function", "procedure"):
        return item.sql.rpartition("; -- OWNER ")[0]
    return item.sql.partition("; -- ")[0].rstrip().rstrip(";")
