"""UPDATE, MERGE and upsert: judged by which rows they overwrite, and whether a value is lost."""

from __future__ import annotations

from migrations_registry.analysis.model import BLOCKING, CONVENTION, DATA, DESTRUCTIVE, RX, Name, label
from migrations_registry.analysis.parsing.comparisons import EVERY, MANY
from migrations_registry.analysis.parsing.nodes import relation, strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.parsing.reach import reach
from migrations_registry.analysis.parsing.self_joins import asks_others_only, of_itself
from migrations_registry.analysis.rule_registry import on, rule
from migrations_registry.analysis.rules.rows import BATCHES, SYSTEM_CATALOG, is_brief, is_catalog
from migrations_registry.analysis.rules.safe_form import backfill
from migrations_registry.analysis.state import State

UPDATE_ALL = rule(
    "MD-UPDATE-ALL",
    DESTRUCTIVE,
    "overwrites every row of {name}: what they held comes back only from a kept copy or a backup",
    "{safe}",
    lock=RX,
    scan=True,
    bad=(
        "UPDATE orders SET note = 'x'",
        "UPDATE orders SET note = 'x' WHERE 1 = 1",
        "UPDATE orders SET note = 'x' WHERE length(note) >= 0",
        "MERGE INTO orders USING (SELECT 1) s ON true WHEN MATCHED THEN UPDATE SET note = 'x'",
    ),
    good=(
        "UPDATE orders SET note = 'x' WHERE id = 4",
        "UPDATE orders SET note = c.email FROM customers c WHERE c.id = orders.customer_id",
        "ALTER TABLE orders ADD COLUMN x int; UPDATE orders SET x = 1",
    ),
)
UPDATE_MANY = rule(
    "MD-UPDATE-MANY",
    DATA,
    "overwrites all rows of {name} that a value, a range, a join or a query chooses: what they held comes back only "
    "from a kept copy or a backup",
    "Keep the old values first (CREATE TABLE … AS SELECT … WHERE the same condition) and state the expected count.",
    lock=RX,
    scan=True,
    bad=(
        "UPDATE orders SET note = c.email FROM customers c WHERE c.id = orders.customer_id",
        "UPDATE orders SET note = 'x' WHERE created_at < '2024-01-01'",
        "UPDATE orders SET note = 'x' WHERE note = 'y'",
        "UPDATE orders SET note = 'x' WHERE note IN ('y', 'z')",
        "UPDATE orders SET note = 'x' WHERE customer_id = 4",
        "UPDATE orders SET note = v.b FROM (VALUES ('x', 'y')) AS v(note, b) WHERE orders.note = v.note",
        "UPDATE orders SET note = 'x' WHERE id IN (SELECT id FROM orders LIMIT 500000)",
    ),
    good=(
        "UPDATE orders SET note = 'x' WHERE id IN (4, 5)",
        "UPDATE orders SET note = 'x' WHERE order_id = 4",
        "UPDATE orders SET note = 'x' WHERE code = 'y'",
        "UPDATE orders SET note = 'x' WHERE customer_id = 4 AND shop_id = 5",
        "UPDATE orders SET note = 'x' WHERE note IS NULL",
        "INSERT INTO orders (id, customer_id) VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET note = 'x'",
        "UPDATE orders SET note = v.note FROM (VALUES (1, 'x'), (2, 'y')) AS v(id, note) WHERE orders.id = v.id",
        "MERGE INTO orders o USING (VALUES (1, 'x')) AS v(id, note) ON o.id = v.id WHEN MATCHED THEN UPDATE SET "
        "note = v.note",
    ),
)
UPDATE_FILL = rule(
    "ML-UPDATE-FILL",
    BLOCKING,
    "fills every row of {name}: nothing is lost, but whoever changes a row meanwhile waits, and its size may double",
    "{safe}",
    lock=RX,
    scan=True,
    bad=("ALTER TABLE orders ADD COLUMN x int; UPDATE orders SET x = 1",),
    good=("ALTER TABLE orders ADD COLUMN x int; UPDATE orders SET x = 1 WHERE id = 4",),
)
_LEFT_OVER = "MERGE_WHEN_NOT_MATCHED_BY_SOURCE"


