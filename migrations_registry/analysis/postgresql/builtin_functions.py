"""Which functions and operators are known to do nothing but answer: PostgreSQL's own, some extensions', Supabase's.

In: names as a statement writes them. Out: harmless or not, and why not. Whatever stands in no list is not harmless.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

# Supabase's own, and what its schemas and PostGIS are mostly asked for; those of queues only add a queue or a message.
_PLATFORM = """auth.uid auth.role auth.jwt auth.email storage.foldername storage.filename storage.extension
realtime.topic pgmq.create pgmq.create_unlogged pgmq.send pgmq.send_batch pgmq.metrics pgmq.list_queues"""
PLATFORM = frozenset(_PLATFORM.split())
OTHER_EXTENSIONS = frozenset({"postgis_version", "l2_distance", "cosine_distance", "inner_product", "vector_dims"})
# Whose functions only answer; those with lists of names are known without a catalogue, too.
HARMLESS_EXTENSIONS = frozenset(
    [
        "btree_gin",
        "btree_gist",
        "citext",
        "cube",
        "dict_int",
        "dict_xsyn",
        "earthdistance",
        "fuzzystrmatch",
        "hstore",
        "intagg",
        "intarray",
        "isn",
        "ltree",
        "moddatetime",
        "pg_trgm",
        "pgcrypto",
        "pgjwt",
        "pg_hashids",
        "postgis",
        "postgis_raster",
        "postgis_topology",
        "seg",
        "tcn",
        "tsm_system_rows",
        "tsm_system_time",
        "unaccent",
        "uuid-ossp",
        "vector",
    ]
)
_HERE = Path(__file__).parent


@cache
def _lists() -> tuple[frozenset[str], frozenset[str], dict[str, str]]:
    """Never volatile; volatile; and those that do more than answer, each with what it does."""
    calm, volatile, *opaque = _blocks("builtin_functions.txt")
    why = {name: title.removeprefix("Opaque: ").rstrip(".") for title, names in opaque for name in names}
    return frozenset(calm[1]), frozenset(volatile[1]), why


@cache
def of_extensions() -> frozenset[str]:
    """Functions of contrib's extensions that only answer."""
    return OTHER_EXTENSIONS.union(*(names for _, names in _blocks("extension_functions.txt")))


@cache
def _operators() -> tuple[frozenset[str], frozenset[str]]:
    own, theirs = (_HERE / "operators.txt").read_text().split("\n\n")
    return frozenset(own.split()), frozenset(theirs.split())


def _blocks(file: str) -> list[tuple[str, list[str]]]:
    blocks = ("\n" + (_HERE / file).read_text()).split("\n# ")[1:]
    return [(title, names.split()) for title, _, names in (block.partition("\n") for block in blocks)]


def is_volatile(function: str) -> bool | None:
    """True or False for PostgreSQL's own functions; None for one it does not ship."""
    calm, volatile, opaque = _lists()
    return False if function in calm else True if function in volatile or function in opaque else None


@cache
def _newer() -> dict[str, int]:
    return {name: int(version) for version, names in _blocks("newer_functions.txt") for name in names}


def since(parts: Sequence[str]) -> int:
    """The major version that brought PostgreSQL's own function of this name; 0 for one of 15 and for any other."""
    return _newer().get(parts[-1], 0) if len(parts) == 1 or parts[-2] == "pg_catalog" else 0


def is_harmless(parts: Sequence[str]) -> bool:
    """Whether a function of this name, as it is written, is one that only answers; a schema counts."""
    schema, name = parts[-2] if len(parts) > 1 else "", parts[-1]
    if schema in ("", "pg_catalog") and is_volatile(name) is not None:
        return name not in _lists()[2]
    return f"{schema}.{name}" in PLATFORM or (schema in ("", "public", "extensions") and name in of_extensions())


def why_opaque(parts: Sequence[str]) -> str:
    """What a function of PostgreSQL does besides answering; empty for any other."""
    return _lists()[2].get(parts[-1], "") if len(parts) == 1 or parts[-2] == "pg_catalog" else ""


def is_harmless_operator(parts: Sequence[str]) -> bool:
    """The same for an operator."""
    schema, name = parts[-2] if len(parts) > 1 else "", parts[-1]
    own, theirs = _operators()
    return (schema in ("", "pg_catalog") and name in own) or (schema in ("", "public", "extensions") and name in theirs)
