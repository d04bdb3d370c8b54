"""What a definition says only in the remarks of the fingerprint: storage, options, replica identity. Pure.

In: an object as it was, and as it is. Out: the statements that give it these again.
"""

from __future__ import annotations

from collections.abc import Iterator

from migrations_registry.fingerprint import SchemaObject
from migrations_registry.undo.action import HOOKS, Action
from migrations_registry.undo.statements import PARENT
from providers.postgres.schema.names import split

STORAGE = {"p": "PLAIN", "e": "EXTERNAL", "m": "MAIN", "x": "EXTENDED"}
COMPRESSION = {"p": "pglz", "l": "lz4"}
IDENTITY = {"n": "NOTHING", "f": "FULL"}


def remarks_back(was: SchemaObject, here: SchemaObject | None = None) -> Iterator[Action]:
    """`here`: as it is; None where it was just made, from its statement alone."""
    told, ways = f"The {was.kind} {was.name} has other settings than it had.", [*_ways(was, here)]
    yield from (Action(HOOKS, f"settings of {was.name}", ((way,),), told) for way in ways)


def _ways(was: SchemaObject, here: SchemaObject | None) -> Iterator[str]:
    old, new = _remarks(was), _remarks(here) if here else {}
    if was.kind == "column":
        yield from _of_column(was, old, new)
    elif was.kind == "index":
        yield from _of_index(was, old, new)
    elif was.kind == "table":
        yield from _of_table(was, here, old, new)
    elif was.kind == "statistics" and old.get("TARGET") != new.get("TARGET"):
        yield f"ALTER STATISTICS {was.name} SET STATISTICS {old.get('TARGET', '-1')}"


def _remarks(item: SchemaObject) -> dict[str, str]:
    """By their first words."""
    found = {}
    for remark in item.sql.split("; -- ")[1:]:
        word = next((each for each in ("REPLICA IDENTITY", "ACCESS METHOD") if remark.startswith(each)), "")
        word = word or remark.partition(" ")[0]
        found[word] = remark.removeprefix(word).strip()
    return found


def _of_column(was: SchemaObject, old: dict[str, str], new: dict[str, str]) -> Iterator[str]:
    *_, name = split(was.name, ".")
    alter = f"ALTER TABLE {was.of} ALTER COLUMN {''.join(name)}"
    if old.get("STORAGE") != new.get("STORAGE"):
        yield f"{alter} SET STORAGE {STORAGE.get(old.get('STORAGE', ''), 'DEFAULT')}"
    if old.get("COMPRESSION") != new.get("COMPRESSION"):
        yield f"{alter} SET COMPRESSION {COMPRESSION.get(old.get('COMPRESSION', ''), 'DEFAULT')}"
    if old.get("STATISTICS") != new.get("STATISTICS"):
        yield f"{alter} SET STATISTICS {old.get('STATISTICS', '-1')}"
    options, there = ([*filter(None, each.get("OPTIONS", "").strip("{}").split(","))] for each in (old, new))
    if gone := [option.partition("=")[0] for option in there if option not in options]:
        yield f"{alter} RESET ({', '.join(gone)})"
    if options and options != there:
        yield f"{alter} SET ({', '.join(options)})"


def _of_index(was: SchemaObject, old: dict[str, str], new: dict[str, str]) -> Iterator[str]:
    *_, name = split(was.name, ".")
    if "REPLICA IDENTITY" in old and "REPLICA IDENTITY" not in new:
        yield f"ALTER TABLE {was.of} REPLICA IDENTITY USING INDEX {''.join(name)}"
    if "CLUSTERED" in old and "CLUSTERED" not in new:
        yield f"ALTER TABLE {was.of} CLUSTER ON {''.join(name)}"
    if "CLUSTERED" in new and "CLUSTERED" not in old:
        yield f"ALTER TABLE {was.of} SET WITHOUT CLUSTER"


def _of_table(was: SchemaObject, here: SchemaObject | None, old: dict[str, str], new: dict[str, str]) -> Iterator[str]:
    alter, word = f"ALTER TABLE {was.name}", old.get("REPLICA IDENTITY", "d")
    if word != new.get("REPLICA IDENTITY", "d") and word != "i":  # its index says that
        yield f"{alter} REPLICA IDENTITY {IDENTITY.get(word, 'DEFAULT')}"
    if here is None:
        return
    text, there = (item.sql.partition("; -- ")[0] for item in (was, here))
    if (unlogged := text.startswith("CREATE UNLOGGED ")) != there.startswith("CREATE UNLOGGED "):
        yield f"{alter} SET {'UNLOGGED' if unlogged else 'LOGGED'}"
    options, left = (_options(each) for each in (text, there))
    if gone := sorted(left.keys() - options.keys()):
        yield f"{alter} RESET ({', '.join(gone)})"
    if more := [f"{name}={value}" for name, value in options.items() if left.get(name) != value]:
        yield f"{alter} SET ({', '.join(more)})"
    if " FOR VALUES " not in was.sql + here.sql and "; -- DEFAULT" not in was.sql + here.sql:
        parents, now = (_parents(each) for each in (text, there))
        yield from (f"{alter} NO INHERIT {parent}" for parent in now if parent not in parents)
        yield from (f"{alter} INHERIT {parent}" for parent in parents if parent not in now)


def _options(text: str) -> dict[str, str]:
    """As `format` quoted them: name='value'."""
    found = text.partition(" WITH (")[2] if text.endswith(")") else ""
    listed = ("".join(part).strip().partition("=") for part in split(found[:-1], ","))
    return {name: value for name, _, value in listed}


def _parents(text: str) -> list[str]:
    found = PARENT.search(text)
    return ["".join(part).strip() for part in split(found[1], ",")] if found else []
