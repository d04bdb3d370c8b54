"""Which PostgreSQL a statement's syntax needs (release notes and grammars of 12 to 18). Pure.

In: a statement's node. Out: major versions, each with the words that need it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from migrations_registry.analysis.parsing.nodes import DML, options, value
from migrations_registry.analysis.parsing.parser import Node

Needed = tuple[int, str]
# A node or field whose mere presence needs a version.
_PRESENT: dict[str, Needed] = {
    "ReturningOption": (18, "RETURNING WITH (OLD, NEW)"),
    "without_overlaps": (18, "WITHOUT OVERLAPS"),
    "fk_with_period": (18, "PERIOD in a foreign key"),
    "alterEnforceability": (18, "ALTER CONSTRAINT … ENFORCED"),
    "alterInheritability": (18, "ALTER CONSTRAINT … INHERIT"),
    "JsonTable": (17, "JSON_TABLE"),
    "JsonFuncExpr": (17, "JSON_EXISTS, JSON_QUERY and JSON_VALUE"),
    "JsonParseExpr": (17, "JSON()"),
    "JsonScalarExpr": (17, "JSON_SCALAR"),
    "JsonSerializeExpr": (17, "JSON_SERIALIZE"),
    "JsonObjectConstructor": (16, "JSON_OBJECT with colons or VALUE"),
    "JsonArrayConstructor": (16, "JSON_ARRAY"),
    "JsonArrayQueryConstructor": (16, "JSON_ARRAY"),
    "JsonObjectAgg": (16, "JSON_OBJECTAGG"),
    "JsonArrayAgg": (16, "JSON_ARRAYAGG"),
    "JsonIsPredicate": (16, "IS JSON"),
    "storage_name": (16, "STORAGE of a new column"),
    "MergeStmt": (15, "MERGE"),
    "AlterDatabaseRefreshCollStmt": (15, "REFRESH COLLATION VERSION"),
    "nulls_not_distinct": (15, "NULLS NOT DISTINCT"),
    "fk_del_set_cols": (15, "ON DELETE SET … with columns"),
    "search_clause": (14, "SEARCH in a recursive query"),
    "cycle_clause": (14, "CYCLE in a recursive query"),
    "sql_body": (14, "a function body without quotes"),
    "join_using_alias": (14, "an alias of JOIN … USING"),
    "compression": (14, "COMPRESSION"),
    "groupDistinct": (14, "GROUP BY DISTINCT"),
}
# A field with a certain text.
_VALUES: dict[tuple[str, str], Needed] = {
    ("generated_kind", "v"): (18, "a VIRTUAL computed column"),
    ("contype", "CONSTR_ATTR_NOT_ENFORCED"): (18, "NOT ENFORCED"),
    ("contype", "CONSTR_ATTR_ENFORCED"): (18, "ENFORCED"),
    ("subtype", "AT_SetExpression"): (17, "SET EXPRESSION"),
    ("matchKind", "MERGE_WHEN_NOT_MATCHED_BY_SOURCE"): (17, "MERGE … NOT MATCHED BY SOURCE"),
    ("priv_name", "maintain"): (17, "the privilege MAINTAIN"),
    ("eventname", "login"): (17, "an event trigger on login"),
    ("subtype", "AT_SetAccessMethod"): (15, "SET ACCESS METHOD"),
    ("pubobjtype", "PUBLICATIONOBJ_TABLES_IN_SCHEMA"): (15, "a publication of a schema's tables"),
    ("objtype", "OBJECT_PARAMETER_ACL"): (15, "GRANT … ON PARAMETER"),
    ("subtype", "AT_DetachPartitionFinalize"): (14, "DETACH PARTITION … FINALIZE"),
    ("subtype", "AT_SetCompression"): (14, "SET COMPRESSION"),
    ("subtype", "AT_DropExpression"): (13, "DROP EXPRESSION"),
    ("limitOption", "LIMIT_OPTION_WITH_TIES"): (13, "FETCH … WITH TIES"),
    ("generated_kind", "s"): (12, "a STORED computed column"),
    ("ctematerialized", "CTEMaterializeAlways"): (12, "WITH … AS MATERIALIZED"),
    ("ctematerialized", "CTEMaterializeNever"): (12, "WITH … AS NOT MATERIALIZED"),
}
_TEXTS = frozenset(field for field, _ in _VALUES)
# Options in brackets, by the command that takes them.
_OPTIONS: dict[str, dict[str, int]] = {
    "CopyStmt": {"reject_limit": 18, "on_error": 17, "log_verbosity": 17, "default": 16},
    "ExplainStmt": {"memory": 17, "serialize": 17, "generic_plan": 16, "wal": 13, "settings": 12},
    "VacuumStmt": {
        **dict.fromkeys(("process_main", "skip_database_stats", "only_database_stats", "buffer_usage_limit"), 16),
        "process_toast": 14,
        "parallel": 13,
    },
    "GrantRoleStmt": {"inherit": 16, "set": 16},
    "ViewStmt": {"security_invoker": 15},
    "CreatedbStmt": {"builtin_locale": 17, "icu_rules": 16, "strategy": 15, "locale_provider": 15},
    "ReindexStmt": {"tablespace": 14, "concurrently": 12},
    "DropdbStmt": {"force": 13},
}
_SETTINGS = {"transaction_timeout": 17, "event_triggers": 17, "idle_session_timeout": 14}


def needed(kind: str, node: Node, *, is_body: bool = False) -> Iterator[Needed]:
    """What not every version reads, in no particular order; `is_body`: `new` and `old` may be a trigger's rows."""
    if kind in DML and not is_body and "returningClause" in node and _returns_old_or_new(node):
        yield 18, "old or new in RETURNING"
    stack: list[Node] = [{kind: node}]
    while stack:
        for key, child in stack.pop().items():
            if key in _PRESENT:
                yield _PRESENT[key]
            if type(child) is dict:
                stack.append(child)
                if key in _READERS:
                    yield from _READERS[key](child)
                elif key in _OPTIONS:
                    yield from _bracketed(key, child)
            elif type(child) is list:
                stack += [item for item in child if type(item) is dict]
            elif key in _TEXTS and (key, child) in _VALUES:
                yield _VALUES[key, child]


