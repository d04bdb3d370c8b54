"""How many rows one comparison chooses, as far as its text tells. A form that is not known chooses many.

In: an expression with an operator, the target. Out: EVERY, MANY or FEW.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from migrations_registry.analysis.parsing.nodes import constant, strings
from migrations_registry.analysis.parsing.parser import Node

FEW, MANY, EVERY = 0, 1, 2
KEYS = {"id", "uuid", "guid", "pk", "key", "ctid", "tableoid", "xmin", "cmin"}
# Columns besides those whose value names one thing, by their names; a status, a type or a flag never does.
_NAMES = """code domain email filename handle host hostname isbn login name nickname no number path reference sku slug
subdomain token url username version version_num"""
_NAMING = frozenset(_NAMES.split())
# The same behind the table's own word (`order_number` in `orders`; `country_code` is another thing's), or one of these.
_ENDS = "code email guid key name no number ref slug token uuid"
_ANYTHINGS = "access api external file host invite iso login phone public serial short tracking"
_NAMING_ENDS, _OF_ANYTHING = frozenset(_ENDS.split()), frozenset(_ANYTHINGS.split())
_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}
_LARGE = 1_000_000
_BRANCHES = (dict, list)
_LOWEST, _HIGHEST = "2000-01-01", "2100-01-01"
_NOW = {"now", "clock_timestamp", "statement_timestamp", "transaction_timestamp"}
_FOLDED = {"lower", "upper", "trim", "btrim"}
_SIZES = {"length", "char_length", "octet_length", "abs", "cardinality", "coalesce"}


def compare(node: Node, target: Node, others: bool) -> int:
    """`target`: its RangeVar; `others`: whether the statement names more relations."""
    if node["kind"] in ("AEXPR_IN", "AEXPR_OP_ANY"):
        return _one_of(node, _own(target))
    if node["kind"] in ("AEXPR_LIKE", "AEXPR_ILIKE", "AEXPR_SIMILAR"):
        pattern = _value(bare(node["rexpr"]))
        return MANY if isinstance(pattern, str) and pattern.strip("%") and node["name"] else EVERY
    if node["kind"] not in ("AEXPR_OP", "AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT"):
        return _between(node) if "BETWEEN" in node["kind"] else MANY
    sides = sides_of(node)
    operator, limit = _turned(node)[1:]
    if len(sides) == 2 and sides[0].keys() == sides[1].keys() and plain(sides[0]) == plain(sides[1]):
        return EVERY
    if node["kind"] == "AEXPR_DISTINCT":
        operator = "<>"
    if operator == "=":
        return _equal(sides, target, others)
    return EVERY if any(_is_no_limit(bare(side), operator, limit) for side in sides) else MANY


def _equal(sides: list[Node], target: Node, others: bool) -> int:
    """A column that names rows, and something that is no other relation's column."""
    left, right = (bare(side) for side in sides)
    own = _own(target)
    names = [name for side in (left, right) for name in columns(side)]
    if any(name[-1] == "tableoid" for name in names):
        return EVERY
    same = {name[-1] for name in columns(left)} & {name[-1] for name in columns(right)}
    if same and ("SubLink" in left or "SubLink" in right):
        return MANY
    if same and not others:
        of_another = any(len(name) > 1 and name[-2] not in own for name in names)
        return EVERY if not of_another else FEW if _names_rows(left, own) or _names_rows(right, own) else MANY
    joined = others and any(len(name) > 1 and name[-2] not in own for name in names)
    return FEW if (_names_rows(left, own) or _names_rows(right, own)) and not joined else MANY


def _own(target: Node) -> set[str]:
    return {target["relname"], target.get("alias", {}).get("aliasname", "")}


def _names_rows(side: Node, own: set[str]) -> bool:
    """A column alone that names its row: the key, one that is unique by its nature, `order_id` in `orders`."""
    inner = bare(side["FuncCall"]["args"][0]) if _called(side) in _FOLDED and "args" in side["FuncCall"] else side
    fields = strings(inner.get("ColumnRef", {}).get("fields", [])) or ["*"]
    if "ColumnRef" not in inner or (len(fields) > 1 and fields[-2] not in own):
        return False
    name = fields[-1].lower()
    thing, _, end = name.rpartition("_")
    thing, end = (name.removesuffix("id"), "id") if not thing and name.endswith("id") else (thing, end)
    words = (thing, f"{thing}s", f"{thing}es", f"{thing[:-1]}ies")
    is_own = bool(thing) and any(f"_{table.lower()}".endswith(tuple(f"_{word}" for word in words)) for table in own)
    names = end == "id" or end in _NAMING_ENDS
    return name in KEYS or name in _NAMING or (names and is_own) or (end in _NAMING_ENDS and thing in _OF_ANYTHING)


