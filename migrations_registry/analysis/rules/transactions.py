"""Transactions in the file, and what one transaction holds while it works."""

from __future__ import annotations

from migrations_registry.analysis.certainty import rolled_back
from migrations_registry.analysis.model import (
    AX,
    BLOCKING,
    CONVENTION,
    DESTRUCTIVE,
    EXECUTION,
    REWRITE,
    SRE,
    STRENGTH,
    Name,
    label,
)
from migrations_registry.analysis.parsing.comparisons import EVERY
from migrations_registry.analysis.parsing.nodes import relation
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.parsing.reach import names_rows, reach
from migrations_registry.analysis.rule_registry import AFTER, on, rule
from migrations_registry.analysis.rules.rows import is_brief
from migrations_registry.analysis.state import State

TX_CONTROL = rule(
    "MT-TX-CONTROL",
    EXECUTION,
    "{what}: only one BEGIN … COMMIT around the whole file can be taken over by the runner",
    "Leave transactions out of the file, or split it.",
    bad=(
        "BEGIN; CREATE TABLE x (a int)",
        "CREATE TABLE x (a int); COMMIT",
        "BEGIN; SAVEPOINT y; CREATE TABLE x (a int); ROLLBACK TO y; COMMIT",
    ),
    good=(
        "BEGIN; SAVEPOINT y; CREATE TABLE x (a int); COMMIT",
        "BEGIN; CREATE TABLE x (a int); COMMIT",
        "SET client_min_messages = warning; BEGIN; CREATE TABLE x (a int); COMMIT",
        "CREATE TABLE x (a int)",
    ),
)
MULTI_AX = rule(
    "ML-MULTI-AX",
    BLOCKING,
    "nobody can use {names} until the whole transaction ends: the waits add up, "
    "and two such transactions can wait for each other (deadlock)",
    "One table per file.",
    lock=AX,
    bad=("BEGIN; ALTER TABLE orders ALTER COLUMN note SET NOT NULL; ALTER TABLE customers ADD COLUMN x int; COMMIT",),
    good=("ALTER TABLE orders ADD COLUMN x int; ALTER TABLE customers ADD COLUMN x int",),
)
AFTER_AX = rule(
    "ML-AFTER-AX",
    BLOCKING,
    "works through rows while nobody can use {names}, which an earlier statement of the transaction locked",
    "The slow statement in the next file: the runner applies each file by itself.",
    lock=AX,
    scan=True,
    bad=(
        "BEGIN; ALTER TABLE orders ADD COLUMN x int; ALTER TABLE customers VALIDATE CONSTRAINT customers_email; COMMIT",
    ),
    good=("ALTER TABLE orders ADD COLUMN x int; ALTER TABLE customers VALIDATE CONSTRAINT customers_email",),
)
BACKFILL = rule(
    "ML-BACKFILL-IN-DDL-TX",
    BLOCKING,
    "fills rows in the transaction that changes {names}: nobody can use it until both are done",
    "The schema change in this file; the backfill in batches, in the next file.",
    lock=AX,
    scan=True,
    bad=(
        "BEGIN; ALTER TABLE orders ADD COLUMN x int; UPDATE orders SET x = 1 WHERE x IS NULL; COMMIT",
        "BEGIN; INSERT INTO lines SELECT id + 1000, id FROM orders; ALTER TABLE lines ADD COLUMN y int; COMMIT",
    ),
    good=(
        "BEGIN; ALTER TABLE orders ADD COLUMN x int; UPDATE orders SET x = 1 WHERE id IN (1, 5) AND x IS NULL; COMMIT",
        "BEGIN; ALTER TABLE orders ADD COLUMN x int; INSERT INTO lines SELECT 9, id FROM orders WHERE id = 1; COMMIT",
        "BEGIN; CREATE TABLE x (a int); INSERT INTO x SELECT 1; COMMIT",
    ),
)
NO_LOCK_TIMEOUT = rule(
    "ML-NO-LOCK-TIMEOUT",
    CONVENTION,
    "the file sets no lock_timeout; the runner always does",
    "Nothing to do when the registry applies it.",
    bad=("CREATE INDEX x ON orders (note)",),
    good=("SET lock_timeout = '2s'; CREATE INDEX x ON orders (note)",),
)
MARKS = ("SAVEPOINT", "RELEASE")  # they change nothing, wherever a transaction is open
_DML = {"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"}
_DDL = {"AlterTableStmt", "DropStmt", "RenameStmt", "IndexStmt", "TruncateStmt", "CreatePolicyStmt", "ClusterStmt"}


