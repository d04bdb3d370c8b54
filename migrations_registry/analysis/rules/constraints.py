"""CHECK, NOT NULL and validation on tables that already hold rows."""

from __future__ import annotations

from migrations_registry.analysis import safe_form
from migrations_registry.analysis.model import AX, BLOCKING, COMPATIBILITY, CONVENTION, STRENGTH, SUE
from migrations_registry.analysis.parsing.nodes import label, relation, strings, tested_not_null
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.locks import alter_lock
from migrations_registry.analysis.rule_registry import on_alter, rule
from migrations_registry.analysis.rules.drops import CASCADE
from migrations_registry.analysis.state import State

ADD_CHECK = rule(
    "ML-ADD-CHECK",
    BLOCKING,
    "checks every row of {name} while nobody can read or write it",
    "{safe}",
    lock=AX,
    scan=True,
    bad=("ALTER TABLE orders ADD CONSTRAINT x CHECK (amount >= 0)",),
    good=(
        "ALTER TABLE orders ADD CONSTRAINT x CHECK (amount >= 0) NOT VALID",
        "CREATE TABLE x (a int); ALTER TABLE x ADD CHECK (a > 0)",
    ),
)
CHECK_NOT_VALID = rule(
    "ML-CHECK-NOT-VALID",
    CONVENTION,
    "adds a check to {name} for new rows only: a brief lock",
    "VALIDATE it in another transaction.",
    lock=AX,
    bad=("ALTER TABLE orders ADD CONSTRAINT x CHECK (amount >= 0) NOT VALID",),
    good=("SELECT 1",),
)
VALIDATE = rule(
    "ML-VALIDATE",
    CONVENTION,
    "checks the rows of {name} without blocking reads or writes",
    "Keep it in a transaction of its own.",
    lock=SUE,
    scan=True,
    bad=("ALTER TABLE orders VALIDATE CONSTRAINT orders_amount",),
    good=("SELECT 1",),
)
VALIDATE_SAME_TRANSACTION = rule(
    "ML-VALIDATE-SAME-TX",
    BLOCKING,
    "validates a constraint that this transaction added: {name} stays locked for the whole scan",
    "COMMIT between ADD … NOT VALID and VALIDATE.",
    lock=AX,
    scan=True,
    bad=(
        "BEGIN; ALTER TABLE orders ADD CONSTRAINT x CHECK (amount >= 0) NOT VALID; ALTER TABLE orders VALIDATE "
        "CONSTRAINT x; COMMIT",
    ),
    good=(
        "ALTER TABLE orders ADD CONSTRAINT x CHECK (amount >= 0) NOT VALID; ALTER TABLE orders VALIDATE CONSTRAINT x",
    ),
)
SET_NOT_NULL = rule(
    "ML-SET-NOT-NULL",
    BLOCKING,
    "reads all of {name} under ACCESS EXCLUSIVE to see that {column} has no NULL",
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
    "{column} is proved not null by a validated CHECK: no scan",
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
    "adds NOT NULL for new rows only: a brief lock",
    "VALIDATE it in another transaction.",
    lock=AX,
    versions="18+",
    bad=("ALTER TABLE orders ADD CONSTRAINT x NOT NULL note NOT VALID",),
    good=("SELECT 1",),
)
DROP_CONSTRAINT = rule(
    "MD-DROP-CONSTRAINT",
    COMPATIBILITY,
    "drops constraint {constraint} of {name}: what it guaranteed is no longer true",
    "Make sure that another constraint guards the same thing first.",
    lock=AX,
    bad=("ALTER TABLE orders DROP CONSTRAINT orders_amount",),
    good=("ALTER TABLE orders ADD COLUMN x int",),
)


@on_alter("AddConstraint")
def add_check(command: Node, alter: Node, state: State) -> None:
    """ADD CHECK and ADD NOT NULL, valid or not."""
    constraint = command["def"]["Constraint"]
    if constraint["contype"] not in ("CONSTR_CHECK", "CONSTR_NOTNULL"):
        return
    name = relation(alter["relation"])
    waits = constraint.get("skip_validation", False)
    column = _required_column(constraint)
    if waits:
        state.unproven[(name, constraint.get("conname", ""))] = (state.transaction, column)
    if state.is_new(name):
        return
    if constraint["contype"] == "CONSTR_NOTNULL":
        safe = safe_form.set_not_null(label(name), column or "")
        state.see(NOT_NULL_NOT_VALID if waits else SET_NOT_NULL, name=label(name), column=column, safe=safe)
    elif not constraint.get("is_enforced", False) and not waits:
        return
    else:
        safe = safe_form.not_valid(state, label(name), constraint.get("conname", ""))
        state.see(CHECK_NOT_VALID if waits else ADD_CHECK, name=label(name), safe=safe)
    if column and not waits:
        state.proven_not_null.add((name, column))


def _required_column(constraint: Node) -> str | None:
    if constraint["contype"] == "CONSTR_NOTNULL":
        return strings(constraint["keys"])[0]
    return tested_not_null(constraint.get("raw_expr", {}))


@on_alter("ValidateConstraint")
def validate(command: Node, alter: Node, state: State) -> None:
    """VALIDATE CONSTRAINT, in its own transaction or not."""
    name = relation(alter["relation"])
    constraint = command["name"]
    transaction, column = state.unproven.get((name, constraint), (-1, None))
    shown = (name, constraint) in state.unproven
    guessed = column if shown else _column_by_name(constraint, name)
    if guessed:
        state.proven_not_null.add((name, guessed))
    if state.is_new(name):
        return
    others = [item["AlterTableCmd"] for item in alter["cmds"] if item["AlterTableCmd"] is not command]
    together = any(STRENGTH[alter_lock(other)] > STRENGTH[SUE] for other in others)
    same = together or (state.in_transaction and transaction == state.transaction)
    state.see(VALIDATE_SAME_TRANSACTION if same else VALIDATE, name=label(name))


def _column_by_name(constraint: str, table: tuple[str, str]) -> str | None:
    """A constraint made in an earlier file: `<table>_<column>_not_null` is PostgreSQL's own name for it."""
    stem = constraint.removesuffix("_not_null")
    return stem.removeprefix(f"{table[1]}_") if stem != constraint else None


@on_alter("SetNotNull")
def set_not_null(command: Node, alter: Node, state: State) -> None:
    """SET NOT NULL: a scan unless a validated CHECK proves it (since 12)."""
    name, column = relation(alter["relation"]), command["name"]
    if state.is_new(name):
        return
    facts = state.table(name)
    proven = (name, column) in state.proven_not_null or (facts is not None and column in facts.checked_not_null)
    if proven and state.pg_version >= 12:
        state.see(SET_NOT_NULL_PROVEN, column=column)
    elif not (facts and column in facts.columns and facts.columns[column].not_null):
        safe = safe_form.set_not_null(label(name), column)
        state.see(SET_NOT_NULL, name=label(name), column=column, safe=safe)


@on_alter("DropConstraint")
def drop_constraint(command: Node, alter: Node, state: State) -> None:
    """DROP CONSTRAINT; the CHECK that only proved NOT NULL is named too, so that somebody looks."""
    name = relation(alter["relation"])
    if state.created.get(name, -1) == state.transaction and state.in_transaction:
        return
    state.see(DROP_CONSTRAINT, name=label(name), constraint=command["name"])
    if command["behavior"] == "DROP_CASCADE":
        state.see(CASCADE, name=command["name"])
