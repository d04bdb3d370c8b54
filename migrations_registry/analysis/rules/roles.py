"""Roles with powers or passwords, what they own, and schemas that belong to the platform."""

from __future__ import annotations

from migrations_registry.analysis.model import DESTRUCTIVE, RX, SECURITY
from migrations_registry.analysis.parsing.nodes import options, relation, strings, value
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on, rule
from migrations_registry.analysis.state import State

ROLE = rule(
    "MS-ROLE",
    SECURITY,
    "role {name}: {what}",
    "Roles and passwords are made by hand, never in a file.",
    bad=(
        "ALTER ROLE anon BYPASSRLS",
        "CREATE ROLE x SUPERUSER",
        "ALTER ROLE anon PASSWORD 'secret'",
        "DROP ROLE nobody_here",
    ),
    good=("CREATE ROLE x NOLOGIN",),
)
MANAGED_SCHEMA = rule(
    "MS-MANAGED-SCHEMA",
    SECURITY,
    "changes schema {schema}, which belongs to the platform: it may refuse, or undo it at its next update",
    "Refer to it from your own schema instead.",
    bad=(
        "CREATE TABLE auth.mine (a int)",
        "DROP TABLE storage.objects",
        "CREATE TRIGGER x AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION touch()",
    ),
    good=("CREATE TABLE x (id uuid REFERENCES auth.users (id))", "SELECT * FROM auth.users"),
)
MANAGED_ROWS = rule(
    "MS-MANAGED-ROWS",
    SECURITY,
    "{what}",
    "By the platform's own interface, outside migrations.",
    lock=RX,
    bad=("UPDATE auth.users SET id = id WHERE id IS NULL",),
    good=(
        "INSERT INTO storage.buckets (id, name, public) VALUES ('a', 'a', false) ON CONFLICT DO NOTHING",
        "INSERT INTO storage.buckets (id, name) VALUES ('a', 'a')",
        "UPDATE storage.buckets SET file_size_limit = 1000 WHERE id = 'a'",
        "SELECT * FROM auth.users",
    ),
)
DROP_OWNED = rule(
    "MD-DROP-OWNED",
    DESTRUCTIVE,
    "drops or hands over everything a role owns; this file does not say what, and what is dropped comes back "
    "only from a backup",
    "Name the objects one by one.",
    bad=("DROP OWNED BY anon", "REASSIGN OWNED BY anon TO authenticated"),
    good=("SELECT 1",),
)
MANAGED = {
    "auth",
    "storage",
    "realtime",
    "vault",
    "pgsodium",
    "supabase_functions",
    "supabase_migrations",
    "graphql",
    "graphql_public",
    "net",
    "cron",
    "_realtime",
    "_analytics",
    "pgbouncer",
    "supabase_admin",
    "pgmq",
}
ROWS_OF = {"auth", "net", "storage", "vault", "pgsodium", "supabase_functions", "supabase_migrations"}
POWERS = {
    "superuser": "may do anything on the server (SUPERUSER)",
    "bypassrls": "sees and changes what row security hides (BYPASSRLS)",
    "createrole": "may make and change other roles (CREATEROLE)",
    "isreplication": "may copy the whole server (REPLICATION)",
    "createdb": "may make databases (CREATEDB)",
}
_BEFORE = 2  # catalog/pg_trigger.h
_DDL = (
    "CreateStmt",
    "AlterTableStmt",
    "IndexStmt",
    "CreateTrigStmt",
    "ViewStmt",
    "CreateTableAsStmt",
    "TruncateStmt",
    "RenameStmt",
    "RuleStmt",
    "CreateSeqStmt",
    "AlterSeqStmt",
    "LockStmt",
    "ReindexStmt",
    "ClusterStmt",
    "CreatePolicyStmt",
)


