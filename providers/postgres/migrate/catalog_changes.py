"""What pairs of catalog rows mean: an object made, dropped, or changed, and in which respect.

In: pairs of rows. Out: Change. What only follows from another change is left out: the columns of a new table, the
index of a dropped one, the server's own triggers of a foreign key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from providers.postgres.migrate.catalog_rows import Name, Object, Pair, Row
from providers.postgres.migrate.catalog_signs import SAME, signs
from providers.postgres.migrate.catalogs import KEPT, aspect

Owners = frozenset[Name]
CREATED, DROPPED, ALTERED = "created", "dropped", "altered"
_PLACES = re.compile(r" :(location|stmt_location|stmt_len) -?\d+")
# Written anew as they were: changed and changed back, while rows went by.
_TOUCHED = {
    "pg_trigger": "enabled state",
    "pg_proc": "definition",
    "pg_rewrite": "definition",
    "pg_event_trigger": "enabled state",
}
_REBUILT = {"conname", "tgname", "polname"}
_SPOKEN_FOR = {"trigger", "policy", "rule"}  # said although the table itself is new: they act on rows that come later
_WHAT = {
    "pg_inherits": "inheritance",
    "pg_auth_members": "members",
    "pg_enum": "values",
    "pg_description": "comment",
    "pg_shdescription": "comment",
    "pg_seclabel": "security label",
    "pg_shseclabel": "security label",
}


@dataclass(frozen=True)
class Change:
    """One effect. `name` is what everybody else still calls it, `renamed` what it is called now, where that differs.

    `owners`: itself and what it is a part of, each as (kind, *name). `signs`: what makes it graver.
    """

    verb: str
    kind: str
    name: Name
    aspects: frozenset[str] = frozenset()
    rows: int = 0
    renamed: Name = ()
    owners: frozenset[Name] = frozenset()
    object: Object = ("", 0, 0)
    signs: frozenset[str] = frozenset()
    size_bytes: int = 0


@dataclass(frozen=True)
class Seen:
    """A change, the row whose object it is about, and whether that row is gone: then only others still see it."""

    change: Change
    row: Row
    is_gone: bool = False


def seen(pair: Pair) -> Iterator[Seen]:
    """What one pair says; nothing where it concerns temporary objects or only what the server keeps for itself."""
    row = pair.now or pair.before
    if row is None or _is_passing(row) or int(row.values.get("attnum", 1)) <= 0:
        return
    verb, aspects = _verb(pair)
    if verb == ALTERED and not aspects:
        return
    if verb != ALTERED and row.values.get("tgisinternal"):
        return
    yield Seen(_change(pair, verb, aspects), row, pair.now is None)


def without_parts(changes: Sequence[Seen], before: Sequence[Owners], now: Sequence[Owners]) -> list[Seen]:
    """Each with its owners, and without what was made or dropped together with what it is, or was, a part of."""
    whole = {
        verb: {(item.change.kind, *item.change.name) for item in changes if item.change.verb == verb}
        for verb in (CREATED, DROPPED)
    }
    independent = []
    for item, had, has in zip(changes, before, now, strict=True):
        itself = (item.change.kind, *item.change.name)
        made = whole[CREATED] & (has - {itself} if item.change.verb == CREATED else has)
        gone = whole[DROPPED] & (had - {itself} if item.change.verb == DROPPED else had)
        is_new = made and (item.change.verb == CREATED or itself in whole[CREATED] or not had)
        follows = (is_new and item.change.verb != DROPPED) or (gone and item.change.verb != CREATED)
        if not follows or (item.change.verb == CREATED and item.change.kind in _SPOKEN_FOR):
            independent.append(replace(item, change=replace(item.change, owners=had | has)))
    return independent


def without_rebuilt(changes: list[Seen]) -> list[Seen]:
    """Without constraints that were dropped and made again as they were: a change of a column's type does that.
    Triggers and policies made again as they were say so: meanwhile rows may have gone by.
    """
    same = _made_again(changes)
    rebuilt = [item for item in changes if item.change.verb != ALTERED and _as_it_is(item.row) in same]
    kept = [item for item in changes if item not in rebuilt or "conname" not in item.row.values]
    return [_marked(item) if item in rebuilt and item.change.verb == DROPPED else item for item in kept]


def _made_again(changes: list[Seen]) -> set[str]:
    known = [item for item in changes if _REBUILT & item.row.values.keys()]
    created, dropped = (
        {_as_it_is(item.row) for item in known if item.change.verb == verb} for verb in (CREATED, DROPPED)
    )
    return created & dropped


def _marked(item: Seen) -> Seen:
    return replace(item, change=replace(item.change, signs=item.change.signs | {SAME}))


def _as_it_is(row: Row) -> str:
    """Everything that makes it what it is; not what is numbered anew, nor which operators its column's type has, nor
    where in its text an expression stood.
    """
    anew = {"oid", "conindid", "conpfeqop", "conppeqop", "conffeqop"}
    text = repr(sorted((name, value) for name, value in row.values.items() if name not in anew))
    return _PLACES.sub("", text)


def _is_passing(row: Row) -> bool:
    first = row.name[0] if row.name else ""
    return first == "pg_temp" or first.startswith(("pg_toast", "pg_temp_"))


def _verb(pair: Pair) -> tuple[str, frozenset[str]]:
    if pair.catalog.name != "pg_attribute" and pair.catalog.object_ != "oid":
        return ALTERED, frozenset(_part_of(pair))
    if pair.before is None:
        return CREATED, frozenset()
    if pair.now is None or (pair.now.values.get("attisdropped") and not pair.before.values["attisdropped"]):
        return DROPPED, frozenset()
    return ALTERED, frozenset(_aspects(pair))


def _part_of(pair: Pair) -> Iterator[str]:
    """A row of a catalog that only tells more about an object: that it came or went is a change of the object."""
    if pair.before is None or pair.now is None or pair.catalog.name in _WHAT:
        yield _WHAT.get(pair.catalog.name, "settings" if pair.catalog.name == "pg_db_role_setting" else "definition")
    else:
        yield from _aspects(pair)


def _aspects(pair: Pair) -> Iterator[str]:
    found = list(_differences(pair))
    yield from found
    if not found and pair.catalog.name in _TOUCHED:
        yield _TOUCHED[pair.catalog.name]


def _differences(pair: Pair) -> Iterator[str]:
    before, now = (pair.before.values if pair.before else {}), (pair.now.values if pair.now else {})
    ignored = KEPT.get(pair.catalog.name, frozenset())
    for name, value in now.items():
        if name not in ignored and value != before.get(name):
            yield aspect(name)


def _change(pair: Pair, verb: str, aspects: frozenset[str]) -> Change:
    row = pair.before or pair.now
    assert row is not None  # noqa: S101 - seen() looked
    kind, name = row.kind, row.name
    renamed = pair.now.name if verb == ALTERED and pair.now and pair.now.name != name else ()
    if kind == "rule" and name[-1] == "_RETURN" and verb == ALTERED:
        kind, name = "view", name[:-1]
    if kind in _SPOKEN_FOR and verb == CREATED and name[-1] == "_RETURN":
        kind = "view rule"
    if kind == "pg_db_role_setting":
        kind, name = "settings of all roles", ()
    values = [each.values if each else None for each in (pair.before, pair.now)]
    graver = signs(*values) if verb != DROPPED else frozenset()
    if verb == ALTERED and pair.catalog.name == "pg_trigger" and values[0] == values[1]:
        graver |= {SAME}
    return Change(verb, kind, name, aspects, renamed=renamed, object=row.object, signs=graver)
