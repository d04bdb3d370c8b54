"""What a file's statements need to be allowed, and which of that the role that would apply it is not.

In: a file's bytes, a session of that role on the target. Out: sentences by line. A copy's owner owns all that is in it,
so that running there shows none of this. Only what is certain counts: not what a file calls, nor what it does as
another role.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from migrations_registry.analysis.model import Name
from migrations_registry.analysis.parsing.nodes import dotted, object_name, relation, strings
from migrations_registry.analysis.parsing.parser import Node, Raw, parse
from providers.postgres.catalog import PLATFORM_SCHEMAS
from providers.postgres.connection import Connection
from providers.postgres.migrate.rights import Need, lacking

TOLD = 5
ALTERS = {
    "AlterTableStmt": "relation",
    "IndexStmt": "relation",
    "RenameStmt": "relation",
    "AlterObjectSchemaStmt": "relation",
    "CreatePolicyStmt": "table",
    "AlterPolicyStmt": "table",
    "RuleStmt": "relation",
    "AlterSeqStmt": "sequence",
}
WRITES = {"InsertStmt": "INSERT", "UpdateStmt": "UPDATE", "DeleteStmt": "DELETE", "CreateTrigStmt": "TRIGGER"}
MAKES = {"CreateStmt": "relation", "ViewStmt": "view", "CreateSeqStmt": "sequence"}
NAMED = {"CreateFunctionStmt": "funcname", "CreateEnumStmt": "typeName", "CreateDomainStmt": "domainname"}
RELATIONS = ("TABLE", "VIEW", "MATVIEW", "SEQUENCE", "INDEX", "FOREIGN_TABLE")
PARTS = ("TRIGGER", "POLICY", "RULE", "COLUMN")  # of a relation, after whose name theirs stands
OTHERS = {"TYPE": "type", "DOMAIN": "type", "FUNCTION": "function", "PROCEDURE": "function"}
ROLES = ("CreateRoleStmt", "DropRoleStmt")
GIVES = (
    "GrantStmt",
    "GrantRoleStmt",
    "AlterDefaultPrivilegesStmt",
    "AlterOwnerStmt",
    "ReassignOwnedStmt",
    "AlterRoleStmt",
    "DoStmt",
    "CallStmt",
)
CALLS = ("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CreateTableAsStmt", "ExplainStmt")
BECOMES = ("role", "session_authorization", "search_path")
TO_SAY = {
    "create in": "may create nothing in the schema {}",
    "create schema": "may make no schema",
    "be": "may not act as the role {}",
    "change roles": "may neither make nor drop roles",
}


class Wanted(NamedTuple):
    line: int
    need: Need


def denied(connection: Connection, data: bytes, before: Iterable[bytes] = ()) -> list[str]:
    """Where it would end with permission denied, at most a few, in order. Raises psycopg.Error.

    `before`: the files that are applied before it. Where one of them may give or take rights, nothing is certain.
    """
    if any(
        _may_change_rights(each.kind, each.node) for text in before for each in parse(text) if isinstance(each, Raw)
    ):
        return []
    wanted = needs_of(data)
    role = connection.info.user
    found = lacking(connection, [each.need for each in wanted]) if wanted else []
    said = (f"line {wanted[at].line}: {role} {_words(wanted[at].need, owner)}" for at, owner in found)
    return list(dict.fromkeys(said))[:TOLD]


def _words(need: Need, owner: str) -> str:
    name = ".".join(need.name)
    if owner:
        return f"does not own {name}, which belongs to {owner}"
    return TO_SAY[need.what].format(name) if need.what in TO_SAY else f"has no right to {need.what} on {name}"


def needs_of(data: bytes) -> list[Wanted]:
    """Of the file's own statements, up to the first after which rights may be others, or names mean others."""
    wanted: list[Wanted] = []
    hidden: set[Name] = set()  # behind a temporary table
    for each in parse(data):
        if not isinstance(each, Raw):
            break
        line = data.count(b"\n", 0, each.start) + 1
        needs = (need for need in _needs(each.kind, each.node) if need.name not in hidden and not _is_platform(need))
        wanted += [Wanted(line, need) for need in needs]
        if _may_change_rights(each.kind, each.node):
            break
        hidden |= {("public", name) for schema, name in _made(each.kind, each.node) if schema == "pg_temp"}
    return wanted


