"""DROP of whole objects: what is lost, who waits for it, who breaks."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, COMPATIBILITY, DESTRUCTIVE, Rule, label
from migrations_registry.analysis.parsing.nodes import dotted, in_words, strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.parents import also_waits, keys_of
from migrations_registry.analysis.rule_registry import on, rule
from migrations_registry.analysis.state import State

DROP_TABLE = rule(
    "MD-DROP-TABLE",
    DESTRUCTIVE,
    "drops table {name} with every row in it, which only a kept copy or a backup brings back{waits}",
    "Rename it aside (ALTER TABLE … RENAME TO …_old), wait a release, drop it later from a proven restore point.",
    lock=AX,
    bad=("DROP TABLE lines", "DROP TABLE IF EXISTS public.lines"),
    good=(
        "CREATE TABLE x (id int); DROP TABLE x",
        "CREATE TEMP TABLE x (id int); DROP TABLE x",
        "SELECT 'DROP TABLE x'",
    ),
)
DROP_SCHEMA = rule(
    "MD-DROP-SCHEMA-CASCADE",
    DESTRUCTIVE,
    "drops schema {name} and everything in it: that comes back only from a backup",
    "List what the schema holds and drop each object by name.",
    bad=("DROP SCHEMA app CASCADE",),
    good=("CREATE SCHEMA x", "DROP SCHEMA app"),
)
DROP_EMPTY_SCHEMA = rule(
    "MD-DROP-SCHEMA",
    COMPATIBILITY,
    "drops schema {name} if nothing is in it, else the server refuses and the file fails; the rights on it go, and "
    "code that looks there fails",
    "Deploy code that no longer looks there first.",
    bad=("DROP SCHEMA app",),
    good=("DROP SCHEMA app CASCADE", "CREATE SCHEMA x; DROP SCHEMA x"),
)
CASCADE = rule(
    "MD-CASCADE",
    DESTRUCTIVE,
    "CASCADE also drops or empties whatever depends on {name}; this file does not say what, and only a backup "
    "brings it back",
    "Name the dependents and drop each of them yourself, without CASCADE.",
    lock=AX,
    bad=("DROP TABLE orders CASCADE", "TRUNCATE orders CASCADE", "ALTER TABLE orders DROP COLUMN note CASCADE"),
    good=("CREATE TABLE x (id bigint REFERENCES orders ON DELETE CASCADE)",),
)
DROP_VIEW = rule(
    "MD-DROP-VIEW",
    COMPATIBILITY,
    "drops view {name}: what still reads it fails; made again, it comes without its grants and comments",
    "CREATE OR REPLACE VIEW keeps readers working; drop it when nothing reads it any more.",
    lock=AX,
    bad=("DROP VIEW recent",),
    good=("CREATE VIEW x AS SELECT 1 AS a; DROP VIEW x",),
)
DROP_MATVIEW = rule(
    "MD-DROP-MATVIEW",
    DESTRUCTIVE,
    "drops materialized view {name} with its stored rows and indexes: they come back only by computing them again",
    "Create the new one under another name, then swap the names.",
    lock=AX,
    bad=("DROP MATERIALIZED VIEW totals",),
    good=("DROP VIEW recent",),
)
DROP_SEQUENCE = rule(
    "MD-DROP-SEQUENCE",
    DESTRUCTIVE,
    "drops sequence {name}: where it had counted to is lost, and numbers may come twice",
    "Keep it until no default uses it; record last_value first.",
    lock=AX,
    bad=("DROP SEQUENCE ticket",),
    good=("CREATE SEQUENCE x; DROP SEQUENCE x",),
)
RECREATE_TABLE = rule(
    "MD-RECREATE-TABLE",
    DESTRUCTIVE,
    "creates {name} again after this file dropped it: what it held is gone, but for a kept copy or a backup",
    "Create the new table under another name and swap the names.",
    bad=("CREATE TABLE x (a int); DROP TABLE x; CREATE TABLE x (a int)",),
    good=("CREATE TABLE x (a int); DROP TABLE x",),
)
DROP_TRIGGER = rule(
    "MD-DROP-TRIGGER",
    COMPATIBILITY,
    "drops trigger {name}: what it kept true is no longer kept",
    "CREATE OR REPLACE TRIGGER, or drop and create it in one transaction.",
    lock=AX,
    bad=("DROP TRIGGER orders_touch ON orders",),
    good=(
        "DROP TRIGGER orders_touch ON orders; CREATE TRIGGER orders_touch BEFORE UPDATE ON orders "
        "FOR EACH ROW EXECUTE FUNCTION touch()",
    ),
)


def _breaks(rule_id: str, what: str, bad: str, good: str) -> Rule:
    return rule(
        rule_id,
        COMPATIBILITY,
        f"drops {what} {{name}}: code that uses it fails; made again, it comes without its grants and comments",
        "Deploy code that no longer uses it first, then drop it.",
        bad=(bad,),
        good=(good,),
    )


_KINDS = {
    "OBJECT_TABLE": DROP_TABLE,
    "OBJECT_FOREIGN_TABLE": DROP_TABLE,
    "OBJECT_SCHEMA": DROP_SCHEMA,
    "OBJECT_VIEW": DROP_VIEW,
    "OBJECT_MATVIEW": DROP_MATVIEW,
    "OBJECT_SEQUENCE": DROP_SEQUENCE,
    "OBJECT_TRIGGER": DROP_TRIGGER,
    "OBJECT_FUNCTION": _breaks("MD-DROP-FUNCTION", "function", "DROP FUNCTION spare()", "SELECT 1"),
    "OBJECT_TYPE": _breaks("MD-DROP-TYPE", "type", "DROP TYPE spare_mood", "CREATE TYPE x AS ENUM ('a')"),
    "OBJECT_DOMAIN": _breaks("MD-DROP-DOMAIN", "domain", "DROP DOMAIN spare_domain", "CREATE DOMAIN x AS text"),
    "OBJECT_EXTENSION": _breaks("MD-DROP-EXTENSION", "extension", "DROP EXTENSION citext", "CREATE EXTENSION citext"),
}
_KINDS |= {"OBJECT_PROCEDURE": _KINDS["OBJECT_FUNCTION"], "OBJECT_ROUTINE": _KINDS["OBJECT_FUNCTION"]}
RELATIONS = {"OBJECT_TABLE", "OBJECT_FOREIGN_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_INDEX"}
_ELSEWHERE = {"OBJECT_POLICY", "OBJECT_INDEX", "OBJECT_PUBLICATION"}
_OTHER = _breaks("MD-DROP-OTHER", "{what}", "DROP AGGREGATE spare_sum(int)", "SELECT sum(1)")


@on("DropStmt")
def drop(node: Node, state: State) -> None:
    """DROP of anything except indexes and policies."""
    kind = node["removeType"]
    if kind in _ELSEWHERE:
        return
    names = [dropped_name(item, kind) for item in node["objects"]]
    lasting = [
        _label_of(item, kind)
        for item, name in zip(node["objects"], names, strict=True)
        if not (_made_here(name, kind, state) and not (cascades(node) and state.tied))
        and not _is_replaced(item, kind, state)
    ]
    waits = also_waits([parent for name in names for _, parent, _ in keys_of(name, state)], state)
    for name in lasting:
        found = _KINDS.get(kind, _OTHER)
        found = DROP_EMPTY_SCHEMA if found is DROP_SCHEMA and not cascades(node) else found
        state.see(found, what=in_words(kind), name=name, waits=waits)
    if lasting and cascades(node):
        state.see(CASCADE, name=", ".join(lasting))
    state.dropped.update(names)
    for gone in names if kind in RELATIONS else ():
        if gone in state.tied and state.is_new(gone):
            state.see(DROP_SEQUENCE, name=label(state.tied[gone]))
        state.gone(gone)


def dropped_name(item: Node, kind: str) -> tuple[str, str]:
    """The dropped object's name; of a trigger, its table's schema and its own name."""
    kind_of, inner = next(iter(item.items()))
    if kind_of == "String":
        return "public", inner["sval"]
    parts = strings(inner.get("items") or inner.get("names") or inner.get("objname") or [])
    if kind == "OBJECT_TRIGGER":
        return "public", parts[-1]
    return dotted(parts) if parts else ("public", "it")


def _label_of(item: Node, kind: str) -> str:
    return label(dropped_name(item, kind))


def _is_replaced(item: Node, kind: str, state: State) -> bool:
    """DROP TRIGGER followed by CREATE TRIGGER of the same name on the same table."""
    if kind != "OBJECT_TRIGGER":
        return False
    parts = strings(item["List"]["items"])
    return ("trigger", dotted(parts[:-1]), parts[-1]) in state.replaced


def _made_here(name: tuple[str, str], kind: str, state: State) -> bool:
    if kind in RELATIONS:
        return state.is_new(name)
    if kind == "OBJECT_SCHEMA":
        return ("", name[1]) in state.made_names
    return name in (state.made_types if kind in ("OBJECT_TYPE", "OBJECT_DOMAIN") else state.made_names)


def cascades(node: Node) -> bool:
    """DROP … CASCADE."""
    return node["behavior"] == "DROP_CASCADE"
