"""Effects that no row of a readable catalog tells: new files, sequences, roles, large objects, ties to extensions.

In: the transaction's session, a second one, what was counted. Out: changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from psycopg import sql

from providers.postgres.connection import Connection, statements
from providers.postgres.migrate.catalog_changes import ALTERED, CREATED, DROPPED, Change, Seen
from providers.postgres.migrate.catalog_rows import Ids, Pair, Row, fetch_rows, owners
from providers.postgres.migrate.catalog_signs import ENDS
from providers.postgres.migrate.catalogs import CATALOGS, SILENT

REWRITTEN, TRUNCATED, MOVED, SET_BACK = "rewritten", "truncated", "moved", "set back"
_FILES = {"r": "table", "m": "materialized view", "S": "sequence"}


def files(own: Connection, other: Connection, pairs: Iterable[Pair], were_empty: frozenset[int]) -> Iterator[Change]:
    """Relations whose rows lie in another file now: rewritten, or emptied (TRUNCATE counts no row)."""
    rows = [pair.before for pair in pairs if pair.before and pair.now and _is_new_file(pair.before, pair.now)]
    oids = {"oids": [row.oid for row in rows]}
    now = {oid: rest for oid, *rest in fetch_rows(own, statements("effects_emptied"), oids)} if rows else {}
    held = {oid: rest for oid, *rest in fetch_rows(other, statements("effects_filled"), oids)} if rows else {}
    for row, above in zip(rows, owners(other, rows), strict=True):
        (empty, size), (count, before) = now.get(row.oid, (False, 0)), held.get(row.oid, (0, 0))
        verb = TRUNCATED if row.kind != "sequence" and empty and row.oid not in were_empty else REWRITTEN
        yield Change(verb, row.kind, row.name, rows=count, owners=above, size_bytes=max(size, before))


def _is_new_file(before: Row, now: Row) -> bool:
    if before.class_ != "pg_class" or before.values.get("relkind") not in _FILES or before.name[0].startswith("pg_"):
        return False
    return bool(before.values["relfilenode"] != now.values["relfilenode"])


def sequences(own: Connection, other: Connection, before: dict[int, int | None]) -> Iterator[Change]:
    """Sequences that were moved, by setval or nextval: no transaction takes that back."""
    moved = fetch_rows(own, statements("effects_moved_sequences"))
    relations = fetch_rows(other, statements("effects_relations"), {"oids": [oid for oid, *_ in moved]})
    names = {oid: (schema, name) for oid, schema, name, _ in relations}
    rows = [Row({}, "pg_class", oid, "sequence", names[oid]) for oid, *_ in moved if oid in names]
    states = {oid: (rises, cycles, value) for oid, rises, cycles, value in moved}
    for row, above in zip(rows, owners(other, rows), strict=True):
        verb = SET_BACK if _is_back(*states[row.oid], before.get(row.oid)) else MOVED
        yield Change(verb, "sequence", row.name, owners=above)


def _is_back(rises: bool, cycles: bool, value: int | None, before: int | None) -> bool:
    if before is None or cycles:
        return False
    return value is None or (value < before if rises else value > before)


def adopted(own: Connection, ids: Ids) -> list[Seen]:
    """Existing objects that now belong to an extension, or would go with it."""
    query = sql.SQL(statements("effects_adopted")).format(condition=sql.SQL(statements("effects_own_rows")))
    return [
        Seen(Change(ALTERED, kind, tuple(name), frozenset({"extension"})), Row({}, class_, oid, kind, tuple(name)))
        for kind, name, class_, oid in fetch_rows(own, query, {"xid": ids.xid})
        if name
    ]


def tied(own: Connection, other: Connection, ids: Ids) -> Iterator[Change]:
    """Objects of everybody's that now hang on something temporary, and go with it when the session ends; sequences that
    now go with a table.
    """
    query = sql.SQL(statements("effects_ties")).format(condition=sql.SQL(statements("effects_own_rows")))
    found = fetch_rows(own, query, {"xid": ids.xid})
    rows = [Row({"attnum": part}, class_, oid, kind, tuple(names or ())) for class_, oid, part, kind, names, _ in found]
    for row, above, (*_, to_temporary) in zip(rows, owners(other, rows), found, strict=True):
        if not above:
            continue  # nobody else knows it: the transaction made it
        kind, name = ("view", row.name[:-1]) if row.name[-1:] == ("_RETURN",) else (row.kind, row.name)
        aspects, signs = (("lifetime",), (ENDS,)) if to_temporary else (("ownership",), ())
        yield Change(ALTERED, kind, name, frozenset(aspects), owners=above, signs=frozenset(signs))


def unreadable(own: Connection, other: Connection, written: dict[str, Any]) -> Iterator[Change]:
    """Catalogs whose rows this role may not read: they were written, more is not known; roles by their view."""
    for name, counts in written.items():
        if name == "pg_authid":
            yield from _roles(own, other)
        elif name not in CATALOGS and name not in SILENT:
            kind = "large object" if name == "pg_largeobject" else name
            yield Change(ALTERED, kind, (), frozenset({"content"}), rows=sum(counts))


def _roles(own: Connection, other: Connection) -> Iterator[Change]:
    before, now = (dict(fetch_rows(session, statements("effects_roles"))) for session in (other, own))
    names = sorted(set(before) ^ set(now))
    for name in names:
        yield Change(CREATED if name in now else DROPPED, "role", (name,))
    altered = sorted(name for name in set(before) & set(now) if before[name] != now[name])
    for name in altered:
        yield Change(ALTERED, "role", (name,), frozenset({"attributes"}))
    if not names and not altered:
        yield Change(ALTERED, "role", (), frozenset({"password"}))
