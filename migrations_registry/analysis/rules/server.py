"""Doors to the server's files, its processes and other servers."""

from __future__ import annotations

from migrations_registry.analysis.model import COMPATIBILITY, DESTRUCTIVE, OPAQUE, SECURITY
from migrations_registry.analysis.parsing.nodes import function_name, inner_nodes, options
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on, on_alter, rule
from migrations_registry.analysis.state import State

COPY_PROGRAM = rule(
    "MS-COPY-PROGRAM",
    SECURITY,
    "COPY reads or writes {what} on the database server, with the rights of the server itself",
    "COPY … FROM STDIN by a client, outside migrations.",
    bad=("COPY orders TO PROGRAM 'cat'", "COPY orders FROM '/tmp/orders'"),
    good=("SELECT 'COPY orders TO PROGRAM'",),
)
UNTRUSTED = rule(
    "MS-UNTRUSTED-LANG",
    SECURITY,
    "a function in {language} can do anything the server's account can",
    "PL/pgSQL or SQL.",
    bad=("CREATE FUNCTION x() RETURNS int LANGUAGE plpython3u AS 'return 1'", "CREATE EXTENSION plperlu"),
    good=("CREATE FUNCTION x() RETURNS int LANGUAGE sql AS 'SELECT 1'",),
)
SERVER_FUNCTION = rule(
    "MS-SERVER-FUNCTION",
    SECURITY,
    "{name}() reaches files, sessions or other servers: what it does there, no rollback takes back",
    "Outside migrations, by hand.",
    bad=(
        "SELECT pg_terminate_backend(1)",
        "SELECT lo_import('/etc/passwd')",
        "SELECT dblink_exec('x', 'DROP TABLE lines')",
    ),
    good=("SELECT pg_size_pretty(1::bigint)",),
)
FOREIGN = rule(
    "MS-FOREIGN-SERVER",
    SECURITY,
    "connects this database to another server, or changes to which one, as whom, and what of it is shown",
    "By hand, with the credentials outside the file.",
    bad=(
        "CREATE SERVER x FOREIGN DATA WRAPPER postgres_fdw",
        "CREATE FOREIGN DATA WRAPPER x; CREATE SERVER y FOREIGN DATA WRAPPER x; ALTER SERVER y OPTIONS (ADD a 'b')",
    ),
    good=("SELECT 1",),
)
_SERVER_FUNCTIONS = {
    "lo_import",
    "lo_unlink",
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
COPY_STDIN = rule(
    "MP-COPY-STDIN",
    OPAQUE,
    "COPY … FROM STDIN: its rows stand in the file where statements are expected, and only psql sends them",
    "INSERT … VALUES, or load the rows outside migrations.",
    bad=("COPY orders FROM STDIN",),
    good=("COPY orders TO STDOUT",),
)
DROP_DATABASE = rule(
    "MD-DROP-DATABASE",
    DESTRUCTIVE,
    "drops a whole database: only a backup brings it back",
    "Not a migration: never registered, never applied.",
    versions="FORCE since 13",
    bad=("DROP DATABASE nowhere",),
    good=("SELECT datname FROM pg_database",),
)


@on("CopyStmt")
def copy(node: Node, state: State) -> None:
    """COPY with a program or a server file; COPY FROM STDIN has its data where a statement should be."""
    if node.get("is_program"):
        state.see(COPY_PROGRAM, what="the program's output")
    elif "filename" in node:
        state.see(COPY_PROGRAM, what="a file")
    elif node.get("is_from"):
        state.see(COPY_STDIN)


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
    "AlterForeignServerStmt",
    "AlterFdwStmt",
    "AlterUserMappingStmt",
    "DropUserMappingStmt",
)
def foreign(node: Node, state: State) -> None:
    """Foreign servers, mappings, tables."""
    if "base" not in node:
        state.see(FOREIGN)


@on_alter("GenericOptions", "AlterColumnGenericOptions")
def shows_other(command: Node, alter: Node, state: State) -> None:
    """ALTER FOREIGN TABLE … OPTIONS: of the table, or of a column."""
    if not state.is_new_relation(alter["relation"]):
        state.see(FOREIGN, COMPATIBILITY)


@on("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CallStmt")
def server_functions(node: Node, state: State) -> None:
    """Calls that leave the database."""
    for kind, call in inner_nodes(node):
        if kind == "FuncCall" and (name := function_name(call)) in _SERVER_FUNCTIONS:
            state.see(SERVER_FUNCTION, name=name)


@on("LoadStmt", "CreateAmStmt")
def load(node: Node, state: State) -> None:
    """LOAD and an access method run a shared library's code."""
    state.see(UNTRUSTED, language="C")


@on("DropdbStmt")
def drop_database(node: Node, state: State) -> None:
    """DROP DATABASE."""
    state.see(DROP_DATABASE)
