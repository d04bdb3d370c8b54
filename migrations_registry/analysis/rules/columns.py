"""Columns of existing tables: dropped, retyped, renamed."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, COMPATIBILITY, CONVENTION, DESTRUCTIVE, REWRITE
from migrations_registry.analysis.parsing.nodes import label, modifiers, relation, type_name
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.type_changes import Change, change
from migrations_registry.analysis.rule_registry import on_alter, rule
from migrations_registry.analysis.rules.drops import CASCADE
from migrations_registry.analysis.state import State

_SWAP = "Add a column of the new type, keep both in step by a trigger, backfill in batches, then swap the names."
DROP_COLUMN = rule(
    "MD-DROP-COLUMN",
    DESTRUCTIVE,
    "drops column {column} of {name} with its values",
    "Deploy code that ignores it first; drop it a release later, from a proven restore point.",
    lock=AX,
    bad=("ALTER TABLE orders DROP COLUMN code", "ALTER TABLE orders DROP COLUMN IF EXISTS code"),
    good=("CREATE TABLE x (a int, b int); ALTER TABLE x DROP COLUMN b", "ALTER TABLE orders ADD COLUMN x int"),
)
TYPE_CHANGE = rule(
    "ML-TYPE-CHANGE",
    REWRITE,
    "changes {column} of {name} to {type}: unless the types share their stored form, the table and its indexes are "
    "written anew while nobody can use them",
    _SWAP,
    lock=AX,
    rewrite=True,
    scan=True,
    bad=("ALTER TABLE orders ALTER COLUMN customer_id TYPE numeric",),
    good=("CREATE TABLE x (a int); ALTER TABLE x ALTER COLUMN a TYPE bigint", "ALTER TABLE orders ADD COLUMN x text"),
)
TYPE_SAFE = rule(
    "ML-TYPE-SAFE",
    CONVENTION,
    "{column} of {name} keeps its stored form as {type}: a brief lock",
    "Nothing to do.",
    lock=AX,
    versions="timestamp → timestamptz only while TimeZone is UTC",
    bad=("ALTER TABLE orders ALTER COLUMN code TYPE varchar(80)",),
    good=("ALTER TABLE orders ALTER COLUMN customer_id TYPE numeric",),
)
NARROW = rule(
    "MD-ALTER-NARROW",
    DESTRUCTIVE,
    "narrows {column} of {name} to {type}: values that do not fit fail or are cut",
    _SWAP,
    lock=AX,
    rewrite=True,
    scan=True,
    bad=(
        "ALTER TABLE orders ALTER COLUMN code TYPE varchar(10)",
        "ALTER TABLE orders ALTER COLUMN note TYPE varchar(3) USING substr(note, 1, 3)",
    ),
    good=("ALTER TABLE orders ALTER COLUMN code TYPE text",),
)
DROP_EXPRESSION = rule(
    "MD-DROP-EXPRESSION",
    COMPATIBILITY,
    "{column} of {name} is no longer filled by the database",
    "Deploy code that fills it first.",
    lock=AX,
    versions="13+",
    bad=("ALTER TABLE counted ALTER COLUMN twice DROP EXPRESSION", "ALTER TABLE counted ALTER COLUMN id DROP IDENTITY"),
    good=("ALTER TABLE orders ALTER COLUMN note DROP DEFAULT",),
)
DROP_NOT_NULL = rule(
    "MC-DROP-NOT-NULL",
    COMPATIBILITY,
    "{column} of {name} may become NULL: code that relies on a value breaks",
    "Deploy code that copes with NULL first.",
    lock=AX,
    bad=("ALTER TABLE orders ALTER COLUMN customer_id DROP NOT NULL",),
    good=("CREATE TABLE x (a int NOT NULL); ALTER TABLE x ALTER COLUMN a DROP NOT NULL",),
)
DROP_DEFAULT = rule(
    "MC-DROP-DEFAULT",
    COMPATIBILITY,
    "{column} of {name} is, or may be, NOT NULL and loses its default: code that leaves it out cannot insert any more",
    "Keep the default until every writer fills the column.",
    lock=AX,
    bad=("ALTER TABLE orders ADD COLUMN x int NOT NULL DEFAULT 1; ALTER TABLE orders ALTER COLUMN x DROP DEFAULT",),
    good=("ALTER TABLE orders ALTER COLUMN note SET DEFAULT 'x'", "ALTER TABLE orders ALTER COLUMN note DROP DEFAULT"),
)
DEFAULT_CHANGE = rule(
    "ML-DEFAULT-CHANGE",
    CONVENTION,
    "changes the default of {column} for new rows: a brief lock",
    "Nothing to do.",
    lock=AX,
    bad=("ALTER TABLE orders ALTER COLUMN note SET DEFAULT 'x'",),
    good=("SELECT 1",),
)


@on_alter("DropColumn")
def drop_column(command: Node, alter: Node, state: State) -> None:
    """DROP COLUMN."""
    name = relation(alter["relation"])
    if state.is_new(name):
        return
    state.see(DROP_COLUMN, name=label(name), column=command["name"])
    if command["behavior"] == "DROP_CASCADE":
        state.see(CASCADE, name=command["name"])


@on_alter("AlterColumnType")
def alter_type(command: Node, alter: Node, state: State) -> None:
    """ALTER COLUMN … TYPE: with the old type from a live catalog exact, without it cautious."""
    name, column = relation(alter["relation"]), command["name"]
    if state.is_new(name):
        return
    definition = command["def"]["ColumnDef"]
    words = {"name": label(name), "column": column, "type": _spelled(definition["typeName"])}
    facts = state.table(name)
    before = facts.columns[column].type if facts and column in facts.columns else None
    converts = "raw_default" in definition
    utc = state.facts is not None and state.facts.timezone.upper() in ("UTC", "ETC/UTC", "GMT")
    outcome = change(before, type_name(definition["typeName"]), modifiers(definition["typeName"]), utc)
    if outcome is Change.SAFE and not converts:
        state.see(TYPE_SAFE, **words)
        return
    state.see(TYPE_CHANGE, **words)
    if outcome is Change.NARROWS or (converts and modifiers(definition["typeName"]) and before is not None):
        state.see(NARROW, **words)


def _spelled(node: Node) -> str:
    sizes = ",".join(str(size) for size in modifiers(node))
    return f"{type_name(node)}({sizes})" if sizes else type_name(node)


@on_alter("DropExpression", "DropIdentity")
def drop_expression(command: Node, alter: Node, state: State) -> None:
    """DROP EXPRESSION, DROP IDENTITY."""
    if not state.is_new_relation(alter["relation"]):
        state.see(DROP_EXPRESSION, name=label(relation(alter["relation"])), column=command["name"])


@on_alter("DropNotNull")
def drop_not_null(command: Node, alter: Node, state: State) -> None:
    """DROP NOT NULL."""
    if not state.is_new_relation(alter["relation"]):
        state.see(DROP_NOT_NULL, name=label(relation(alter["relation"])), column=command["name"])


@on_alter("ColumnDefault")
def column_default(command: Node, alter: Node, state: State) -> None:
    """SET DEFAULT, DROP DEFAULT."""
    name, column = relation(alter["relation"]), command["name"]
    if state.is_new(name):
        return
    if "def" not in command and _is_required(name, column, state):
        state.see(DROP_DEFAULT, name=label(name), column=column)
    else:
        state.see(DEFAULT_CHANGE, column=column)


def _is_required(name: tuple[str, str], column: str, state: State) -> bool:
    """Or may be: where nobody knows, it counts as one."""
    facts = state.table(name)
    known = facts.columns.get(column) if facts else None
    if (name, column) in state.required_columns:
        return True
    return known.not_null if known else (name, column) not in state.created_columns
