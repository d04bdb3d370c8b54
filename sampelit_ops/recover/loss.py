"""What was lost: a table, a column, rows of a table, one experiment with its chain, or the whole project. Pure.

In: words such as `column=public.users.company`. Out: a Lost, or Refused with the shapes that are understood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from providers.errors import Refused

KINDS = {
    "table": "A table was dropped",
    "column": "A column was dropped or overwritten",
    "rows": "Rows of a table were deleted",
    "experiment": "One experiment was deleted, with its chain",
    "project": "The whole project is broken or gone",
}
EXPERIMENTS = "public.experiments"
SHAPES = "table=public.users, column=public.users.company, rows=public.users, experiment=UUID or project"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}")


@dataclass(frozen=True)
class Lost:
    """`table` is schema.name; `column` and `key` (an experiment's id) only where the kind has them."""

    kind: str
    table: str = ""
    column: str = ""
    key: str = ""

    def __str__(self) -> str:
        what = {
            "table": self.table,
            "column": f"{self.table}.{self.column}",
            "rows": self.table,
            "experiment": self.key,
        }
        return f"{self.kind} {what.get(self.kind, '')}".strip()

    @property
    def words(self) -> str:
        """The shape that `parse` takes."""
        value = str(self).partition(" ")[2]
        return f"{self.kind}={value}" if value else self.kind


def parse(text: str) -> Lost:
    """Raises Refused for anything else than the five shapes."""
    kind, _, value = text.strip().partition("=")
    if kind not in KINDS or (kind == "project") == bool(value):
        raise Refused(f"{text!r} is not understood; write {SHAPES}. Nothing was started.")
    if kind == "project":
        return Lost(kind)
    if kind == "experiment":
        return Lost(kind, EXPERIMENTS, key=_uuid(value))
    parts = value.split(".")
    wanted = 2 if kind == "column" else 1
    parts = parts if len(parts) > wanted else ["public", *parts]
    if len(parts) != wanted + 1 or not all(_NAME.fullmatch(part) for part in parts):
        raise Refused(f"{value!r} is no {kind}; write {SHAPES}. Nothing was started.")
    return Lost(kind, ".".join(parts[:2]), parts[2] if kind == "column" else "")


def of_form(kind: str, table: str, column: str, key: str) -> Lost:
    """The same from the fields of the page."""
    value = {"column": f"{table}.{column}", "experiment": key, "project": ""}.get(kind, table)
    return parse(f"{kind}={value.strip()}" if kind != "project" else kind)


def _uuid(text: str) -> str:
    try:
        return str(UUID(text.strip()))
    except ValueError:
        raise Refused(f"{text!r} is no experiment's id (a UUID). Nothing was started.") from None
