"""Names and owners that other code relies on."""

from __future__ import annotations

from migrations_registry.analysis.certainty import renamed
from migrations_registry.analysis.model import AX, COMPATIBILITY, SUE, label
from migrations_registry.analysis.parsing.nodes import in_words, object_name, relation
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on, on_alter, rule
from migrations_registry.analysis.scope import ORDINARY
from migrations_registry.analysis.state import State

_VIEW = (
    "In the same transaction CREATE VIEW {old} WITH (security_invoker = on) AS SELECT * FROM {new}, with its grants; "
    "or a table of the new name beside it, until no code says {old} any more."
)
RENAME_TABLE = rule(
    "MC-RENAME-TABLE",
    COMPATIBILITY,
    "renames {old} to {new}: running code that says {old} fails at once",
    _VIEW,
    lock=AX,
    bad=("ALTER TABLE lines RENAME TO items", "ALTER VIEW recent RENAME TO latest"),
    good=("CREATE TABLE x (a int); ALTER TABLE x RENAME TO y", "ALTER INDEX orders_note_idx RENAME TO x"),
)
RENAME_COLUMN = rule(
    "MC-RENAME-COLUMN",
    COMPATIBILITY,
    "renames column {old} of {name} to {new}: running code that says {old} fails at once",
    "Deploy by deploy: add the new column with a trigger that copies each change; let code use it; drop the old one.",
    lock=AX,
    bad=("ALTER TABLE orders RENAME COLUMN note TO remark",),
    good=("CREATE TABLE x (a int); ALTER TABLE x RENAME COLUMN a TO b",),
)
RENAME_SCHEMA = rule(
    "MC-RENAME-SCHEMA",
    COMPATIBILITY,
    "renames schema {old}: code that names it fails at once",
    "Create the new schema and move objects one by one.",
    bad=("ALTER SCHEMA app RENAME TO app2",),
    good=("CREATE SCHEMA x",),
)
RENAME_TYPE = rule(
    "MC-RENAME-TYPE",
    COMPATIBILITY,
    "renames {what} {old}: code that names it fails",
    "Create the new one beside it, deploy, drop the old one.",
    bad=(
        "ALTER TYPE mood RENAME TO feeling",
        "ALTER FUNCTION spare() RENAME TO other",
        "ALTER DOMAIN score RENAME TO points",
        "ALTER AGGREGATE spare_sum(int) RENAME TO x",
    ),
    good=("ALTER INDEX orders_note_idx RENAME TO x",),
)
SET_SCHEMA = rule(
    "MC-SET-SCHEMA",
    COMPATIBILITY,
    "moves {name} to schema {schema}: code that finds it by its old place fails",
    "A view (or a wrapper) at the old place in the same transaction.",
    bad=("ALTER TABLE lines SET SCHEMA app",),
    good=("CREATE SCHEMA x",),
)
REPLICA_IDENTITY = rule(
    "MC-REPLICA-IDENTITY",
    COMPATIBILITY,
    "changes by which columns replicas and Supabase realtime recognise a row of {name} that was changed or deleted; "
    "where none is left, no published row can be changed or deleted any more",
    "Check every publication that holds it.",
    lock=AX,
    bad=("ALTER TABLE orders REPLICA IDENTITY FULL",),
    good=("CREATE TABLE x (a int); ALTER TABLE x REPLICA IDENTITY FULL",),
)
EXTENSION = rule(
    "MC-EXTENSION",
    COMPATIBILITY,
    "updates extension {name}: its functions, types and indexes may change",
    "Read its notes first; Supabase installs its own version, whatever the file names.",
    bad=("ALTER EXTENSION citext UPDATE",),
    good=("CREATE EXTENSION IF NOT EXISTS citext",),
)
PUBLICATION = rule(
    "MD-PUBLICATION",
    COMPATIBILITY,
    "changes publication {name}: realtime and replicas silently stop hearing of some tables",
    "Name who listens; ADD TABLE instead of SET TABLE.",
    lock=SUE,
    bad=("ALTER PUBLICATION feed DROP TABLE orders",),
    good=("ALTER PUBLICATION feed ADD TABLE customers",),
)
DROP_PUBLICATION = rule(
    "MD-DROP-PUBLICATION",
    COMPATIBILITY,
    "drops publication {name}: realtime and replicas silently hear nothing more",
    "Name who listens, and stop them first.",
    bad=("DROP PUBLICATION feed",),
    good=("SELECT 1",),
)
_TABLES = {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_FOREIGN_TABLE"}
_MADE = {"OBJECT_TYPE", "OBJECT_DOMAIN"}
# Names that no statement of a program says; those of policies are judged with them.
_UNSAID = {f"OBJECT_{kind}" for kind in ("INDEX", "TABCONSTRAINT", "DOMCONSTRAINT", "TRIGGER", "RULE", "POLICY")}
_UNSAID |= {"OBJECT_EVENT_TRIGGER", "OBJECT_STATISTIC_EXT", "OBJECT_OPCLASS", "OBJECT_OPFAMILY"}


@on("RenameStmt")
def rename(node: Node, state: State) -> None:
    """ALTER … RENAME."""
    kind, new = node["renameType"], node["newname"]
    target = relation(node["relation"]) if "relation" in node else ("public", "")
    of_tables = kind in _TABLES and "relation" in node
    old = node.get("subname", "")
    if of_tables or kind == "OBJECT_COLUMN":
        renamed((target, old), ((target[0], new), "") if of_tables else (target, new), state)
    if of_tables:
        state.relate((target[0], new), target)
    if "relation" in node and state.is_new(target):
        if of_tables:
            state.gone(target)
            state.made({**node["relation"], "relname": new}, surely=True)
    elif of_tables:
        state.gone((target[0], new))
        state.see(RENAME_TABLE, old=label(target), new=new)
    elif kind == "OBJECT_COLUMN":
        state.see(RENAME_COLUMN, old=old, new=new, name=label(target))
    elif kind == "OBJECT_SCHEMA":
        state.see(RENAME_SCHEMA, old=old)
    elif kind not in _UNSAID:
        named = object_name(node["object"]) if "object" in node else ("public", node.get("subname", "?"))
        own_attribute = kind == "OBJECT_ATTRIBUTE" and target in state.made_types
        if not own_attribute and (named[0], new) not in (state.made_types if kind in _MADE else state.made_names):
            state.see(RENAME_TYPE, what=in_words(kind), old=label(named))


@on("AlterObjectSchemaStmt")
def set_schema(node: Node, state: State) -> None:
    """ALTER … SET SCHEMA."""
    if node["objectType"] == "OBJECT_EXTENSION" and node["newschema"] in ORDINARY:
        return  # where names without a schema are looked up
    if "relation" in node:
        old, new = relation(node["relation"]), (node["newschema"], node["relation"]["relname"])
        renamed((old, ""), (new, ""), state)
        state.relate(new, old)
        if state.is_new(old):
            state.gone(old)
            state.made({**node["relation"], "schemaname": node["newschema"]})
            return
    found = relation(node["relation"]) if "relation" in node else object_name(node["object"])
    lock = AX if "relation" in node else None
    state.see(SET_SCHEMA, None, None, lock, name=label(found), schema=node["newschema"])


@on_alter("ReplicaIdentity")
def replica_identity(command: Node, alter: Node, state: State) -> None:
    """ALTER TABLE … REPLICA IDENTITY."""
    if not state.is_new_relation(alter["relation"]):
        state.see(REPLICA_IDENTITY, name=label(relation(alter["relation"])))


@on("AlterExtensionStmt", "AlterExtensionContentsStmt")
def alter_extension(node: Node, state: State) -> None:
    """ALTER EXTENSION … UPDATE, ADD, DROP."""
    state.see(EXTENSION, name=node["extname"])
    state.tied["", node["extname"]] = "", node["extname"]  # what is added goes with it


@on("AlterPublicationStmt", "DropStmt")
def publication(node: Node, state: State) -> None:
    """ALTER PUBLICATION except ADD TABLE; DROP PUBLICATION."""
    if node.get("removeType") == "OBJECT_PUBLICATION":
        state.see(DROP_PUBLICATION, name=node["objects"][0]["String"]["sval"])
    elif "pubname" in node and node.get("action") != "AP_AddObjects":
        state.see(PUBLICATION, name=node["pubname"])
