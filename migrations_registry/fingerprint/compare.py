"""Two fingerprints in, the named differences out. What belongs to a table that came or went is told with the table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from migrations_registry.fingerprint.model import Fingerprint, SchemaObject
from providers.postgres.schema.generations import NO_TOAST

ADDED, CHANGED, REMOVED = "added", "changed", "removed"
INVALID = "; -- INVALID"
WHOLE = frozenset(
    [
        "table",
        "view",
        "materialized view",
        "foreign table",
        "type",
        "function",
        "procedure",
        "aggregate",
        "sequence",
        "extension",
    ]
)


@dataclass(frozen=True)
class Change:
    """One object that differs, with its SQL before and after (empty where there was none)."""

    kind: str
    name: str
    change: str
    before: str
    after: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.change}"


def compare(before: Fingerprint, after: Fingerprint) -> list[Change]:
    """Every difference, by kind and name. Equal digests give none."""
    before, after = _comparable(before, after)
    if before.sha256 == after.sha256:
        return []
    old, new = before.by_key, after.by_key
    gone, came = _wholes(old.keys() - new.keys()), _wholes(new.keys() - old.keys())
    changes = []
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was and now and (was.sha256 == now.sha256 or _only_columns(was, now) or _only_repaired(was, now)):
            continue
        folded = (was or now) if not (was and now) else None
        if folded and key[0] not in WHOLE and folded.of in (gone if was else came):
            continue
        changes.append(_change(was, now, before, after))
    return changes


def _comparable(before: Fingerprint, after: Fingerprint) -> tuple[Fingerprint, Fingerprint]:
    """A reading by an earlier release says less: what it did not read is no change."""
    reading = min(before.generation, after.generation)
    return before.as_of(reading), after.as_of(reading)


def _only_repaired(was: SchemaObject, now: SchemaObject) -> bool:
    """REINDEX of an index that was left invalid, or what a dropped column left, gone with a VACUUM FULL."""
    if was.kind in ("table", "materialized view"):
        return NO_TOAST.sub("", was.sql) == NO_TOAST.sub("", now.sql)
    return was.kind == "index" and was.sql.replace(INVALID, "") == now.sql


def _wholes(keys: Iterable[tuple[str, str]]) -> set[str]:
    return {name for kind, name in keys if kind in WHOLE}


def _only_columns(was: SchemaObject, now: SchemaObject) -> bool:
    """A column that came or went is told by itself; here only the order of those that stayed counts."""
    if was.kind != "column order":
        return False
    old, new = was.sql.split(", "), now.sql.split(", ")
    return [name for name in old if name in new] == [name for name in new if name in old]


def _change(was: SchemaObject | None, now: SchemaObject | None, before: Fingerprint, after: Fingerprint) -> Change:
    present = was or now
    assert present is not None  # noqa: S101 - the key came from one of both
    return Change(
        present.kind,
        present.name,
        CHANGED if was and now else REMOVED if was else ADDED,
        _with_parts(was, before) if not now else was.sql if was else "",
        _with_parts(now, after) if not was else now.sql if now else "",
    )


def _with_parts(item: SchemaObject | None, fingerprint: Fingerprint) -> str:
    """The object's SQL and, for a table, that of everything that belongs to it."""
    if item is None:
        return ""
    if item.kind not in WHOLE:
        return item.sql
    parts = [part for part in fingerprint.objects if part.of == item.name and part.kind not in (*WHOLE, "column order")]
    return ";\n".join([item.sql, *(part.sql for part in parts)])
