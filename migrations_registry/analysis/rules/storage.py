"""Commands that write a table anew, hold it, or only adjust its settings."""

from __future__ import annotations

from migrations_registry.analysis.model import (
    AX,
    BLOCKING,
    COMPATIBILITY,
    CONVENTION,
    EXECUTION,
    LOCKS,
    REWRITE,
    SECURITY,
    STRENGTH,
    SUE,
    label,
    who_waits,
)
from migrations_registry.analysis.parsing.nodes import is_on, options, relation
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.alter_locks import is_cheap_option
from migrations_registry.analysis.rule_registry import on, on_alter, rule
from migrations_registry.analysis.rules.brief_locks import brief_lock
from migrations_registry.analysis.state import State

LOCK_TABLE = rule(
    "ML-LOCK-TABLE",
    BLOCKING,
    "holds {name} until the transaction ends ({mode}): {who}",
    "The weakest mode that serves, with a short lock_timeout.",
    lock=AX,
    bad=("BEGIN; LOCK TABLE orders; COMMIT", "BEGIN; LOCK TABLE orders IN EXCLUSIVE MODE; COMMIT"),
    good=("BEGIN; LOCK TABLE orders IN ACCESS SHARE MODE; COMMIT",),
)
CHEAP = rule(
    "ML-CHEAP",
    CONVENTION,
    "adjusts {name} without touching rows or stopping anybody",
    "Nothing to do.",
    lock=SUE,
    bad=(
        "ALTER TABLE orders ALTER COLUMN note SET STATISTICS 200",
        "ALTER TABLE orders SET (fillfactor = 70)",
        "ALTER TABLE orders CLUSTER ON orders_pkey",
        "COMMENT ON TABLE orders IS 'x'",
    ),
    good=("ALTER TABLE orders ALTER COLUMN note SET STORAGE external",),
)
NON_TRANSACTIONAL = rule(
    "MT-NON-TX",
    EXECUTION,
    "{what} cannot run inside a transaction: the server refuses, and nothing of the file stays",
    "Its own step; on a shared server not in a migration at all.",
    bad=("ALTER SYSTEM SET work_mem = '8MB'", "CREATE DATABASE x", "BEGIN; VACUUM orders; COMMIT"),
    good=("VACUUM orders", "ANALYZE orders", "BEGIN; ALTER DATABASE template1 SET work_mem = '8MB'; COMMIT"),
)
NO_VACUUM = rule(
    "MC-NO-AUTOVACUUM",
    COMPATIBILITY,
    "nothing cleans {name} up any more: it grows with every change, and one day the server takes no more writes, to "
    "save itself",
    "Let it be cleaned up more often instead: SET (autovacuum_vacuum_scale_factor = 0.02).",
    lock=SUE,
    bad=("ALTER TABLE orders SET (autovacuum_enabled = off)",),
    good=("ALTER TABLE orders SET (autovacuum_vacuum_scale_factor = 0.01)",),
)
DATABASE_TABLESPACE = rule(
    "ML-DATABASE-TABLESPACE",
    REWRITE,
    "copies all of database {name} to another place on the disks (tablespace), and nobody may be connected to it",
    "By hand, in a maintenance window.",
    bad=("ALTER DATABASE nowhere SET TABLESPACE spare_space",),
    good=("ALTER TABLE orders SET (fillfactor = 70)",),
)
LOCKS_OUT = rule(
    "MS-LOCKS-OUT",
    SECURITY,
    "{what} takes no connections any more: whoever uses it stands outside at once",
    "By hand, with the people who run what connects there.",
    bad=(
        "ALTER ROLE anon NOLOGIN",
        "ALTER ROLE anon CONNECTION LIMIT 0",
        "ALTER ROLE anon VALID UNTIL '2020-01-01'",
        "ALTER DATABASE nowhere ALLOW_CONNECTIONS false",
    ),
    good=("CREATE ROLE x NOLOGIN", "ALTER ROLE anon CONNECTION LIMIT 5"),
)
_SERVER_WIDE = {
    "AlterSystemStmt": "ALTER SYSTEM",
    "CreatedbStmt": "CREATE DATABASE",
    "CreateTableSpaceStmt": "CREATE TABLESPACE",
    "DropTableSpaceStmt": "DROP TABLESPACE",
    "CreateSubscriptionStmt": "CREATE SUBSCRIPTION",
}


