"""Which functions PostgreSQL itself ships, and which of them are volatile."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def _lists() -> tuple[frozenset[str], frozenset[str]]:
    text = (Path(__file__).parent / "builtin_functions.txt").read_text()
    _, calm, volatile = (block.split("\n", 1)[1] for block in ("x\n" + text).split("# "))
    return frozenset(calm.split()), frozenset(volatile.split())


# Functions of extensions and platforms that do nothing but answer.
HARMLESS = frozenset(
    [
        "uuid_generate_v1",
        "uuid_generate_v1mc",
        "uuid_generate_v3",
        "uuid_generate_v4",
        "uuid_generate_v5",
        "gen_salt",
        "crypt",
        "digest",
        "hmac",
        "gen_random_bytes",
        "auth.uid",
        "auth.role",
        "auth.jwt",
        "auth.email",
        "similarity",
        "word_similarity",
        "unaccent",
        "postgis_version",
    ]
)
_SPECIAL_FORMS = frozenset(
    ["extract", "overlay", "position", "substring", "trim", "normalize", "xmlexists", "grouping"]
)


def is_volatile(function: str) -> bool | None:
    """True or False for PostgreSQL's own functions; None for one it does not ship."""
    calm, volatile = _lists()
    return True if function in volatile else False if function in calm or function in _SPECIAL_FORMS else None


def is_known(function: str) -> bool:
    """Whether calling it cannot run statements that nobody sees here."""
    return function in HARMLESS or is_volatile(function) is not None
