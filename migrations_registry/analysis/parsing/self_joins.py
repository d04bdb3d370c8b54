"""A statement that joins its target with itself: what it asks of the other copy of a row, it asks of the row.

In: UPDATE, MERGE. Out: the condition as it reads for the target alone, and whether other relations are left in it.
"""

from __future__ import annotations

from typing import Any

from migrations_registry.analysis.parsing.comparisons import is_key, sides_of
from migrations_registry.analysis.parsing.nodes import relation, strings
from migrations_registry.analysis.parsing.parser import Node

_NARROWED = ("limitCount", "groupClause", "havingClause", "distinctClause", "valuesLists", "larg")


def of_itself(where: Node | None, node: Node, sources: list[Node]) -> tuple[Node | None, bool]:
    """`where`: how `sources` are joined to the target of `node`. False: nothing but the target's own rows is left."""
    target = node["relation"]
    own, parts, joined = target.get("alias", {}).get("aliasname", target["relname"]), _parts(where), False
    for source in sources:
        alias, inner = _copy_of(source, target, node) or ("", None)
        ties = [part for part in parts if alias and _ties(part, alias, own)]
        same_row = any(is_key(part) for part in ties)
        joined = joined or not same_row
        if same_row:
            parts = [_copied(part, alias, own) if _is_of(part, alias, own) else part for part in parts] + _parts(inner)
        elif inner is None:
            parts = [_copied(part, alias, own) if part in ties else part for part in parts]
    if not parts:
        return None, joined
    return (parts[0] if len(parts) == 1 else {"BoolExpr": {"boolop": "AND_EXPR", "args": parts}}), joined


def asks_others_only(where: Node, node: Node) -> bool:
    """Whether no part of it speaks of the target, so that it chooses either every row or none."""
    target = node["relation"]
    return not set(_qualifiers(where)) & {"", target["relname"], target.get("alias", {}).get("aliasname")}


def _parts(where: Node | None) -> list[Node]:
    both = (where or {}).get("BoolExpr", {})
    return both["args"] if both.get("boolop") == "AND_EXPR" else [where] if where else []


def _copy_of(source: Node, target: Node, node: Node) -> tuple[str, Node | None] | None:
    """The source's name and its own condition, where it is the target's rows and nothing else."""
    query, named = source.get("RangeSubselect", {}), source.get("RangeVar", {})
    alias = (query or named).get("alias", {}).get("aliasname") or named.get("relname")
    queries = {each["CommonTableExpr"]["ctename"]: each["CommonTableExpr"] for each in _with(node)}
    if "schemaname" not in named and named.get("relname") in queries:
        query = {"subquery": queries[named["relname"]]["ctequery"]}
    elif named:
        return (alias, None) if relation(named) == relation(target) else None
    select = query.get("subquery", {}).get("SelectStmt", {})
    tables = select.get("fromClause", [])
    if not alias or len(tables) != 1 or any(field in select for field in _NARROWED):
        return None
    table = tables[0].get("RangeVar")
    return (alias, select.get("whereClause")) if table and relation(table) == relation(target) else None


def _with(node: Node) -> list[Node]:
    return node.get("withClause", {}).get("ctes", [])


def _ties(part: Node, alias: str, own: str) -> bool:
    """`a.x = b.x`, which every row answers for itself."""
    sides = sides_of(part.get("A_Expr", {}))
    fields = [strings(side["ColumnRef"]["fields"]) for side in sides if "ColumnRef" in side]
    equal = strings(part.get("A_Expr", {}).get("name", [])) == ["="]
    return (
        equal and len(fields) == 2 and {each[0] for each in fields} == {alias, own} and fields[0][1:] == fields[1][1:]
    )


def _is_of(part: Node, alias: str, own: str) -> bool:
    """What asks of the other copy alone, or ties it; a row that is compared with another one keeps both names."""
    return set(_qualifiers(part)) == {alias} or _ties(part, alias, own)


def _qualifiers(tree: Any) -> list[str]:
    found, stack = [], [tree]
    while stack:
        current = stack.pop()
        if isinstance(current, list):
            stack += current
        elif isinstance(current, dict):
            fields = strings(current["ColumnRef"]["fields"]) if "ColumnRef" in current else []
            found += [fields[-2] if len(fields) > 1 else ""] if fields else []
            stack += current.values()
    return found


def _copied(tree: Any, alias: str, own: str) -> Any:
    if isinstance(tree, list):
        return [_copied(item, alias, own) for item in tree]
    if not isinstance(tree, dict):
        return tree
    fields = strings(tree["ColumnRef"]["fields"]) if "ColumnRef" in tree else []
    if len(fields) == 2 and fields[0] == alias:
        return {"ColumnRef": {"fields": [{"String": {"sval": name}} for name in (own, fields[1])]}}
    return {key: _copied(child, alias, own) for key, child in tree.items()}