@on("UpdateStmt")
def update(node: Node, state: State) -> None:
    """UPDATE, by its condition."""
    name = relation(node["relation"])
    if is_catalog(name):
        state.see(SYSTEM_CATALOG, name=label(name))
        return
    others = [each for each in node.get("fromClause", ()) if not is_listed(each)]
    where, joined = of_itself(node.get("whereClause"), node, others)
    blind = bool(joined and where and asks_others_only(where, node))
    rows = EVERY if blind else reach(where, node["relation"], others=joined)
    touches = rows == EVERY and "fromClause" not in node
    targets = [each for each in node["targetList"] if not (touches and _keeps(each))]
    _overwrites(rows, name, _columns(targets), where, state, alone=True, brief=is_brief(node, state))


@on("MergeStmt")
def merge(node: Node, state: State) -> None:
    """MERGE … WHEN MATCHED THEN UPDATE."""
    source = node["sourceRelation"]
    condition, joined = of_itself(node["joinCondition"], node, [source])
    rows = reach(condition, node["relation"], others=False)
    rows = rows if rows == EVERY or is_listed(source) or not joined else MANY
    updates = [item["MergeWhenClause"] for item in node["mergeWhenClauses"]]
    updates = [clause for clause in updates if clause["commandType"] == "CMD_UPDATE"]
    whole = {clause["matchKind"] for clause in updates if "condition" not in clause}
    for clause in updates:
        chosen, where = rows, clause.get("condition")
        if clause["matchKind"] == _LEFT_OVER:  # all but what the source names
            chosen = EVERY if is_listed(source) or "MERGE_WHEN_MATCHED" in whole else MANY
        narrowed = min(chosen, reach(where, node["relation"], others=True)) if where else chosen
        _overwrites(narrowed, relation(node["relation"]), _columns(clause["targetList"]), where, state)


@on("InsertStmt")
def upsert(node: Node, state: State) -> None:
    """INSERT … SELECT … ON CONFLICT DO UPDATE; one with values written out overwrites what they name."""
    conflict = node.get("onConflictClause", {})
    query = node.get("selectStmt", {}).get("SelectStmt", {})
    if conflict.get("action") == "ONCONFLICT_UPDATE" and "valuesLists" not in query:
        where = conflict.get("whereClause")
        _overwrites(MANY, relation(node["relation"]), _columns(conflict["targetList"]), where, state)


def is_listed(source: Node) -> bool:
    """Rows that the statement writes out: VALUES."""
    return "valuesLists" in source.get("RangeSubselect", {}).get("subquery", {}).get("SelectStmt", {})


def _keeps(target: Node) -> bool:
    """`a = a`, which only sets off what hangs on the row."""
    assigned = target["ResTarget"]
    return strings(assigned.get("val", {}).get("ColumnRef", {}).get("fields", [])) == [assigned.get("name")]


def _columns(targets: list[Node]) -> set[str]:
    return {item["ResTarget"].get("name", "") for item in targets}


def _overwrites(
    rows: int,
    name: Name,
    written: set[str],
    where: Node | None,
    state: State,
    *,
    alone: bool = False,
    brief: bool = False,
) -> None:
    """`alone`: an UPDATE, which can run in batches; `brief`: of a small table, for which nobody waits long enough to
    notice. What chooses few rows chooses many in a loop.
    """
    rows = max(rows, MANY) if state.loops else rows
    if rows < MANY or state.is_private(name):
        return
    made = {column for column in written if (name, column) in state.created_columns and not state.is_later}
    fills = written <= made | set(_empty(where))
    if rows == EVERY:
        safe = backfill(state, written if fills and not where else set()) if alone else BATCHES
        if not fills or not state.is_new(name):
            severity = CONVENTION if fills and brief else None
            state.see(UPDATE_FILL if fills else UPDATE_ALL, severity, name=label(name), safe=safe)
    elif not fills and not state.is_new(name):
        state.see(UPDATE_MANY, name=label(name))


def _empty(where: Node | None) -> list[str]:
    """Columns that are NULL in every chosen row."""
    if not where:
        return []
    if where.get("BoolExpr", {}).get("boolop") == "AND_EXPR":
        return [column for part in where["BoolExpr"]["args"] for column in _empty(part)]
    test = where.get("NullTest", {})
    if test.get("nulltesttype") != "IS_NULL" or "ColumnRef" not in test["arg"]:
        return []
    return strings(test["arg"]["ColumnRef"]["fields"])[-1:]
