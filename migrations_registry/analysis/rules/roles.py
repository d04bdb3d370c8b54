"""Roles, managed schemas, and doors to the server's files and other servers."""

from __future__ import annotations

from migrations_registry.analysis.catalogue import on, rule
from migrations_registry.analysis.model import OPAQUE, SECURITY
from migrations_registry.analysis.nodes import function_name, inner_nodes, options
from migrations_registry.analysis.parser import Node
from migrations_registry.analysis.state import State

ROLE = rule(
    "MS-ROLE", SECURITY, "role {name}: {what}", "Roles and passwords are made by hand, never in a file.",
    bad=("ALTER ROLE anon BYPASSRLS", "CREATE ROLE x SUPERUSER", "ALTER ROLE anon PASSWORD 'secret'",
    "DROP ROLE nobody_here"), good=("CREATE ROLE x NOLOGIN",),
)  # fmt: skip
MANAGED_SCHEMA = rule(
    "MS-MANAGED-SCHEMA",
    SECURITY,
    "changes schema {schema}, which belongs to the platform",
    "Refer to it from your own schema instead.",
    bad=(
        "CREATE TABLE auth.mine (a int)",
        "DROP TABLE storage.objects",
        "CREATE TRIGGER x AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION touch()",
    ),
    good=("CREATE TABLE x (id uuid REFERENCES auth.users (id))", "SELECT * FROM auth.users"),
)
COPY_PROGRAM = rule(
    "MS-COPY-PROGRAM", SECURITY, "COPY reads or writes {what} on the database server",
    "COPY … FROM STDIN by a client, outside migrations.", bad=("COPY orders TO PROGRAM 'cat'",
    "COPY orders FROM '/tmp/orders'"), good=("SELECT 'COPY orders TO PROGRAM'",),
)  # fmt: skip
UNTRUSTED = rule(
    "MS-UNTRUSTED-LANG", SECURITY, "a function in {language} can do anything the server's account can",
    "PL/pgSQL or SQL.", bad=("CREATE FUNCTION x() RETURNS int LANGUAGE plpython3u AS 'return 1'",
    "CREATE EXTENSION plperlu"), good=("CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'",),
)  # fmt: skip
SERVER_FUNCTION = rule(
    "MS-SERVER-FUNCTION", SECURITY, "{name}() reaches files, sessions or other servers",
    "Outside migrations, by hand.", bad=("SELECT pg_terminate_backend(1)", "SELECT lo_import('/etc/passwd')",
    "SELECT dblink_exec('x', 'DROP TABLE lines')"), good=("SELECT pg_size_pretty(1::bigint)",),
)  # fmt: skip
FOREIGN = rule(
    "MS-FOREIGN-SERVER", SECURITY, "connects this database to another server",
    "By hand, with the credentials outside the file.", bad=("CREATE SERVER x FOREIGN DATA WRAPPER postgres_fdw",),
    good=("SELECT 1",),
)  # fmt: skip
MANAGED = {"auth", "storage", "realtime", "vault", "pgsodium", "supabase_functions", "supabase_migrations", "graphql",
           "graphql_public", "net", "cron",
           "_realtime", "_analytics", "pgbouncer", "supabase_admin", "pgmq"}  # fmt: skip
_POWERS = {
    "superuser": "SUPERUSER",
    "bypassrls": "BYPASSRLS",
    "createrole": "CREATEROLE",
    "isreplication": "REPLICATION",
    "createdb": "CREATEDB",
}
_SERVER_FUNCTIONS = {
    "lo_import",
    "lo_export",
    "pg_read_file",
    "pg_read_binary_file",
    "pg_ls_dir",
    "pg_terminate_backend",
    "pg_cancel_backend",
    "pg_reload_conf",
    "pg_file_write",
    "pg_promote",
    "pg_switch_wal",
    "dblink",
    "dblink_exec",
    "dblink_connect",
    "dblink_send_query",
    "query_to_xml",
    "query_to_xml_and_xmlschema",
    "query_to_xmlschema",
    "pg_drop_replication_slot",
    "pg_wal_replay_pause",
}
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
    found = [text for name, text in _POWERS.items() if given.get(name) is True]
    found += ["a password in clear text in the file"] if isinstance(given.get("password"), str) else []
    if found:
        name = node["role"] if isinstance(node["role"], str) else node["role"].get("rolename", "?")
        state.see(ROLE, name=name, what=", ".join(found))


@on("DropRoleStmt")
def drop_role(node: Node, state: State) -> None:
    """DROP ROLE."""
    state.see(ROLE, name=", ".join(item["RoleSpec"].get("rolename", "?") for item in node["roles"]), what="dropped")


@on("CopyStmt")
def copy(node: Node, state: State) -> None:
    """COPY with a program or a server file; COPY FROM STDIN has its data where a statement should be."""
    if node.get("is_program"):
        state.see(COPY_PROGRAM, what="the program's output")
    elif "filename" in node:
        state.see(COPY_PROGRAM, what="a file")
    elif node.get("is_from"):
        state.see(COPY_STDIN)


COPY_STDIN = rule(
    "MP-COPY-STDIN", OPAQUE, "COPY … FROM STDIN: its rows stand in the file where statements are expected",
    "INSERT … VALUES, or load the rows outside migrations.", bad=("COPY orders FROM STDIN",),
    good=("COPY orders TO STDOUT",),
)  # fmt: skip


@on("CreateFunctionStmt", "DoStmt", "CreatePLangStmt")
def language(node: Node, state: State) -> None:
    """Functions in untrusted languages."""
    given = options(node.get("options") or node.get("args") or [])
    name = str(given.get("language", node.get("plname", "")))
    if name.lower() in ("c", "internal") or name.lower().endswith("u"):
        state.see(UNTRUSTED, language=name)


@on("CreateExtensionStmt")
def extension(node: Node, state: State) -> None:
    """Extensions that open untrusted languages or other servers."""
    name = node["extname"]
    if name in ("plpython3u", "plperlu", "pltclu", "adminpack", "file_fdw"):
        state.see(UNTRUSTED, language=name)
    elif name in ("dblink", "postgres_fdw"):
        state.see(FOREIGN)


@on(
    "CreateForeignServerStmt",
    "CreateUserMappingStmt",
    "CreateFdwStmt",
    "ImportForeignSchemaStmt",
    "CreateForeignTableStmt",
)
def foreign(node: Node, state: State) -> None:
    """Foreign servers, mappings, tables."""
    if "base" not in node:
        state.see(FOREIGN)


@on("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CallStmt")
def server_functions(node: Node, state: State) -> None:
    """Calls that leave the database."""
    for kind, call in inner_nodes(node):
        if kind == "FuncCall" and (name := function_name(call)) in _SERVER_FUNCTIONS:
            state.see(SERVER_FUNCTION, name=name)


@on(*_DDL)
def managed_schema(node: Node, state: State) -> None:
    """DDL on a schema of the platform; policies on storage and realtime are the documented exception."""
    target = node.get("relation") or node.get("table") or node.get("view") or node.get("sequence") or {}
    if "into" in node:
        target = node["into"]["rel"]
    schemas = {target.get("schemaname", "")} | {
        item["RangeVar"].get("schemaname", "") for item in node.get("relations", [])
    }
    allowed = {"storage", "realtime"} if "policy_name" in node else set()
    for schema in (schemas & MANAGED) - allowed:
        state.see(MANAGED_SCHEMA, schema=schema)


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
        if first in MANAGED and (len(items) > 1 or node.get("removeType") == "OBJECT_SCHEMA"):
            state.see(MANAGED_SCHEMA, schema=first)