@on("LockStmt")
def lock_table(node: Node, state: State) -> None:
    """LOCK TABLE in a mode that stops writers."""
    mode = LOCKS[node.get("mode", 8) - 1]
    for item in node["relations"]:
        if STRENGTH[mode] > STRENGTH["ROW EXCLUSIVE"] and not state.is_new_relation(item["RangeVar"]):
            name = label(relation(item["RangeVar"]))
            state.see(LOCK_TABLE, None, None, mode, name=name, mode=mode, who=who_waits(mode).format(name))


@on(*_SERVER_WIDE)
def server_wide(node: Node, state: State) -> None:
    """Commands for the whole server."""
    state.see(NON_TRANSACTIONAL, what=next(iter(_kinds(node)), "this command"))


def _kinds(node: Node) -> list[str]:
    system = "ALTER SYSTEM changes the settings of every database of the server, and"
    marks = {"setstmt": system, "dbname": "CREATE DATABASE", "subname": "CREATE SUBSCRIPTION"}
    return [text for field, text in marks.items() if field in node]


@on_alter(
    "SetStatistics",
    "SetOptions",
    "ResetOptions",
    "SetRelOptions",
    "ResetRelOptions",
    "ClusterOn",
    "DropCluster",
    "SetStorage",
    "SetCompression",
)
def settings(command: Node, alter: Node, state: State) -> None:
    """ALTER TABLE forms that change only the catalog."""
    if state.is_new_relation(alter["relation"]):
        return
    given = (
        options(command.get("def", {}).get("List", {}).get("items", [])) if "RelOptions" in command["subtype"] else {}
    )
    if any(_is_off(name, each) for name, each in given.items()):
        state.see(NO_VACUUM, name=label(relation(alter["relation"])))
    brief = command["subtype"] in ("AT_SetStorage", "AT_SetCompression") or not all(map(is_cheap_option, given))
    if brief:
        brief_lock(AX, [relation(alter["relation"])], state)
    else:
        state.see(CHEAP, name=label(relation(alter["relation"])))


def _is_off(name: str, setting: object) -> bool:
    return name.removeprefix("toast.") == "autovacuum_enabled" and not is_on(setting)


@on("AlterDatabaseStmt")
def alter_database(node: Node, state: State) -> None:
    """ALTER DATABASE … TABLESPACE, ALLOW_CONNECTIONS, CONNECTION LIMIT."""
    given = options(node.get("options", []))
    if "tablespace" in given:
        state.see(DATABASE_TABLESPACE, name=node["dbname"])
        if state.in_transaction:
            state.see(NON_TRANSACTIONAL, what="ALTER DATABASE … SET TABLESPACE")
    if not is_on(given.get("allow_connections", True)) or given.get("connection_limit") == 0:
        state.see(LOCKS_OUT, what=f"database {node['dbname']}")


@on("AlterRoleStmt", "CreateRoleStmt")
def locked_role(node: Node, state: State) -> None:
    """ALTER ROLE … NOLOGIN, CONNECTION LIMIT 0, VALID UNTIL, PASSWORD NULL."""
    given = options(node.get("options", []))
    ends = given.get("validUntil", "infinity")
    is_out = given.get("canlogin") is False or given.get("connectionlimit") == 0 or ends != "infinity"
    is_out = is_out or given.get("password") is True
    if isinstance(node["role"], dict) and is_out:
        since = "" if ends == "infinity" else f", from {ends} on,"
        state.see(LOCKS_OUT, what=f"role {node['role'].get('rolename', '?')}{since}")


@on("CommentStmt")
def comment(node: Node, state: State) -> None:
    """COMMENT ON TABLE, COLUMN."""
    if node["objtype"] in ("OBJECT_TABLE", "OBJECT_COLUMN"):
        state.see(CHEAP, name="the comment")
