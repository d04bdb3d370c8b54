"""Columns of existing tables: dropped, loosened, with another default."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, COMPATIBILITY, CONVENTION, DESTRUCTIVE, label
from migrations_registry.analysis.parsing.nodes import is_null, relation
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.parents import also_waits, ended
from migrations_registry.analysis.rule_registry import on_alter, rule
from migrations_registry.analysis.rules.drops import CASCADE, DROP_SEQUENCE
from migrations_registry.analysis.state import State

DROP_COLUMN = rule(
    "MD-DROP-COLUMN",
    DESTRUCTIVE,
    "drops column {column} of {name} with its values, which only a kept copy or a backup brings back{waits}",
    "Deploy code that ignores it first; drop it a release later, from a proven restore point.",
    lock=AX,
    bad=("ALTER TABLE orders DROP COLUMN code", "ALTER TABLE orders DROP COLUMN IF EXISTS code"),
    good=("CREATE TABLE x (a int, b int); ALTER TABLE x DROP COLUMN b", "ALTER TABLE orders ADD COLUMN x int"),
)
DROP_EXPRESSION = rule(
    "MD-DROP-EXPRESSION",
    COMPATIBILITY,
    "the database no longer computes {column} of {name}: rows keep what it was, and new ones hold what code writes "
    "there, or nothing",
    "Deploy code that fills it first.",
    lock=AX,
    versions="13+",
    bad=("ALTER TABLE counted ALTER COLUMN twice DROP EXPRESSION", "ALTER TABLE counted ALTER COLUMN id DROP IDENTITY"),
    good=("ALTER TABLE orders ALTER COLUMN note DROP DEFAULT",),
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
    "changes the default of {column} for new rows: nobody can use {name} for a moment",
    "Nothing to do.",
    lock=AX,
    bad=("ALTER TABLE orders ALTER COLUMN note SET DEFAULT 'x'",),
    good=("SELECT 1",),
)


@on_alter("DropColumn")
def drop_column(command: Node, alter: Node, state: State) -> None:
    """DROP COLUMN."""
    name = relation(alter["relation"])
    state.created_columns.discard((name, command["name"]))
    if state.is_new(name):
        if name in state.tied:
            state.see(DROP_SEQUENCE, name=label(state.tied[name]))
        return
    parents = ended(command, name, state)
    state.see(
        DROP_COLUMN, name=label(name), column=command["name"], waits=also_waits(parents, state) if parents else ""
    )
    if command["behavior"] == "DROP_CASCADE":
        state.see(CASCADE, name=command["name"])


@on_alter("DropExpression", "DropIdentity")
def drop_expression(command: Node, alter: Node, state: State) -> None:
    """DROP EXPRESSION, DROP IDENTITY."""
    if not state.is_new_relation(alter["relation"]):
        state.see(DROP_EXPRESSION, name=label(relation(alter["relation"])), column=command["name"])


@on_alter("ColumnDefault")
def column_default(command: Node, alter: Node, state: State) -> None:
    """SET DEFAULT, DROP DEFAULT."""
    name, column = relation(alter["relation"]), command["name"]
    if state.is_new(name):
        return
    is_gone = "def" not in command or is_null(command["def"])
    if is_gone and _is_required(name, column, state):
        state.see(DROP_DEFAULT, name=label(name), column=column)
    else:
        state.see(DEFAULT_CHANGE, column=column, name=label(name))


def _is_required(name: tuple[str, str], column: str, state: State) -> bool:
    """Or may be: where nobody knows, it counts as one."""
    facts = state.table(name)
    known = facts.columns.get(column) if facts else None
    if (name, column) in state.required_columns:
        return True
    return known.not_null if known else (name, column) not in state.created_columns
