"""Where a restore may go, as one word: scratch, compare, live, schema:NAME, database:OPS_RESTORE_…_DSN. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

KINDS = ("scratch", "database", "schema", "compare", "live")
_SCHEMA = re.compile(r"^[a-z_][a-z0-9_]{0,62}$")
_VARIABLE = re.compile(r"^OPS_RESTORE_[A-Z0-9_]{1,80}_DSN$")


@dataclass(frozen=True)
class Place:
    """`name` is the variable with the DSN, or the new schema's name; empty for the others."""

    kind: str
    name: str = ""


def parse(text: str) -> Place:
    """Raises ValueError with the accepted forms."""
    kind, _, name = text.strip().partition(":")
    if kind in ("scratch", "compare", "live") and not name:
        return Place(kind)
    if kind == "database" and _VARIABLE.fullmatch(name):
        return Place(kind, name)
    if kind == "schema" and _SCHEMA.fullmatch(name) and not name.startswith("pg_"):
        return Place(kind, name)
    raise ValueError(
        "target is scratch, compare, live, schema:NAME (a new schema beside the live tables) or "
        "database:OPS_RESTORE_<NAME>_DSN (a variable of the prove worker that holds the DSN; no other is allowed)"
    )


def where(text: str) -> str:
    """A target in words, after "the run"."""
    kind, _, name = text.partition(":")
    told = {
        "scratch": "into a new database",
        "compare": "compared with the live tables",
        "live": "onto the live tables",
        "schema": f"into the new schema {name}",
        "database": f"into the database of {name}",
    }
    return told.get(kind, f"into {text}")
