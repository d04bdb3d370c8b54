"""NOT NULL of existing columns: how it is proved, and who relies on it."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, BLOCKING, COMPATIBILITY, CONVENTION, label
from migrations_registry.analysis.parsing.nodes import relation
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on_alter, rule
from migrations_registry.analysis.rules import safe_form
from migrations_registry.analysis.state import State

SET_NOT_NULL = rule(
    "ML-SET-NOT-NULL",
    BLOCKING,
    "reads all of {name} while nobody can read or write it, and fails if {column} holds a NULL",
    "{safe}",
    lock=AX,
    scan=True,
    versions="a validated CHECK saves the scan since 12; NOT NULL … NOT VALID since 18",
    bad=("ALTER TABLE orders ALTER COLUMN note SET NOT NULL",),
    good=(
        "ALTER TABLE orders ADD CONSTRAINT x CHECK (note IS NOT NULL) NOT VALID; ALTER TABLE orders VALIDATE "
        "CONSTRAINT x; ALTER TABLE orders ALTER COLUMN note SET NOT NULL",
    ),
)
SET_NOT_NULL_PROVEN = rule(
    "ML-SET-NOT-NULL-PROVEN",
    CONVENTION,
    "{column} is NOT NULL without reading the rows: a validated CHECK has proved it",
    "Drop the CHECK afterwards.",
    lock=AX,
    versions="12+",
    bad=(
        "ALTER TABLE orders ADD CONSTRAINT x CHECK (note IS NOT NULL) NOT VALID; ALTER TABLE orders VALIDATE "
        "CONSTRAINT x; ALTER TABLE orders ALTER COLUMN note SET NOT NULL",
    ),
    good=("SELECT 1",),
)
NOT_NULL_NOT_VALID = rule(
    "ML-NN-NOT-VALID",
    CONVENTION,
    "makes {column} NOT NULL for new rows only: nobody can use {name} for a moment",
    "VALIDATE it in the next file.",
    lock=AX,
    versions="18+",
    bad=("ALTER TABLE orders ADD CONSTRAINT x NOT NULL note NOT VALID",),
    good=("SELECT 1",),
)
DROP_NOT_NULL = rule(
    "MC-DROP-NOT-NULL",
    COMPATIBILITY,
    "{column} of {name} may be left empty (NULL) from now on: code that relies on a value breaks at the first one",
    "Deploy code that copes with NULL first.",
    lock=AX,
    bad=("ALTER TABLE orders ALTER COLUMN customer_id DROP NOT NULL",),
    good=("CREATE TABLE x (a int NOT NULL); ALTER TABLE x ALTER COLUMN a DROP NOT NULL",),
)


@on_alter("SetNotNull")
def set_not_null(command: Node, alter: Node, state: State) -> None:
    """SET NOT NULL: a scan unless a validated CHECK proves it (since 12)."""
    name, column = relation(alter["relation"]), command["name"]
    state.required_columns.add((name, column))
    if state.is_new(name):
        return
    facts = state.table(name)
    proven = (name, column) in state.proven_not_null or (facts is not None and column in facts.checked_not_null)
    if proven and state.pg_version >= 12:
        state.see(SET_NOT_NULL_PROVEN, column=column)
    elif not (facts and column in facts.columns and facts.columns[column].not_null):
        safe = safe_form.set_not_null(label(name), column)
        state.see(SET_NOT_NULL, name=label(name), column=column, safe=safe)


@on_alter("DropNotNull")
def drop_not_null(command: Node, alter: Node, state: State) -> None:
    """DROP NOT NULL."""
    if not state.is_new_relation(alter["relation"]):
        state.see(DROP_NOT_NULL, name=label(relation(alter["relation"])), column=command["name"])
