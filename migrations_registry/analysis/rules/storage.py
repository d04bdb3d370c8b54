"""Commands that write a table anew, hold it, or only adjust its settings."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, BLOCKING, CONVENTION, EX, EXECUTION, LOCKS, REWRITE, STRENGTH, SUE
from migrations_registry.analysis.parsing.nodes import is_on, label, options, relation
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.locks import is_cheap_option
from migrations_registry.analysis.rule_registry import on, on_alter, rule
from migrations_registry.analysis.state import State

VACUUM_FULL = rule(
    "ML-VACUUM-FULL", REWRITE, "writes {name} anew while nobody can read or write it",
    "pg_repack, or a maintenance window; plain VACUUM frees space for reuse without a lock.", lock=AX, rewrite=True,
    scan=True, versions="REPACK (CONCURRENTLY) in 19", bad=("VACUUM FULL orders", "VACUUM (FULL) orders"),
    good=("VACUUM orders", "VACUUM (FULL FALSE) orders", "VACUUM ANALYZE orders"),
)  # fmt: skip
CLUSTER = rule(
    "ML-CLUSTER", REWRITE, "writes {name} anew in index order while nobody can read or write it",
    "pg_repack, or a maintenance window.", lock=AX, rewrite=True, scan=True,
    bad=("CLUSTER orders USING orders_pkey",), good=("ALTER TABLE orders CLUSTER ON orders_pkey",),
)  # fmt: skip
REFRESH = rule(
    "ML-REFRESH-MV", BLOCKING, "fills {name} anew while nobody can read it",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY; it needs a unique index.", lock=AX, rewrite=True, scan=True,
    bad=("REFRESH MATERIALIZED VIEW totals",), good=("REFRESH MATERIALIZED VIEW CONCURRENTLY totals",),
)  # fmt: skip
REFRESH_CONCURRENTLY = rule(
    "ML-REFRESH-MV-CONCURRENTLY", CONVENTION, "fills {name} anew; readers go on, other refreshes wait",
    "Nothing to do.", lock=EX, scan=True, bad=("REFRESH MATERIALIZED VIEW CONCURRENTLY totals",),
    good=("REFRESH MATERIALIZED VIEW totals",),
)  # fmt: skip
TABLESPACE = rule(
    "ML-SET-TABLESPACE", REWRITE, "copies {name} to another tablespace while nobody can use it",
    "pg_repack, or a maintenance window.", lock=AX, rewrite=True,
    bad=("ALTER TABLE orders SET TABLESPACE spare_space",), good=("ALTER TABLE orders SET (fillfactor = 70)",),
)  # fmt: skip
ACCESS_METHOD = rule(
    "ML-SET-ACCESS-METHOD", REWRITE, "writes {name} anew in another storage form", "A maintenance window.", lock=AX,
    rewrite=True, scan=True, versions="15+", bad=("ALTER TABLE orders SET ACCESS METHOD spare",),
    good=("SELECT 1",),
)  # fmt: skip
LOGGED = rule(
    "ML-SET-LOGGED", REWRITE, "writes {name} anew; UNLOGGED also loses it whole after a crash",
    "A maintenance window; never UNLOGGED for data to keep.", lock=AX, rewrite=True, scan=True,
    bad=("ALTER TABLE void SET UNLOGGED",), good=("CREATE UNLOGGED TABLE x (a int)",),
)  # fmt: skip
LOCK_TABLE = rule(
    "ML-LOCK-TABLE", BLOCKING, "locks {name} in {mode} mode until the transaction ends",
    "The weakest mode that serves, with a short lock_timeout.", lock=AX, bad=("BEGIN; LOCK TABLE orders; COMMIT",
    "BEGIN; LOCK TABLE orders IN EXCLUSIVE MODE; COMMIT"),
    good=("BEGIN; LOCK TABLE orders IN ACCESS SHARE MODE; COMMIT",),
)  # fmt: skip
CHEAP = rule(
    "ML-CHEAP", CONVENTION, "adjusts {name} without touching rows or stopping anybody", "Nothing to do.", lock=SUE,
    bad=("ALTER TABLE orders ALTER COLUMN note SET STATISTICS 200", "ALTER TABLE orders SET (fillfactor = 70)",
    "ALTER TABLE orders CLUSTER ON orders_pkey", "COMMENT ON TABLE orders IS 'x'"),
    good=("ALTER TABLE orders ALTER COLUMN note SET STORAGE external",),
)  # fmt: skip
BRIEF = rule(
    "ML-BRIEF-AX", CONVENTION, "changes a setting of {name} under a brief lock", "Nothing to do.", lock=AX,
    bad=("ALTER TABLE orders ALTER COLUMN note SET STORAGE external",),
    good=("ALTER TABLE orders SET (fillfactor = 70)",),
)  # fmt: skip
NON_TRANSACTIONAL = rule(
    "MT-NON-TX", EXECUTION, "{what} cannot run inside a transaction",
    "Its own step; on a shared server not in a migration at all.", bad=("ALTER SYSTEM SET work_mem = '8MB'",
    "CREATE DATABASE x", "BEGIN; VACUUM orders; COMMIT"), good=("VACUUM orders", "ANALYZE orders"),
)  # fmt: skip
_SERVER_WIDE = {
    "AlterSystemStmt": "ALTER SYSTEM",
    "CreatedbStmt": "CREATE DATABASE",
    "CreateTableSpaceStmt": "CREATE TABLESPACE",
    "DropTableSpaceStmt": "DROP TABLESPACE",
    "CreateSubscriptionStmt": "CREATE SUBSCRIPTION",
    "AlterDatabaseSetStmt": "ALTER DATABASE",
}


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
    elif not state.is_new_relation(node["relation"]):
        state.see(CLUSTER, name=label(relation(node["relation"])))


@on("RefreshMatViewStmt")
def refresh(node: Node, state: State) -> None:
    """REFRESH MATERIALIZED VIEW."""
    if not state.is_new_relation(node["relation"]):
        state.see(REFRESH_CONCURRENTLY if node.get("concurrent") else REFRESH, name=label(relation(node["relation"])))


@on("LockStmt")
def lock_table(node: Node, state: State) -> None:
    """LOCK TABLE in a mode that stops writers."""
    mode = LOCKS[node.get("mode", 8) - 1]
    for item in node["relations"]:
        if STRENGTH[mode] > STRENGTH["ROW EXCLUSIVE"] and not state.is_new_relation(item["RangeVar"]):
            state.see(LOCK_TABLE, None, None, mode, name=label(relation(item["RangeVar"])), mode=mode)


@on(*_SERVER_WIDE)
def server_wide(node: Node, state: State) -> None:
    """Commands for the whole server."""
    state.see(NON_TRANSACTIONAL, what=next(iter(_kinds(node)), "this command"))


def _kinds(node: Node) -> list[str]:
    marks = {"setstmt": "ALTER SYSTEM or ALTER DATABASE", "dbname": "CREATE DATABASE", "subname": "CREATE SUBSCRIPTION"}
    return [text for field, text in marks.items() if field in node]


@on("AlterTableMoveAllStmt")
def move_all(node: Node, state: State) -> None:
    """ALTER TABLE ALL IN TABLESPACE … SET TABLESPACE."""
    state.see(TABLESPACE, name="every table of a tablespace")


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


@on_alter("SetStatistics", "SetOptions", "ResetOptions", "SetRelOptions", "ResetRelOptions", "ClusterOn", "DropCluster",
          "SetStorage", "SetCompression")  # fmt: skip
def settings(command: Node, alter: Node, state: State) -> None:
    """ALTER TABLE forms that change only the catalog."""
    if state.is_new_relation(alter["relation"]):
        return
    given = (
        options(command.get("def", {}).get("List", {}).get("items", [])) if "RelOptions" in command["subtype"] else {}
    )
    brief = command["subtype"] in ("AT_SetStorage", "AT_SetCompression") or not all(map(is_cheap_option, given))
    state.see(BRIEF if brief else CHEAP, name=label(relation(alter["relation"])))


@on("CommentStmt")
def comment(node: Node, state: State) -> None:
    """COMMENT ON TABLE, COLUMN."""
    if node["objtype"] in ("OBJECT_TABLE", "OBJECT_COLUMN"):
        state.see(CHEAP, name="the comment")
