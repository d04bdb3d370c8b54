"""What of a schema is otherwise because a statement failed: only what that statement makes, of its own table.

In: a difference of two fingerprints, the statements that failed. Out: how it is explained, or that it is not. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from providers.postgres.schema.generations import COMPUTED
from providers.postgres.schema.model import parted, qualified
from providers.postgres.schema.names import bare, names, pieces

UNEXPLAINED, EXPLAINED, FOLLOWS = "", "not rebuilt", "follows from what was not rebuilt"
BOUNDS, INVALID_INDEX = "bounds", "invalid index"
ATTACHED = frozenset(["table", "constraint", "trigger", "column", "silent key"])
# By kind of statement, the kinds of rows that are otherwise without it. Any other kind makes a whole object.
PARTS = {
    **dict.fromkeys(["primary_key", "unique", "exclusion"], frozenset(["constraint", "index", "table"])),
    **dict.fromkeys(["check", "constraint"], frozenset(["constraint"])),
    **{name: frozenset([name]) for name in ("trigger", "policy", "default", "statistics", "comment", "grants")},
    **dict.fromkeys(["table_attach", BOUNDS], ATTACHED),
    "foreign_key": frozenset(["constraint", "silent key"]),
    "index": frozenset(["index", "table"]),
    "index_attach": frozenset(["index"]),
    "row_security": frozenset(["row security"]),
    "rule": frozenset(["rule", "view"]),
    "owner": frozenset(["grants"]),
    "default_grants": frozenset(["default grants"]),
    "security_label": frozenset(["security label"]),
    "sequence_owned_by": frozenset(["sequence"]),
    **dict.fromkeys(["sequence_value", "tablespace", "table_access_method"], frozenset[str]()),
    "materialized_view_data": frozenset(["materialized view"]),
    "publication_table": frozenset(["publication"]),
    COMPUTED: frozenset(["column"]),
    INVALID_INDEX: frozenset(["comment", "security label", "table"]),
}
NAMED = frozenset(["constraint", "silent key", "index", "trigger", "policy", "rule", "default", "statistics"])
TYPES = frozenset(["type", "shell_type", "domain"])
BY_KIND = frozenset(["default_grants", "publication_table"])  # the fingerprint calls these otherwise than pg_dump
HEIRS = re.compile(r' INHERITS \(((?:"(?:[^"]|"")++"|[^"()])++)\)')


@dataclass(frozen=True)
class Lost:
    """A statement that failed: its kind, how it is called, its table (as `qualified` says it) or none."""

    kind: str
    name: str
    table: str = ""


@dataclass(frozen=True)
class Changed:
    """One difference: a row of the fingerprint and the object it belongs to; `gone`: nothing of it is there."""

    kind: str
    name: str
    of: str
    gone: bool


def explained(change: Changed, lost: Iterable[Lost], parents: Mapping[str, Collection[str]]) -> str:
    """`parents` of tables, by name."""
    found = {_how(change, item, parents) for item in lost}
    return next((how for how in (EXPLAINED, FOLLOWS) if how in found), UNEXPLAINED)


def parents_of(texts: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """From the names of tables and their rows of the fingerprint."""
    tables = ((name, HEIRS.search(text)) for name, text in texts)
    return {called(name): {qualified(*found) for found in names(match[1])} for name, match in tables if match}


def called(name: str) -> str:
    """A name as the fingerprint quotes it, as `qualified` says it; what is no schema.name stays as it is."""
    found = [*names(name)] if len(pieces(name)) == 3 else []
    return qualified(*found[0]) if found else name


def _how(change: Changed, lost: Lost, parents: Mapping[str, Collection[str]]) -> str:
    if change.kind == "cast":
        return _how_a_cast(change, lost) if change.gone else UNEXPLAINED
    parts = PARTS.get(lost.kind)
    if parts is None:
        own = not change.of and (
            _is_called(change.name, lost.name) or (lost.kind == "table" and called(change.name) == lost.table)
        )
        with_it = own or (change.of and (called(change.of) == lost.table or _is_called(change.of, lost.name)))
        return UNEXPLAINED if not change.gone or not with_it else EXPLAINED if own else FOLLOWS
    if change.kind not in parts:
        return UNEXPLAINED
    if lost.kind in BY_KIND:
        return FOLLOWS
    if not lost.table or not change.of:
        same = _is_called(change.name, lost.name) or _is_called(change.of, lost.name)
        return EXPLAINED if same else UNEXPLAINED
    place = called(change.of)
    if lost.kind == "index_attach":
        return FOLLOWS if place in {lost.table, *_above(lost.table, parents)} else UNEXPLAINED
    if change.kind in NAMED and lost.kind not in ("table_attach", BOUNDS):
        if not _is_part(change, lost):
            return UNEXPLAINED
        own = place == lost.table
        return EXPLAINED if own else FOLLOWS if lost.table in _above(place, parents) else UNEXPLAINED
    return UNEXPLAINED if place != lost.table else EXPLAINED if change.kind == lost.kind else FOLLOWS


def _how_a_cast(change: Changed, lost: Lost) -> str:
    """It goes with each of its types, a range's own with the range."""
    if lost.kind == "cast":
        return EXPLAINED if lost.name == f"CAST ({change.name.replace(' as ', ' AS ')})" else UNEXPLAINED
    with_it = lost.kind in TYPES and any(_is_called(name, lost.name) for name in change.name.split(" as "))
    return FOLLOWS if with_it else UNEXPLAINED


def _is_part(change: Changed, lost: Lost) -> bool:
    """A foreign key onto partitions has one more, numbered, for each of them."""
    plain = lost.name.removeprefix(f"{lost.table}.").removeprefix(f"{parted(lost.table)[0]}.")
    found = change.name.removesuffix(f" on {change.of}").removeprefix(f"{change.of}.")
    cut = pieces(found)
    short = bare(cut[2] if len(cut) == 3 else found)
    number = short.removeprefix(plain) if lost.kind == "foreign_key" and short.startswith(plain) else "?"
    return short == plain or re.fullmatch(r"_?\d+", number) is not None


def _is_called(name: str, lost: str) -> bool:
    """However much pg_dump and the fingerprint say besides: arguments, owner, access method, kind."""
    if not name:
        return False
    short = name.partition("(")[0].partition(" USING ")[0].strip()
    word, wanted = short.replace('"', "").rpartition(" ")[2], lost.partition("(")[0].strip().replace('"', "")
    return wanted in (word, short.replace('"', "")) or wanted.rpartition(" ")[2] == word.rpartition(".")[2] != ""


def _above(table: str, parents: Mapping[str, Collection[str]]) -> set[str]:
    reached, waiting = set[str](), [table]
    while waiting:
        more = {*parents.get(waiting.pop(), ())} - reached
        reached |= more
        waiting += more
    return reached
