"""Building, rebuilding and dropping indexes."""

from __future__ import annotations

from migrations_registry.analysis.model import (
    AX,
    BLOCKING,
    COMPATIBILITY,
    CONVENTION,
    DATA,
    EXECUTION,
    SH,
    SUE,
    Name,
    label,
)
from migrations_registry.analysis.parsing.nodes import is_on, options, relation
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on, rule
from migrations_registry.analysis.rules.drops import CASCADE, cascades, dropped_name
from migrations_registry.analysis.rules.safe_form import concurrently
from migrations_registry.analysis.rules.storage import NON_TRANSACTIONAL
from migrations_registry.analysis.state import State

INDEX = rule(
    "ML-INDEX",
    BLOCKING,
    "builds an index on {name}: its writers wait until it is finished",
    "{safe}",
    lock=SH,
    scan=True,
    bad=("CREATE INDEX x ON orders (note)",),
    good=("CREATE INDEX CONCURRENTLY x ON orders (note)", "CREATE TABLE x (a int); CREATE INDEX y ON x (a)"),
)
INDEX_CONCURRENTLY = rule(
    "ML-INDEX-CONCURRENTLY",
    CONVENTION,
    "builds an index on {name} without blocking writers",
    "After a failure drop the invalid index (DROP INDEX CONCURRENTLY) before the next try.",
    lock=SUE,
    scan=True,
    bad=("CREATE INDEX CONCURRENTLY x ON orders (note)",),
    good=("CREATE INDEX x ON orders (note)",),
)
INDEX_UNIQUE = rule(
    "ML-INDEX-UNIQUE",
    DATA,
    "fails if {name} holds duplicates in {columns}",
    "First: SELECT {columns}, count(*) FROM {name} GROUP BY {columns} HAVING count(*) > 1;",
    lock=SH,
    scan=True,
    bad=("CREATE UNIQUE INDEX x ON orders (code)",),
    good=("CREATE INDEX x ON orders (note)", "CREATE UNIQUE INDEX CONCURRENTLY x ON orders (code)"),
)
CONCURRENTLY_IN_TRANSACTION = rule(
    "MT-CIC-IN-TX",
    EXECUTION,
    "{what} cannot run inside a transaction or a function: PostgreSQL refuses it (25001)",
    "Put it into a file of its own without BEGIN, or let the registry split the step.",
    bad=("BEGIN; CREATE INDEX CONCURRENTLY x ON orders (note); COMMIT",),
    good=("CREATE INDEX CONCURRENTLY x ON orders (note)", "BEGIN; CREATE TABLE x (a int); COMMIT"),
)
CONCURRENTLY_IF_NOT_EXISTS = rule(
    "MT-CIC-IF-NOT-EXISTS",
    CONVENTION,
    "IF NOT EXISTS also succeeds when an earlier try left the index invalid",
    "Drop an invalid index first and check pg_index.indisvalid afterwards.",
    bad=("CREATE INDEX CONCURRENTLY IF NOT EXISTS x ON orders (note)",),
    good=("CREATE INDEX CONCURRENTLY x ON orders (note)",),
)
WIDE_INDEX = rule(
    "MV-WIDE-INDEX",
    DATA,
    "an index over more than three columns helps only queries that ask for its first ones, and every write has to "
    "keep it up",
    "Keep the first columns, by which few rows are found.",
    bad=("CREATE INDEX CONCURRENTLY x ON orders (id, customer_id, note, code)",),
    good=("CREATE INDEX CONCURRENTLY x ON orders (id)",),
)
REINDEX = rule(
    "ML-REINDEX",
    BLOCKING,
    "rebuilds {name}: until it is done, writers of the table wait, and so do readers that would use the index",
    "{safe}",
    lock=AX,
    scan=True,
    versions="CONCURRENTLY since 12",
    bad=("REINDEX INDEX orders_note_idx", "REINDEX TABLE orders"),
    good=("REINDEX TABLE CONCURRENTLY orders",),
)
DROP_INDEX = rule(
    "MD-DROP-INDEX",
    BLOCKING,
    "drops index {name}: reads and writes of its table wait, and what it made fast is slow from then on{guards}",
    "{safe}",
    lock=AX,
    bad=("DROP INDEX orders_note_idx",),
    good=("DROP INDEX CONCURRENTLY orders_note_idx",),
)
DROP_INDEX_CONCURRENTLY = rule(
    "ML-DROP-INDEX-CONCURRENTLY",
    CONVENTION,
    "drops index {name} without blocking its table{guards}",
    "Check in pg_stat_user_indexes that nothing uses it.",
    lock=SUE,
    bad=("DROP INDEX CONCURRENTLY orders_note_idx",),
    good=("DROP INDEX orders_note_idx",),
)