@on("CreateRoleStmt", "AlterRoleStmt")
def role(node: Node, state: State) -> None:
    """CREATE, ALTER ROLE with powers or a password."""
    given = options(node.get("options", []))
    powers = [text for name, text in POWERS.items() if given.get(name) is True]
    powers += ["a password in clear text in the file"] if isinstance(given.get("password"), str) else []
    if powers:
        name = node["role"] if isinstance(node["role"], str) else node["role"].get("rolename", "?")
        state.see(ROLE, name=name, what=", ".join(powers))


@on("DropRoleStmt")
def drop_role(node: Node, state: State) -> None:
    """DROP ROLE."""
    state.see(ROLE, name=", ".join(item["RoleSpec"].get("rolename", "?") for item in node["roles"]), what="dropped")


@on(*_DDL)
def managed_schema(node: Node, state: State) -> None:
    """DDL on a schema of the platform. Policies on storage and realtime, and triggers that run a function of the file
    after a user was written, are the documented exceptions.
    """
    target = node.get("relation") or node.get("table") or node.get("view") or node.get("sequence") or {}
    if "into" in node:
        target = node["into"]["rel"]
    schemas = {target.get("schemaname", "")} | {
        item["RangeVar"].get("schemaname", "") for item in node.get("relations", [])
    }
    allowed = {"storage", "realtime"} if "policy_name" in node else set()
    after = "trigname" in node and not node.get("timing", 0) & _BEFORE
    if after and target.get("relname") == "users" and _is_own(node["funcname"], state):
        allowed.add("auth")
    for schema in (schemas & MANAGED) - allowed:
        state.see(MANAGED_SCHEMA, schema=schema)


def _is_own(function: list[Node], state: State) -> bool:
    parts = strings(function)
    return (parts[-2] if len(parts) > 1 else state.scope.schemas[0], parts[-1]) in state.made_names


@on("DropStmt", "CreateFunctionStmt", "AlterObjectSchemaStmt")
def managed_names(node: Node, state: State) -> None:
    """The same for objects named by a list."""
    lists = [item["List"]["items"] for item in node.get("objects", []) if "List" in item] + [node.get("funcname", [])]
    if node.get("removeType") == "OBJECT_POLICY":
        return
    if node.get("removeType") == "OBJECT_SCHEMA":
        lists += [[item] for item in node["objects"]]
    for items in lists:
        first = items[0]["String"]["sval"] if items and "String" in items[0] else ""
        if first in MANAGED | {"pg_catalog"} and (len(items) > 1 or node.get("removeType") == "OBJECT_SCHEMA"):
            state.see(MANAGED_SCHEMA, schema=first)


@on("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")
def managed_rows(node: Node, state: State) -> None:
    """Rows by which the platform works. Buckets of files are the documented exception, unless they are made public."""
    schema, table = relation(node["relation"])
    if (schema, table) == ("storage", "buckets"):
        if "public" in _set_to_something(node):
            state.see(
                MANAGED_ROWS, what="anybody on the internet can read every file of the bucket, without signing in"
            )
    elif schema in ROWS_OF:
        what = f"changes rows of {schema}.{table}, by which the platform works: sign-ins, files, keys or its history"
        state.see(MANAGED_ROWS, what=what)


def _set_to_something(node: Node) -> set[str]:
    """Columns that get another value than the word false; all of them where a list of values does not name them."""
    if "cols" in node or "onConflictClause" in node or "targetList" in node:
        names = [item["ResTarget"]["name"] for item in node.get("cols", [])]
        rows = node.get("selectStmt", {}).get("SelectStmt", {}).get("valuesLists", [])
        given = [pair for row in rows for pair in zip(names, row["List"]["items"], strict=False)]
        given += [(name, {}) for name in ([] if rows else names)]
        targets = [*node.get("targetList", []), *node.get("onConflictClause", {}).get("targetList", [])]
        given += [(item["ResTarget"]["name"], item["ResTarget"]["val"]) for item in targets]
        return {name for name, expression in given if value(expression or {"": {}}) is not False}
    return {"public"}


@on("DropOwnedStmt", "ReassignOwnedStmt")
def drop_owned(node: Node, state: State) -> None:
    """DROP OWNED, REASSIGN OWNED."""
    state.see(DROP_OWNED)
