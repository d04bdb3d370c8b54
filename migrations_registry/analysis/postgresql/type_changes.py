"""Which type changes keep a column's stored form (ATColumnChangeRequiresRewrite; measured on PostgreSQL 15 and 18)."""

from __future__ import annotations

import re
from enum import Enum

from migrations_registry.analysis.model import Name

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


_MOMENTS = ("timestamp", "timestamptz")
_TIMES = (*_MOMENTS, "time", "timetz", "interval")
_FULL_PRECISION = 6
_ALL_FIELDS = 0x7FFF  # INTERVAL_FULL_RANGE


# pg_type's base types and ranges that SQL may name without a schema, and those of extensions.
_BASE = """bit bool box bpchar bytea char cid cidr circle date datemultirange daterange float4 float8 inet int2
int2vector int4 int4multirange int4range int8 int8multirange int8range interval json jsonb jsonpath line lseg macaddr
macaddr8 money name numeric nummultirange numrange oid oidvector path pg_lsn pg_snapshot point polygon refcursor
regclass regcollation regconfig regdictionary regnamespace regoper regoperator regproc regprocedure regrole regtype
serial serial2 serial4 serial8 bigserial smallserial text tid time timestamp timestamptz timetz tsmultirange tsquery
tsrange tstzmultirange tstzrange tsvector txid_snapshot uuid varbit varchar xid xid8 xml citext cube geography
geometry halfvec hstore isbn isbn13 lquery ltree ltxtquery raster seg sparsevec vector"""
_BUILTIN = frozenset(_BASE.split())


class Change(Enum):
    """What a type change does to the rows that exist."""

    SAFE = "keeps the stored form"
    REWRITES = "writes the table anew"
    NARROWS = "writes or checks every value, and some may not fit"
    UNKNOWN = "the old type is not known"


def change(before: str | None, after: str, sizes: list[int], utc: bool) -> Change:
    """Judge `before` (as format_type prints it) → `after` (grammar's name, with [] for arrays) and its modifiers."""
    if before is None:
        return Change.SAFE if after == "inet" and not sizes else Change.UNKNOWN  # without USING only cidr becomes inet
    old, old_sizes = parse_type(before)
    sizes = _precision(sizes) if after == "interval" else sizes
    if old == after:
        return _resized(old, old_sizes, sizes)
    if (old, after) in (("varchar", "text"), ("cidr", "inet"), ("text", "varchar"), ("bit", "varbit")) and not sizes:
        return Change.SAFE
    if old in _MOMENTS and after in _MOMENTS:
        if sizes and sizes[0] < _FULL_PRECISION and (not old_sizes or sizes[0] < old_sizes[0]):
            return Change.NARROWS
        return Change.SAFE if utc and (not sizes or sizes[0] >= _FULL_PRECISION) else Change.REWRITES
    if sizes and after in ("varchar", "bpchar") and old in ("text", "varchar", "bpchar"):
        return Change.NARROWS
    shrinks = ("int8", "int4", "int2")
    if old in shrinks and after in shrinks and shrinks.index(after) > shrinks.index(old):
        return Change.NARROWS
    return Change.REWRITES


def _precision(sizes: list[int]) -> list[int]:
    """Of INTERVAL's modifiers (fields, precision); fields are kept, so that they never count as the same."""
    return [size for size in sizes if size != _ALL_FIELDS]


def _resized(base: str, old: list[int], new: list[int]) -> Change:
    if old == new or (not new and base in ("varchar", "varbit", "numeric")):
        return Change.SAFE
    if base.endswith("[]"):
        if base.startswith("varchar") and not new:
            return Change.SAFE
        return Change.NARROWS if new and (not old or new < old) else Change.REWRITES
    if base in ("varchar", "varbit") and old:
        return Change.SAFE if new[0] >= old[0] else Change.NARROWS
    if base == "numeric" and old:
        if new[1:] == old[1:]:
            return Change.SAFE if new[0] >= old[0] else Change.NARROWS
        old_scale, new_scale = (old[1:] or [0])[0], (new[1:] or [0])[0]
        return Change.NARROWS if new_scale < old_scale or new[0] - new_scale < old[0] - old_scale else Change.REWRITES
    if base in _TIMES:
        if not new or (len(new) == 1 and new[0] >= _FULL_PRECISION):
            return Change.SAFE
        return Change.SAFE if old and len(new) == len(old) == 1 and new[0] >= old[0] else Change.NARROWS
    return Change.NARROWS if new and (not old or new[0] < old[0]) else Change.REWRITES


def parse_type(text: str) -> tuple[str, list[int]]:
    """`numeric(10,2)` → ("numeric", [10, 2]); long spellings become the grammar's names."""
    match = _FORMAT.match(text)
    if not match:
        return text, []
    base = (match["base"] + (match["rest"] or "")).strip()
    sizes = [int(size) for size in (match["mods"] or "").split(",") if size.strip()]
    return _SPELLINGS.get(base, base) + match["array"], sizes


def is_builtin_type(name: Name) -> bool:
    """A type of PostgreSQL or of a known extension, none of which is a domain with a constraint."""
    return name[0] == "pg_catalog" or (name[0] in ("public", "extensions") and name[1] in _BUILTIN)
