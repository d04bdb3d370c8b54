"""The statements that make one object again, or change it back, from the words in which the catalogue told it. Pure.

In: the object as it was, as it is. Out: Actions; each has ways, of which the first that the server takes is enough.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrations_registry.fingerprint import Fingerprint, SchemaObject
from migrations_registry.undo.action import (
    CHECKS,
    COLUMNS,
    HOOKS,
    INDEXES,
    KEYS,
    OWNERS,
    PLACES,
    REFERENCES,
    RETYPED,
    ROUTINES,
    TABLES,
    TYPES,
    VIEWS,
    WORDS,
    Action,
    Way,
    plain,
)
from migrations_registry.undo.columns import COLUMN, column_again, column_back
from migrations_registry.undo.rights import WORDED, no_rights_by_default, words_back
from migrations_registry.undo.types import range_again, sequence_again, sequence_back, type_back

PHASES = {
    **dict.fromkeys(["schema", "extension"], PLACES),
    **dict.fromkeys(["type", "sequence"], TYPES),
    **dict.fromkeys(["function", "procedure"], ROUTINES),
    **dict.fromkeys(["view", "materialized view"], VIEWS),
    **dict.fromkeys(["trigger", "rule", "policy", "row security", "statistics"], HOOKS),
    **dict.fromkeys(WORDED, WORDS),
    "table": TABLES,
    "column": COLUMNS,
    "default": RETYPED,
    "index": INDEXES,
}
BOUND = re.compile(r"; -- (FOR VALUES .+?|DEFAULT)(?=; -- |$)")
PARENT = re.compile(r" INHERITS \(((?:\"(?:[^\"]|\"\")*+\"|[^\"()])++)\)")
SWITCHED = frozenset(["trigger", "rule", "index", "materialized view", "statistics"])  # also without a new definition
SWITCHES = {"O": "ENABLE", "D": "DISABLE", "A": "ENABLE ALWAYS", "R": "ENABLE REPLICA"}
NO_DATA = "; -- NO DATA"
REPLACED = {"trigger": "TRIGGER {}", "rule": "RULE {}", "policy": "POLICY {}"}


def make(was: SchemaObject, before: Fingerprint) -> Iterator[Action]:
    """It is gone."""
    what, phase = f"{was.kind} {was.name}", PHASES.get(was.kind)
    lost = f"The {what} cannot be made again."
    if was.kind == "table":
        yield Action(TABLES, what, ((_table(was, before),),), lost)
    elif was.kind == "column":
        if ("table", was.of) in before.by_key:
            yield from column_again(was, before)
    elif was.kind == "constraint":
        yield _constraint(was)
    elif was.kind in WORDED:
        yield Action(WORDS, what, (words_back(was, ""),), lost)
    elif was.kind == "sequence":
        yield from sequence_again(was, before)
    elif was.kind == "index" and _is_of_constraint(was, before):
        return
    elif phase is None or was.sql.startswith("--"):
        yield Action(WORDS, what, (), lost)
    else:
        yield Action(phase, what, ((_made(was), *_enabled(was)),), lost)
    yield from no_rights_by_default(was, before)
    yield from _owner(was)


def change(was: SchemaObject, here: SchemaObject, before: Fingerprint) -> Iterator[Action]:
    """It is there, and otherwise."""
    what, phase = f"{was.kind} {was.name}", PHASES.get(was.kind, WORDS)
    stays = f"The {what} cannot be changed back."
    drop = _dropped(was)
    if drop and plain(was) == plain(here) and was.kind in SWITCHED:
        if way := (*_enabled(was, here),):
            yield Action(HOOKS, what, (way,), stays)
    elif was.kind == "column":
        yield from column_back(was, here, before)
    elif was.kind == "constraint":
        made = _constraint(was)
        yield Action(made.phase, what, tuple((*drop, *way) for way in made.ways), made.note)
    elif was.kind in ("function", "procedure"):
        yield Action(phase, what, ((plain(was),), (*drop, plain(was))), stays)
    elif was.kind == "view":
        text = plain(was)
        yield Action(phase, what, ((text.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1),), (*drop, text)), stays)
    elif was.kind in ("default", "row security"):
        yield Action(phase, what, ((plain(was),),), stays)
    elif was.kind in WORDED:
        yield Action(phase, what, (words_back(was, here.sql),), stays)
    elif was.kind == "sequence":
        yield sequence_back(was)
    elif was.kind == "type" and (ways := type_back(was, here)):
        yield Action(phase, what, (ways,), stays)
    elif was.kind == "table" and _attached(was) and not _attached(here):
        yield Action(KEYS, what, ((_attached(was),),), stays)
    elif drop:
        yield Action(phase, what, ((*drop, _made(was), *_enabled(was)),), stays)
    elif was.sql.rpartition("; -- OWNER ")[0] != here.sql.rpartition("; -- OWNER ")[0]:
        yield Action(phase, what, (), stays)
    if _owner_of(was) != _owner_of(here):
        yield from _owner(was)


def _made(was: SchemaObject) -> str:
    """A partitioned table's index is made with those of its partitions, or takes them as its own."""
    if "; -- RANGE " in was.sql:
        return range_again(was)
    text = plain(was) + " WITH NO DATA" * (NO_DATA in was.sql)
    return text.replace(f" ON ONLY {was.of} ", f" ON {was.of} ", 1) if was.kind == "index" else text


