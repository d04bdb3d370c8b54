"""CHECK, NOT NULL and validation on tables that already hold rows."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, BLOCKING, COMPATIBILITY, CONVENTION, SRE, STRENGTH, SUE, Name, label
from migrations_registry.analysis.parsing.nodes import relation, strings, tested_not_null
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.alter_locks import alter_lock
from migrations_registry.analysis.postgresql.parents import also_waits, ended
from migrations_registry.analysis.rule_registry import on_alter, rule
from migrations_registry.analysis.rules import safe_form
from migrations_registry.analysis.rules.drops import CASCADE
from migrations_registry.analysis.rules.not_null import NOT_NULL_NOT_VALID, SET_NOT_NULL
from migrations_registry.analysis.state import State

ADD_CHECK = rule(
    "ML-ADD-CHECK",
    BLOCKING,
    "checks every row of {name} while nobody can read or write it, and fails if one does not fit",
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
    "adds a check to {name} for new rows only: nobody can use it for a moment",
    "VALIDATE it in the next file.",
    lock=AX,
    bad=("ALTER TABLE orders ADD CONSTRAINT x CHECK (amount >= 0) NOT VALID",),
    good=("SELECT 1",),
)
VALIDATE = rule(
    "ML-VALIDATE",
    CONVENTION,
    "checks the rows of {name} while everybody reads and writes on; fails if one does not fit",
    "Keep it in a file of its own.",
    lock=SUE,
    scan=True,
    bad=("ALTER TABLE orders VALIDATE CONSTRAINT orders_amount",),
    good=("SELECT 1",),
)
VALIDATE_SAME_TRANSACTION = rule(
    "ML-VALIDATE-SAME-TX",
    BLOCKING,
    "validates a constraint in the transaction that added it: {who} {name} until every row is checked, and it fails if "
    "one does not fit",
    "ADD … NOT VALID in this file, VALIDATE CONSTRAINT in the next file: the runner applies each file by itself.",
    lock=SRE,
    scan=True,
    bad=(
        "BEGIN; ALTER TABLE orders ADD CONSTRAINT x CHECK (amount >= 0) NOT VALID; ALTER TABLE orders VALIDATE "
        "CONSTRAINT x; COMMIT",
    ),
    good=(
        "ALTER TABLE orders ADD CONSTRAINT x CHECK (amount >= 0) NOT VALID; ALTER TABLE orders VALIDATE CONSTRAINT x",
    ),
)
ENFORCE = rule(
    "ML-ENFORCE",
    BLOCKING,
    "lets the foreign key {constraint} count: checks every row of {name} while nobody can read or write it, and fails "
    "if one has no match",
    "A second foreign key with NOT VALID; VALIDATE it in the next file; then drop this one.",
    lock=AX,
    scan=True,
    versions="18+",
    bad=(
        "ALTER TABLE lines ALTER CONSTRAINT lines_order_fk NOT ENFORCED; "
        "ALTER TABLE lines ALTER CONSTRAINT lines_order_fk ENFORCED",
    ),
    good=("ALTER TABLE lines ALTER CONSTRAINT lines_order_fk NOT ENFORCED",),
)
DROP_CONSTRAINT = rule(
    "MD-DROP-CONSTRAINT",
    COMPATIBILITY,
    "{drops} constraint {constraint} of {name}: what it guaranteed is no longer true{waits}",
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
    else:
        state.valid_checks.add((name, constraint.get("conname", "")))
    state.checks[(name, constraint.get("conname", ""))] = constraint.get("raw_expr", {})
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
    state.valid_checks.add((name, constraint))
    shown = (name, constraint) in state.unproven
    required = column if shown else _column_of(constraint, name, state)
    if required:
        state.proven_not_null.add((name, required))
    if state.is_new(name):
        return
    others = [item["AlterTableCmd"] for item in alter["cmds"] if item["AlterTableCmd"] is not command]
    together = [lock for lock in map(alter_lock, others) if STRENGTH[lock] > STRENGTH[SUE]]
    if state.in_transaction and transaction == state.transaction:
        together.append(state.locked.get(name, AX))
    if not together:
        state.see(VALIDATE, name=label(name))
        return
    lock = max(together, key=STRENGTH.__getitem__)
    who = "nobody can use" if lock == AX else "nobody can write"
    state.see(VALIDATE_SAME_TRANSACTION, None, None, lock, who=who, name=label(name))


def _column_of(constraint: str, table: Name, state: State) -> str | None:
    """The column of a CHECK (column IS NOT NULL) that an earlier file made, as the live catalog has it.

    Without one by its name: `<table>_<column>_not_null` is PostgreSQL's own for it.
    """
    facts = state.table(table)
    if facts is not None:
        return facts.not_null_checks.get(constraint, (None,))[0]
    stem = constraint.removesuffix("_not_null")
    return stem.removeprefix(f"{table[1]}_") if stem != constraint else None


@on_alter("DropConstraint")
def drop_constraint(command: Node, alter: Node, state: State) -> None:
    """DROP CONSTRAINT, but of a CHECK that NOT NULL has replaced."""
    name = relation(alter["relation"])
    state.valid_checks.discard((name, command["name"]))
    if _has_served(name, command["name"], state) or (
        state.created.get(name, -1) == state.transaction and state.in_transaction
    ):
        return
    parents = ended(command, name, state)
    waits = also_waits(parents, state) if parents else ""
    state.see(DROP_CONSTRAINT, drops="drops", name=label(name), constraint=command["name"], waits=waits)
    if command["behavior"] == "DROP_CASCADE":
        state.see(CASCADE, name=command["name"])


def _has_served(name: Name, constraint: str, state: State) -> bool:
    """A CHECK (column IS NOT NULL), as the file or the live catalog shows it, whose column is NOT NULL by now; or one
    that let a partition be attached.
    """
    if (name, constraint) in state.served:
        return True
    facts = state.table(name)
    column = tested_not_null(state.checks.get((name, constraint), {}))
    column = column or (_column_of(constraint, name, state) if facts else None)
    known = facts.columns.get(column) if facts and column else None
    return bool(known and known.not_null) or (name, column) in state.required_columns


@on_alter("AlterConstraint")
def enforce(command: Node, alter: Node, state: State) -> None:
    """ALTER CONSTRAINT … ENFORCED; NOT ENFORCED leaves of it as much as DROP does."""
    definition, name = command["def"]["ATAlterConstraint"], relation(alter["relation"])
    if definition.get("alterEnforceability") and not state.is_new(name):
        words = {"name": label(name), "constraint": definition["conname"]}
        if definition.get("is_enforced"):
            state.see(ENFORCE, **words)
        else:
            state.see(DROP_CONSTRAINT, drops="no longer enforces", waits="", **words)
