"""Sequences and types as they were: made again, or changed back. Pure. In: their words in the fingerprint."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest

from migrations_registry.fingerprint import Fingerprint, SchemaObject
from migrations_registry.undo.action import INDEXES, OWNERS, TYPES, Action, Way, plain

LABEL = re.compile(r"'(?:[^']|'')*+'")
RANGE = re.compile(r"(?:class|collation|canonical|difference|multirange) (\S*)")
WORDS = ("SUBTYPE_OPCLASS", "COLLATION", "CANONICAL", "SUBTYPE_DIFF", "MULTIRANGE_TYPE_NAME")
DOMAIN = re.compile(r"CREATE DOMAIN (.+?) AS (.+?)(?: DEFAULT (.+?))?( NOT NULL)?$", re.DOTALL)


def sequence_again(was: SchemaObject, before: Fingerprint) -> Iterator[Action]:
    """One of an identity column comes with the column, and then gets its steps."""
    text, _, rest = was.sql.partition("; ALTER SEQUENCE ")
    owned = re.match(r".+? OWNED BY (.+?)(?=; -- |$)", rest)
    column = before.by_key.get(("column", owned[1])) if owned else None
    if column and " AS IDENTITY" in column.sql:
        yield sequence_back(was)
        return
    yield Action(
        TYPES, f"sequence {was.name}", ((text.partition("; -- ")[0],),), f"The sequence {was.name} is not back."
    )
    if owned:
        yield Action(OWNERS, f"owner of {was.name}", ((f"ALTER SEQUENCE {was.name} OWNED BY {owned[1]}",),))


def sequence_back(was: SchemaObject) -> Action:
    """Its steps and limits; the number that it stands at stays."""
    way = "ALTER" + was.sql.partition("; ")[0].removeprefix("CREATE")
    return Action(INDEXES, f"sequence {was.name}", ((way,), (f"{way} RESTART",)))


def range_again(was: SchemaObject) -> str:
    """With the function that its indexes and its multirange need."""
    text, _, rest = was.sql.partition("; -- RANGE ")
    words = dict(zip(WORDS, RANGE.findall(rest.partition("; -- ")[0]), strict=False))
    more = "".join(f", {name} = {value}" for name, value in words.items() if value not in ("", "-"))
    return f"{text.removesuffix(')')}{more})"


def type_back(was: SchemaObject, here: SchemaObject) -> Way:
    """An enum whose labels were renamed, or a domain of the same type; nothing for what PostgreSQL cannot do."""
    if " AS ENUM (" in was.sql:
        pairs = [*zip_longest(LABEL.findall(plain(was)), LABEL.findall(plain(here)))]
        renamed = [(old, new) for old, new in pairs if old != new]
        if all(old and new for old, new in pairs) and not {old for old, _ in renamed} & {new for _, new in renamed}:
            return tuple(f"ALTER TYPE {was.name} RENAME VALUE {new} TO {old}" for old, new in renamed)
    old, new = DOMAIN.match(plain(was)), DOMAIN.match(plain(here))
    if old is None or new is None or old[2] != new[2]:
        return ()
    alter = f"ALTER DOMAIN {was.name}"
    default = f"SET DEFAULT {old[3]}" if old[3] else "DROP DEFAULT"
    return f"{alter} {default}", f"{alter} {'SET' if old[4] else 'DROP'} NOT NULL"


def is_longer_enum(was: SchemaObject, here: SchemaObject) -> bool:
    """Values were only added: PostgreSQL takes none out, and nothing was lost."""
    old, new = (set(LABEL.findall(item.sql)) for item in (was, here))
    return " AS ENUM (" in was.sql and old <= new
