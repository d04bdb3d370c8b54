"""Commands that write a table anew: VACUUM FULL, CLUSTER, REFRESH, another tablespace or storage form."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, BLOCKING, COMPATIBILITY, CONVENTION, EX, REWRITE, label
from migrations_registry.analysis.parsing.nodes import is_on, options, relation
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on, on_alter, rule
from migrations_registry.analysis.rules.storage import NON_TRANSACTIONAL
from migrations_registry.analysis.state import State

VACUUM_FULL = rule(
    "ML-VACUUM-FULL",
    REWRITE,
    "writes {name} anew while nobody can read or write it",
    "pg_repack, or a maintenance window; plain VACUUM frees space for reuse without a lock.",
    lock=AX,
    rewrite=True,
    scan=True,
    versions="REPACK (CONCURRENTLY) in 19",
    bad=("VACUUM FULL orders", "VACUUM (FULL) orders"),
    good=("VACUUM orders", "VACUUM (FULL FALSE) orders", "VACUUM ANALYZE orders"),
)
CLUSTER = rule(
    "ML-CLUSTER",
    REWRITE,
    "writes {name} anew in index order while nobody can read or write it",
    "pg_repack, or a maintenance window.",
    lock=AX,
    rewrite=True,
    scan=True,
    bad=("CLUSTER orders USING orders_pkey",),
    good=("ALTER TABLE orders CLUSTER ON orders_pkey",),
)
REFRESH = rule(
    "ML-REFRESH-MV",
    BLOCKING,
    "fills {name} anew while nobody can read it",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY; it needs a unique index.",
    lock=AX,
    rewrite=True,
    scan=True,
    bad=("REFRESH MATERIALIZED VIEW totals",),
    good=("REFRESH MATERIALIZED VIEW CONCURRENTLY totals",),
)
REFRESH_CONCURRENTLY = rule(
    "ML-REFRESH-MV-CONCURRENTLY",
    CONVENTION,
    "fills {name} anew; readers go on, other refreshes wait",
    "Nothing to do.",
    lock=EX,
    scan=True,
    bad=("REFRESH MATERIALIZED VIEW CONCURRENTLY totals",),
    good=("REFRESH MATERIALIZED VIEW totals",),
)
TABLESPACE = rule(
    "ML-SET-TABLESPACE",
    REWRITE,
    "copies {name} to another place on the disks (tablespace) while nobody can use it",
    "pg_repack, or a maintenance window.",
    lock=AX,
    rewrite=True,
    bad=("ALTER TABLE orders SET TABLESPACE spare_space",),
    good=("ALTER TABLE orders SET (fillfactor = 70)",),
)
ACCESS_METHOD = rule(
    "ML-SET-ACCESS-METHOD",
    REWRITE,
    "writes {name} anew in another form of storage while nobody can use it",
    "A maintenance window.",
    lock=AX,
    rewrite=True,
    scan=True,
    versions="15+",
    bad=("ALTER TABLE orders SET ACCESS METHOD spare",),
    good=("SELECT 1",),
)
LOGGED = rule(
    "ML-SET-LOGGED",
    REWRITE,
    "writes {name} anew while nobody can use it; once UNLOGGED, it is empty after a crash",
    "A maintenance window; never UNLOGGED for data to keep.",
    lock=AX,
    rewrite=True,
    scan=True,
    bad=("ALTER TABLE void SET UNLOGGED",),
    good=("CREATE UNLOGGED TABLE x (a int)",),
)


@on("VacuumStmt")
def vacuum(node: Node, state: State) -> None:
    """VACUUM FULL; VACUUM in a transaction."""
    names = [relation(item["VacuumRelation"]["relation"]) for item in node.get("rels", [])]
    if not node.get("is_vacuumcmd"):
        return
    if state.in_transaction:
        state.see(NON_TRANSACTIONAL, what="VACUUM")
    if is_on(options(node.get("options", [])).get("full", False)):
        state.see(VACUUM_FULL, name=", ".join(label(name) for name in names) or "every table")


@on("ClusterStmt")
def cluster(node: Node, state: State) -> None:
    """CLUSTER, also of everything."""
    if "relation" not in node:
        state.see(CLUSTER, name="every clustered table")
        if state.in_transaction:
            state.see(NON_TRANSACTIONAL, what="CLUSTER of everything")
    elif not state.is_new_relation(node["relation"]):
        state.see(CLUSTER, name=label(relation(node["relation"])))


@on("RefreshMatViewStmt")
def refresh(node: Node, state: State) -> None:
    """REFRESH MATERIALIZED VIEW."""
    if not state.is_new_relation(node["relation"]):
        rule_of = EMPTIES_VIEW if node.get("skipData") else REFRESH_CONCURRENTLY if node.get("concurrent") else REFRESH
        state.see(rule_of, name=label(relation(node["relation"])))


@on("AlterTableMoveAllStmt")
def move_all(node: Node, state: State) -> None:
    """ALTER TABLE ALL IN TABLESPACE … SET TABLESPACE."""
    state.see(TABLESPACE, name="every table of a tablespace")


SET_EXPRESSION = rule(
    "ML-SET-EXPRESSION",
    REWRITE,
    "computes {column} anew for every row: {name} and its indexes are written while nobody can use them",
    "Add another computed column, let code read that one, drop the old one.",
    lock=AX,
    rewrite=True,
    scan=True,
    versions="17+",
    bad=("ALTER TABLE counted ALTER COLUMN twice SET EXPRESSION AS (a * 3)",),
    good=("CREATE TABLE x (a int, b int GENERATED ALWAYS AS (a) STORED); ALTER TABLE x ALTER b SET EXPRESSION AS (2)",),
)
EMPTIES_VIEW = rule(
    "MC-EMPTY-MATVIEW",
    COMPATIBILITY,
    "empties {name}: whoever reads it gets an error until it is filled",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY.",
    lock=AX,
    rewrite=True,
    bad=("REFRESH MATERIALIZED VIEW totals WITH NO DATA",),
    good=("REFRESH MATERIALIZED VIEW CONCURRENTLY totals",),
)


@on_alter("SetExpression")
def set_expression(command: Node, alter: Node, state: State) -> None:
    """ALTER COLUMN … SET EXPRESSION of a stored computed column."""
    if not state.is_new_relation(alter["relation"]):
        state.see(SET_EXPRESSION, name=label(relation(alter["relation"])), column=command["name"])


_REWRITES = {
    "AT_SetTableSpace": TABLESPACE,
    "AT_SetAccessMethod": ACCESS_METHOD,
    "AT_SetLogged": LOGGED,
    "AT_SetUnLogged": LOGGED,
}


@on_alter("SetTableSpace", "SetAccessMethod", "SetLogged", "SetUnLogged")
def rewrites(command: Node, alter: Node, state: State) -> None:
    """ALTER TABLE forms that copy the table."""
    if not state.is_new_relation(alter["relation"]):
        state.see(_REWRITES[command["subtype"]], name=label(relation(alter["relation"])))
