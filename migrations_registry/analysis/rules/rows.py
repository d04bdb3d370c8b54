"""Statements that change or destroy rows."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, DESTRUCTIVE, RX, Name, label
from migrations_registry.analysis.parsing.comparisons import EVERY
from migrations_registry.analysis.parsing.nodes import inner_nodes, relation, strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.parsing.reach import reach
from migrations_registry.analysis.postgresql.builtin_functions import is_harmless
from migrations_registry.analysis.rule_registry import on, rule
from migrations_registry.analysis.rules.drops import CASCADE
from migrations_registry.analysis.state import State

BATCHES = "Bounded batches of 1,000 to 10,000 keys, each in its own transaction, with the expected row count stated."
TRUNCATE = rule(
    "MD-TRUNCATE",
    DESTRUCTIVE,
    "empties {name}: its rows come back only from a kept copy or a backup",
    "Keep a copy from a proven restore point; delete in bounded batches if writers must not wait.",
    lock=AX,
    rewrite=True,
    bad=("TRUNCATE lines",),
    good=(
        "BEGIN; CREATE TABLE x (a int); TRUNCATE x; COMMIT",
        "CREATE TEMP TABLE x (a int); TRUNCATE x",
        "SELECT 'TRUNCATE lines'",
    ),
)
DELETE_ALL = rule(
    "MD-DELETE-ALL",
    DESTRUCTIVE,
    "deletes every row of {name}: they come back only from a kept copy or a backup",
    BATCHES,
    lock=RX,
    scan=True,
    bad=(
        "DELETE FROM lines",
        "DELETE FROM lines WHERE true",
        "DELETE FROM lines WHERE 1 = 1",
        "DELETE FROM lines WHERE id = id OR 1 = 1",
    ),
    good=("DELETE FROM lines WHERE id = 4", "CREATE TEMP TABLE x (a int); DELETE FROM x"),
)
DELETE = rule(
    "MD-DELETE",
    DESTRUCTIVE,
    "deletes rows of {name}: they come back only from a kept copy or a backup",
    "Copy the rows aside first (CREATE TABLE … AS SELECT … WHERE the same condition) and state the expected count.",
    lock=RX,
    bad=("DELETE FROM lines WHERE id = 4",),
    good=("SELECT * FROM lines WHERE id = 4", "DELETE FROM lines"),
)
MERGE_DELETE = rule(
    "MD-MERGE-DELETE",
    DESTRUCTIVE,
    "MERGE deletes matching rows of {name}: they come back only from a kept copy or a backup",
    "Write the DELETE by itself, bounded.",
    lock=RX,
    versions="15+",
    bad=("MERGE INTO lines USING orders ON lines.order_id = orders.id AND lines.id = 4 WHEN MATCHED THEN DELETE",),
    good=("MERGE INTO lines USING orders ON lines.order_id = orders.id WHEN MATCHED THEN UPDATE SET order_id = 1",),
)
SYSTEM_CATALOG = rule(
    "MD-SYSTEM-CATALOG",
    DESTRUCTIVE,
    "writes to {name}, one of the tables in which PostgreSQL keeps its own structure: a mistake there can make "
    "data unreadable for good",
    "Use the DDL command that does it.",
    lock=RX,
    bad=(
        "UPDATE pg_catalog.pg_class SET relname = 'y' WHERE relname = 'x'",
        "DELETE FROM pg_attribute WHERE attname = 'x'",
    ),
    good=("SELECT * FROM pg_catalog.pg_class",),
)
CTE_DML = rule(
    "MX-CTE-DML",
    DESTRUCTIVE,
    "a {verb} is hidden inside a WITH clause: what it removes or overwrites comes back only from a kept copy or a "
    "backup",
    "Write it as a statement of its own.",
    lock=RX,
    bad=("WITH gone AS (DELETE FROM lines WHERE id = 4 RETURNING *) SELECT count(*) FROM gone",),
    good=("WITH x AS (SELECT 1) SELECT * FROM x",),
)


@on("TruncateStmt")
def truncate(node: Node, state: State) -> None:
    """TRUNCATE, and what CASCADE takes along."""
    names = [relation(item["RangeVar"]) for item in node["relations"]]
    cascade = node["behavior"] == "DROP_CASCADE"
    reaches = {*state.shown, *(state.referred if cascade else ()), *(state.tied if node.get("restart_seqs") else ())}
    lasting = [name for name in names if not state.is_private(name) or name in reaches]
    for name in lasting:
        state.see(TRUNCATE, name=label(name))
    if lasting and cascade:
        state.see(CASCADE, name=", ".join(label(name) for name in lasting))


@on("DeleteStmt")
def delete(node: Node, state: State) -> None:
    """DELETE, bounded or not."""
    name = relation(node["relation"])
    if is_catalog(name):
        state.see(SYSTEM_CATALOG, name=label(name))
    elif not state.is_private(name) or state.referred.get(name):
        unbounded = reach(node.get("whereClause"), node["relation"], others="usingClause" in node) == EVERY
        if unbounded or not state.is_new(name) or state.referred.get(name):
            state.see(DELETE_ALL if unbounded else DELETE, name=label(name))


@on("InsertStmt")
def insert(node: Node, state: State) -> None:
    """INSERT into the catalog."""
    name = relation(node["relation"])
    if is_catalog(name):
        state.see(SYSTEM_CATALOG, name=label(name))
    state.filled.add(name)


@on("MergeStmt")
def merge(node: Node, state: State) -> None:
    """MERGE … THEN DELETE."""
    name = relation(node["relation"])
    clauses = [clause["MergeWhenClause"] for clause in node["mergeWhenClauses"]]
    if any(clause["commandType"] == "CMD_DELETE" for clause in clauses) and (
        not state.is_new(name) or state.referred.get(name)
    ):
        state.see(MERGE_DELETE, name=label(name))


def is_catalog(name: Name) -> bool:
    """A table of pg_catalog, also by its bare name."""
    return name[0] == "pg_catalog" or (name[0] == "public" and name[1].startswith("pg_"))


def is_brief(node: Node, state: State) -> bool:
    """An UPDATE or DELETE that computes with the rows of one table alone, which is known to be small."""
    small = state.facts is not None and state.facts.is_small(relation(node["relation"]))
    return small and all(
        kind not in ("RangeVar", "SubLink") and (kind != "FuncCall" or is_harmless(strings(inner["funcname"])))
        for kind, inner in inner_nodes(node)
    )
