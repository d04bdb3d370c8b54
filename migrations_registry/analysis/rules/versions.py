"""Syntax that the target's PostgreSQL does not read yet."""

from __future__ import annotations

from collections.abc import Iterator

from migrations_registry.analysis.model import EXECUTION, Name
from migrations_registry.analysis.parsing.nodes import relation
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.versions import needed
from migrations_registry.analysis.rule_registry import AFTER, rule
from migrations_registry.analysis.rules.partitions import key_of
from migrations_registry.analysis.state import State

NEEDS_VERSION = rule(
    "MT-NEEDS-VERSION",
    EXECUTION,
    "needs PostgreSQL {version} ({what}): {target} refuses the statement, and nothing of its transaction stays",
    "Upgrade the server first, or write it as PostgreSQL {target} reads it.",
    bad=(
        "ALTER TABLE orders ADD COLUMN x numeric GENERATED ALWAYS AS (amount * 2) VIRTUAL",
        "ALTER TABLE orders ADD CONSTRAINT x NOT NULL note NOT VALID",
    ),
    good=(
        "CREATE FUNCTION uuidv7() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()'; "
        "CREATE TABLE x (id uuid DEFAULT uuidv7())",
        "ALTER TABLE orders ADD COLUMN x numeric GENERATED ALWAYS AS (amount * 2) STORED",
        "MERGE INTO lines USING orders ON lines.order_id = orders.id WHEN NOT MATCHED BY SOURCE THEN DO NOTHING",
    ),
)


def needs_version(kind: str, node: Node, _taken: list[tuple[Name, str]], state: State) -> None:
    """After each statement: the newest PostgreSQL that any part of it asks for."""
    asked = list(needed(kind, node, is_body=bool(state.hidden)))
    if kind == "AlterTableStmt":
        asked += _of_partitioned(node, state)
    if not asked:
        return
    known = state.programs.routines if state.programs else {}
    asked = [each for each in asked if each[1].removesuffix("()") not in {**state.routines, **known}]
    version, what = max(asked, default=(0, ""))
    if version > state.pg_version:
        state.see(NEEDS_VERSION, version=version, what=what, target=state.pg_version)


def _of_partitioned(node: Node, state: State) -> Iterator[tuple[int, str]]:
    """What other tables could do before a partitioned one could."""
    if not key_of(relation(node["relation"]), state):
        return
    for command in (item["AlterTableCmd"] for item in node["cmds"]):
        constraint = command.get("def", {}).get("Constraint", {})
        if constraint.get("contype") == "CONSTR_FOREIGN" and constraint.get("skip_validation"):
            yield 18, "NOT VALID foreign key of a partitioned table"
        elif command["subtype"] == "AT_SetAccessMethod":
            yield 17, "SET ACCESS METHOD of a partitioned table"


AFTER.append(needs_version)