def _table(was: SchemaObject, before: Fingerprint) -> str:
    """With its columns in their order: a partition key needs them. A partition is made by itself and attached."""
    columns = [item for item in before.objects if item.kind == "column" and item.of == was.name]
    order = next((item.sql.split(", ") for item in before.objects if item.key == ("column order", was.name)), [])
    by_name = {match["name"]: item for item in columns if (match := COLUMN.match(plain(item)))}
    listed = ", ".join(plain(by_name[name]).partition(" ADD COLUMN ")[2] for name in order if name in by_name)
    text = plain(was).replace(f"TABLE {was.name} ()", f"TABLE {was.name} ({listed})", 1)
    if attached := _attached(was):
        text = f"{PARENT.sub('', text, count=1)}; {attached}"
    return text


def _attached(was: SchemaObject) -> str:
    """What makes it the partition that it was; empty where it was none."""
    bound, parent = BOUND.search(was.sql), PARENT.search(plain(was))
    return f"ALTER TABLE {parent[1]} ATTACH PARTITION {was.name} {bound[1]}" if bound and parent else ""


def _constraint(was: SchemaObject) -> Action:
    """A check that rows added since do not pass is there again for those that follow."""
    text, what = plain(was), f"constraint {was.name}"
    if " FOREIGN KEY " in text or " CHECK " in text:
        phase = REFERENCES if " FOREIGN KEY " in text else CHECKS
        loose = () if text.endswith("NOT VALID") else ((f"{text} NOT VALID",),)
        return Action(
            phase, what, ((text,), *loose), f"The {what} is there as NOT VALID: rows added since do not pass it."
        )
    return Action(KEYS if " PRIMARY KEY " in text else CHECKS, what, ((text,),), f"The {what} is not back.")


def _enabled(was: SchemaObject, here: SchemaObject | None = None) -> Iterator[str]:
    """A trigger or rule that was switched otherwise than it is made, or than it is; a view filled or emptied."""
    name, _, table = was.name.rpartition(" on ")
    mode, now = (item.sql.partition("; -- ENABLED ")[2] or "O" if item else "O" for item in (was, here))
    if was.kind in ("trigger", "rule") and mode != now:
        yield f"ALTER TABLE {table} {SWITCHES[mode]} {was.kind.upper()} {name}"
    if was.kind == "materialized view" and here and (NO_DATA in was.sql) != (NO_DATA in here.sql):
        yield f"REFRESH MATERIALIZED VIEW {was.name}{' WITH NO DATA' * (NO_DATA in was.sql)}"


def _dropped(was: SchemaObject) -> Way:
    if was.kind in REPLACED:
        name, _, table = was.name.rpartition(" on ")
        return (f"DROP {was.kind.upper()} {name} ON {table}",)
    if was.kind == "constraint":
        word = "DOMAIN" if was.sql.startswith("ALTER DOMAIN") else "TABLE"
        return (f"ALTER {word} {was.of} DROP CONSTRAINT {was.name.removeprefix(f'{was.of}.')}",)
    if was.kind in ("view", "materialized view", "index", "function", "procedure", "statistics"):
        return (f"DROP {was.kind.upper()} {was.name}",)
    return ()


def _is_of_constraint(was: SchemaObject, before: Fingerprint) -> bool:
    name = was.name.partition(".")[2] if not was.name.startswith('"') else was.name.rpartition(".")[2]
    return ("constraint", f"{was.of}.{name}") in before.by_key


def _owner_of(item: SchemaObject) -> str:
    return item.sql.rpartition("; -- OWNER ")[2] if "; -- OWNER " in item.sql else ""


def _owner(was: SchemaObject) -> Iterator[Action]:
    if owner := _owner_of(was):
        way = (f"ALTER {was.kind.upper()} {was.name} OWNER TO {owner}",)
        note = f"The {was.kind} {was.name} belongs to whoever undid it, not to {owner}."
        yield Action(OWNERS, f"owner of {was.name}", (way,), note)