def ties(node: Node) -> bool:
    """`other_id = …`: two such together name one row of a table that ties others."""
    sides = [bare(side) for side in sides_of(node)] if node.get("kind") == "AEXPR_OP" else []
    names = [strings(side["ColumnRef"]["fields"])[-1:] for side in sides if "ColumnRef" in side]
    is_equal = strings(node.get("name", []))[-1:] == ["="]
    return is_equal and len(names) == 1 and any(name.lower().endswith(("_id", "id")) for name in names[0])


def _is_no_limit(what: Node, operator: str, limit: Any) -> bool:
    """A bound below everything, or above."""
    if operator in ("<>", "IS DISTINCT FROM"):
        return is_key(what)
    if isinstance(limit, int):
        low = limit <= 1 and (is_key(what) or _called(what) in _SIZES)
        return low if operator.startswith(">") else limit >= _LARGE and operator.startswith("<")
    if operator in ("~", "~*"):
        return limit in ("", ".*", "^", ".")
    if isinstance(limit, str):
        if operator in (">", ">="):
            return limit in ("", "-infinity") or limit[:3] == "(0," or ("0" <= limit[:1] <= "9" and limit <= _LOWEST)
        return operator in ("<", "<=") and (limit == "infinity" or ("0" <= limit[:1] <= "9" and limit >= _HIGHEST))
    return False


def _between(node: Node) -> int:
    items = [_value(bare(item)) for item in node["rexpr"]["List"]["items"]]
    low, high = (_is_no_limit(bare(node["lexpr"]), sign, item) for sign, item in zip((">=", "<="), items, strict=False))
    return EVERY if (low and high) or (node["kind"].startswith("AEXPR_NOT") and is_key(node["lexpr"])) else MANY


def _one_of(node: Node, own: set[str]) -> int:
    """IN (…) and = ANY (…): few where keys are listed; every one where the column itself is among them."""
    right = node["rexpr"]
    inside = list(columns(right))
    if any(name[-1] == own[-1] for name in inside for own in columns(node["lexpr"])):
        return EVERY
    if strings(node["name"])[-1] != "=":
        return EVERY if is_key(node["lexpr"]) else MANY
    return FEW if _called(bare(right)) != "array" and _names_rows(bare(node["lexpr"]), own) else MANY


def comparison(node: Node) -> tuple[str, str, Any]:
    """(what is compared, operator, constant), the constant on the right."""
    sides, operator, value = _turned(node)
    return "" if len(sides) < 2 else str(plain(sides[0])), operator, value


def _turned(node: Node) -> tuple[list[Node], str, Any]:
    """Its sides, operator and constant, the constant on the right."""
    sides, operator = sides_of(node), strings(node["name"])[-1]
    if len(sides) < 2:
        return sides, operator, None
    if "A_Const" in bare(sides[0]):
        sides, operator = sides[::-1], _FLIPPED.get(operator, operator)
    return sides, "<>" if operator == "!=" else operator, _value(bare(sides[1]))


def _value(node: Node) -> Any:
    if "A_Const" in node:
        return constant(node["A_Const"])
    if "A_Expr" in node and "lexpr" not in node["A_Expr"] and "A_Const" in node["A_Expr"].get("rexpr", {}):
        value = constant(node["A_Expr"]["rexpr"]["A_Const"])
        return -value if isinstance(value, int) and strings(node["A_Expr"]["name"]) == ["-"] else value
    if "SQLValueFunction" in node or _called(node) in _NOW:
        return _HIGHEST  # nothing was written later than now
    return None


def sides_of(node: Node) -> list[Node]:
    """Left and right, as far as the operator has them."""
    return [node[side] for side in ("lexpr", "rexpr") if side in node]


def is_key(expression: Node) -> bool:
    """Whether a column of it is one that no row lacks, by its name."""
    return any(name[-1].lower() in KEYS for name in columns(expression))


def columns(expression: Node) -> Iterator[list[str]]:
    """Names of the columns in an expression."""
    stack: list[Any] = [expression]
    while stack:
        current = stack.pop()
        if type(current) is dict:
            if "ColumnRef" in current:
                yield strings(current["ColumnRef"]["fields"]) or ["*"]
            stack += [child for child in current.values() if type(child) in _BRANCHES]
        elif type(current) is list:
            stack += current


def bare(expression: Node) -> Node:
    """Without casts."""
    while "TypeCast" in expression:
        expression = expression["TypeCast"]["arg"]
    return expression


def _called(expression: Node) -> str:
    return strings(expression["FuncCall"]["funcname"])[-1] if "FuncCall" in expression else ""


def plain(node: Any) -> Any:
    """Without the places in the text."""
    if isinstance(node, dict):
        return {key: plain(child) for key, child in node.items() if key != "location"}
    return [plain(child) for child in node] if isinstance(node, list) else node