def _is_platform(need: Need) -> bool:
    """There a platform lets roles do what PostgreSQL's own rights do not tell (Supabase: policies on storage)."""
    return need.what != "be" and bool(need.name) and need.name[0] in PLATFORM_SCHEMAS


def _may_change_rights(kind: str, node: Node) -> bool:
    """Itself, or by what it calls."""
    if kind == "VariableSetStmt":
        return node.get("name") in BECOMES and "args" in node
    return kind in GIVES or bool(next(_below(node, "newowner"), None)) or (kind in CALLS and _calls(node))


def _calls(node: Node) -> bool:
    return bool(next(_below(node, "FuncCall"), None))


def _needs(kind: str, node: Node) -> Iterator[Need]:
    if kind in ALTERS and ALTERS[kind] in node:
        yield Need("own", relation(node[ALTERS[kind]]))
    if kind in WRITES:
        yield Need(WRITES[kind], relation(node["relation"]))
    if kind == "TruncateStmt":
        yield from (Need("TRUNCATE", relation(each["RangeVar"])) for each in node["relations"])
    if kind == "DropStmt" and not (node.get("missing_ok") and _may_be_missing(node["removeType"])):
        yield from (need for each in node["objects"] for need in _of(node["removeType"], each, "drop"))
    if kind == "CommentStmt":
        yield from _of(node["objtype"], node["object"], "own")
    if kind == "AlterEnumStmt":
        yield Need("own type", _name(node["typeName"]))
    yield from (Need("create in", (schema,)) for schema, _ in _made(kind, node) if schema != "pg_temp")
    yield from (Need("REFERENCES", relation(each)) for each in _below(node, "pktable"))
    yield from _roles(kind, node)


def _roles(kind: str, node: Node) -> Iterator[Need]:
    if kind in ROLES:
        yield Need("change roles")
    if kind == "CreateSchemaStmt":
        yield Need("create schema")
    if kind == "VariableSetStmt" and node.get("name") == "role" and "args" in node:
        yield Need("be", (node["args"][0]["A_Const"].get("sval", {}).get("sval", ""),))
    new = {"CreateSchemaStmt": "authrole", "AlterTableStmt": "newowner"}.get(kind, "")
    yield from (Need("be", (each["rolename"],)) for each in _below(node, new) if "rolename" in each)


def _may_be_missing(what: str) -> bool:
    """Whether IF EXISTS may skip it though what it is looked up by here is there."""
    return _is_part(what) or OTHERS.get(what.removeprefix("OBJECT_")) == "function"


def _is_part(what: str) -> bool:
    return what.removeprefix("OBJECT_") in PARTS


def _of(what: str, item: Node, verb: str) -> Iterator[Need]:
    """Of something that the grammar names with its kind: to own it, or to drop it, for which its schema's owner will
    do."""
    kind = what.removeprefix("OBJECT_")
    if kind == "SCHEMA":
        yield Need("own schema", (object_name(item)[1],))
    elif kind in OTHERS:
        yield Need(f"{verb} {OTHERS[kind]}", object_name(item))
    elif kind in RELATIONS:
        yield Need(verb, _name(item["List"]["items"]))
    elif _is_part(what):
        yield Need("own", _name(item["List"]["items"][:-1]))


def _made(kind: str, node: Node) -> Iterator[Name]:
    if kind in MAKES:
        yield relation(node[MAKES[kind]])
    elif kind in NAMED:
        yield _name(node[NAMED[kind]])
    elif kind == "CreateTableAsStmt":
        yield relation(node["into"]["rel"])


def _name(parts: list[Node]) -> Name:
    return dotted(strings(parts))


def _below(node: Any, key: str) -> Iterator[Node]:
    stack = [node]
    while stack:
        each = stack.pop()
        if isinstance(each, dict):
            stack += each.values()
            if isinstance(each.get(key), dict):
                yield each[key]
        elif isinstance(each, list):
            stack += each