def _bracketed(kind: str, node: Node) -> Iterator[Needed]:
    for field in ("options", "params", "opt"):
        for name in options(node.get(field, [])):
            if name in _OPTIONS[kind]:
                yield _OPTIONS[kind][name], name.upper()


def _returns_old_or_new(node: Node) -> bool:
    """`old.x` and `new.x`, unless a relation of the statement goes by that name."""
    named, wanted, stack = set(), set(), [node]
    while stack:
        current: Any = stack.pop()
        if isinstance(current, list):
            stack += current
        elif isinstance(current, dict):
            named |= {current.get(field) for field in ("aliasname", "relname", "ctename")}
            fields = current["ColumnRef"]["fields"] if "ColumnRef" in current else []
            wanted |= {fields[0].get("String", {}).get("sval")} if len(fields) > 1 else set()
            stack += current.values()
    return bool((wanted & {"old", "new"}) - named)


def _constraint(node: Node) -> Iterator[Needed]:
    contype = node["contype"]
    if contype in ("CONSTR_CHECK", "CONSTR_FOREIGN") and not node.get("is_enforced"):
        yield 18, "NOT ENFORCED"
    elif contype == "CONSTR_NOTNULL" and "keys" in node:
        yield 18, "NOT NULL as a constraint of the table"


def _command(node: Node) -> Iterator[Needed]:
    """ALTER TABLE: what is only told by what stands beside the verb."""
    subtype, definition = node["subtype"], node.get("def", {})
    if (subtype == "AT_SetAccessMethod" and "name" not in node) or (subtype == "AT_SetStatistics" and not definition):
        yield 17, "DEFAULT instead of a value"
    elif definition.get("PartitionCmd", {}).get("concurrent"):
        yield 14, "DETACH PARTITION … CONCURRENTLY"
    elif subtype == "AT_SetStorage" and value(definition) == "default":
        yield 16, "SET STORAGE DEFAULT"
    elif subtype == "AT_SetRelOptions" and "security_invoker" in options(definition["List"]["items"]):
        yield 15, "SECURITY_INVOKER"


def _setting(node: Node) -> Iterator[Needed]:
    if node.get("name", "").lower() in _SETTINGS:
        yield _SETTINGS[node["name"].lower()], node["name"].lower()


_ONLY_IF: dict[str, tuple[Callable[[Node], bool], Needed]] = {
    "RangeSubselect": (lambda node: "alias" not in node, (16, "a subquery in FROM without a name")),
    "VacuumRelation": (lambda node: not node.get("relation", {"inh": True}).get("inh"), (18, "VACUUM ONLY")),
    "CreateTrigStmt": (lambda node: bool(node.get("replace")), (14, "OR REPLACE of a trigger")),
    "CreateStatsStmt": (lambda node: "defnames" not in node, (16, "statistics without a name")),
    "pubtable": (lambda node: bool({"columns", "whereClause"} & node.keys()), (15, "a publication of part of a table")),
}


def _when(key: str) -> Callable[[Node], Iterator[Needed]]:
    applies, found = _ONLY_IF[key]
    return lambda node: iter([found] if applies(node) else [])


_READERS: dict[str, Callable[[Node], Iterator[Needed]]] = {
    "Constraint": _constraint,
    "AlterTableCmd": _command,
    "VariableSetStmt": _setting,
    **{key: _when(key) for key in _ONLY_IF},
}