@on("IndexStmt")
def index(node: Node, state: State) -> None:
    """CREATE INDEX in its forms."""
    name = relation(node["relation"])
    columns = tuple(item["IndexElem"].get("name", "(expression)") for item in node.get("indexParams", []))
    state.index_columns[name[0], node.get("idxname", "?")] = columns
    if node.get("unique") and "whereClause" not in node:
        state.served.add((name, _over(columns)))
    if state.is_new(name):
        state.created.setdefault((name[0], node.get("idxname", "?")), state.transaction)
    if len(columns) > 3:
        state.see(WIDE_INDEX)
    if node.get("concurrent"):
        _concurrent_index(node, label(name), state)
    elif not state.is_new(name):
        only = "inh" not in node["relation"]  # of a partitioned parent it reads nothing; its partitions get their own
        state.see(INDEX, CONVENTION if only else BLOCKING, not only, name=label(name), safe=concurrently(state))
        if node.get("unique"):
            state.see(INDEX_UNIQUE, name=label(name), columns=", ".join(columns))


def _concurrent_index(node: Node, name: str, state: State) -> None:
    state.see(INDEX_CONCURRENTLY, name=name)
    if node.get("if_not_exists"):
        state.see(CONCURRENTLY_IF_NOT_EXISTS)
    if state.in_transaction:
        state.see(CONCURRENTLY_IN_TRANSACTION, what="CREATE INDEX CONCURRENTLY")


@on("ReindexStmt")
def reindex(node: Node, state: State) -> None:
    """REINDEX, plain or concurrently."""
    if is_on(options(node.get("params", [])).get("concurrently", False)):
        if state.in_transaction:
            state.see(CONCURRENTLY_IN_TRANSACTION, what="REINDEX CONCURRENTLY")
    elif "relation" not in node and state.in_transaction:
        state.see(NON_TRANSACTIONAL, what="REINDEX of more than one table")
    elif "relation" not in node or not state.is_new_relation(node["relation"]):
        name = label(relation(node["relation"])) if "relation" in node else node.get("name", "everything")
        state.see(REINDEX, name=name, safe=concurrently(state))


@on("DropStmt")
def drop_concurrently(node: Node, state: State) -> None:
    """DROP INDEX CONCURRENTLY inside a transaction."""
    if node.get("concurrent") and state.in_transaction:
        state.see(CONCURRENTLY_IN_TRANSACTION, what="DROP INDEX CONCURRENTLY")


@on("DropStmt")
def drop_index(node: Node, state: State) -> None:
    """DROP INDEX, plain or concurrently."""
    if node["removeType"] == "OBJECT_INDEX":
        for item in node["objects"]:
            name = dropped_name(item, "OBJECT_INDEX")
            if not state.is_new(name):
                severity, guards = _guards(name, state)
                words = {"name": label(name), "guards": guards, "safe": concurrently(state)}
                if node.get("concurrent"):
                    state.see(DROP_INDEX_CONCURRENTLY, severity, **words)
                else:
                    state.see(DROP_INDEX, **words)
                if cascades(node):
                    state.see(CASCADE, name=label(name))


def _guards(index: Name, state: State) -> tuple[str, str]:
    """How grave it is that the index no longer keeps duplicates out, and in words; another one of the file may."""
    for name, table in (state.facts.tables if state.facts else {}).items():
        if name[0] == index[0] and index[1] in table.unique:
            columns = _over(table.index_columns.get(index[1], ()))
            if (name, columns) in state.served:
                return CONVENTION, ""
            told = (
                f"; duplicates in {columns} get into {label(name)} from now on, and ON CONFLICT that counts on it fails"
            )
            return COMPATIBILITY, told.replace(" in ()", "")
    return CONVENTION, "" if state.facts else "; if it is UNIQUE, duplicates get in from now on"


def _over(columns: tuple[str, ...]) -> str:
    return f"({', '.join(columns)})"