@on("TransactionStmt")
def transaction_control(node: Node, state: State) -> None:
    """BEGIN, COMMIT and the rest; the frame around the whole file never comes here."""
    kind = node["kind"].removeprefix("TRANS_STMT_")
    if kind in MARKS and state.in_transaction:
        return
    severity = CONVENTION if state.harmless_transactions else EXECUTION
    state.see(TX_CONTROL, severity, what=f"{kind.replace('_', ' ')} inside the file")
    if kind in ("BEGIN", "START"):
        state.begin()
    elif kind in ("ROLLBACK", "ROLLBACK_TO"):
        rolled_back(state)
    if kind in ("COMMIT", "ROLLBACK", "PREPARE"):
        state.end()


def held_locks(kind: str, node: Node, taken: list[tuple[Name, str]], state: State) -> None:
    """After each statement: what does its transaction hold, and for how long?"""
    if state.is_later:
        return
    if state.in_transaction:
        _slow_after_lock(kind, node, state)
        if kind in _DDL:
            strong = {name: lock for name, lock in taken if STRENGTH[lock] >= STRENGTH[SRE] and not state.is_new(name)}
            if strong:
                _several({name for name, lock in taken if lock == AX and name in strong}, state)
                state.locked.update(strong)
    if not state.lock_timeout_set and not state.hidden:
        _timeout_note(state)


def _holding(state: State) -> list[str]:
    return [label(name) for name, lock in state.locked.items() if lock == AX]


def _several(fresh: set[Name], state: State) -> None:
    held = {name for name, lock in state.locked.items() if lock == AX}
    if held and fresh - held and not state.hidden:
        slow = state.slow or any(finding.scan or finding.rewrite for finding in state.findings)
        state.see(MULTI_AX, BLOCKING if slow else CONVENTION, names=", ".join(sorted(map(label, held | fresh))))
    if fresh and any(
        (finding.scan or finding.rewrite) and finding.severity != CONVENTION for finding in state.findings
    ):
        state.slow = True


def _slow_after_lock(kind: str, node: Node, state: State) -> None:
    if kind in _DML:
        _backfill(kind, node, state)
    elif kind in _DDL and (names := [name for name in state.touched if name in state.backfilled]):
        state.see(BACKFILL, names=", ".join(map(label, names)))
        state.backfilled.difference_update(names)
    elif state.locked and (held := _holding(state)) and any(finding.scan for finding in state.findings):
        state.see(AFTER_AX, names=", ".join(held))


def _backfill(kind: str, node: Node, state: State) -> None:
    target = relation(node["relation"])
    if state.is_new(target):
        return
    fills = kind == "MergeStmt" or _copies_rows(node.get("selectStmt", {}).get("SelectStmt", {}))
    where, others = node.get("whereClause"), "fromClause" in node or "usingClause" in node
    if kind in ("UpdateStmt", "DeleteStmt") and not names_rows(where, node["relation"], others):
        fills |= target in state.locked or _ranges(node) or reach(where, node["relation"], others) == EVERY
    brief = kind in ("UpdateStmt", "DeleteStmt") and is_brief(node, state)
    if fills and _holding(state):
        state.see(BACKFILL, CONVENTION if brief else BLOCKING, names=", ".join(_holding(state)))
    elif fills and not brief:
        state.backfilled.add(target)


def _copies_rows(select: Node) -> bool:
    """Rows of a table: neither of VALUES or a function, nor named ones."""
    tables = [each["RangeVar"] for each in select.get("fromClause", ()) if "RangeVar" in each]
    named = len(tables) == 1 and names_rows(select.get("whereClause"), tables[0], others=False)
    inner = ("RangeSubselect", "JoinExpr")
    return any(kind in each for each in select.get("fromClause", ()) for kind in inner) or bool(tables and not named)


def _ranges(node: Node) -> bool:
    """A condition that is no comparison for equality may hit any number of rows."""
    where = node.get("whereClause", {})
    expression = where.get("A_Expr", {})
    return bool(where) and not (expression and expression["name"][-1]["String"]["sval"] == "=")


def _timeout_note(state: State) -> None:
    waits = any(finding.severity in (BLOCKING, REWRITE, DESTRUCTIVE) and finding.lock for finding in state.findings)
    if waits:
        state.lock_timeout_set = True
        state.see(NO_LOCK_TIMEOUT)


AFTER.append(held_locks)
