"""The UPDATE of a file that can run in batches: what it says, and the same with a condition on the key. Pure.

In: a file's bytes. Out: Batched, or Refused with what stands in the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from migrations_registry.analysis.parsing.nodes import relation
from migrations_registry.analysis.parsing.parser import Node, Raw, parse
from migrations_registry.analysis.parsing.splitter import words
from providers.errors import Refused

LOCATION = re.compile(r"(^|_)(location|len)$")


@dataclass(frozen=True)
class Batched:
    """`head`: up to its WHERE; `condition`: what stood behind that, empty where there was none.

    `alias`: the name under which its own text knows the table; `written`: the columns that it sets.
    """

    table: tuple[str, str]
    alias: str
    written: frozenset[str]
    head: bytes
    condition: bytes

    def where(self, keys: bytes) -> bytes:
        """The condition of one batch; what was written stays as it is, in brackets."""
        return b"(" + self.condition + b"\n) AND " + keys if self.condition else keys

    def text(self, keys: bytes) -> bytes:
        """The statement of one batch."""
        return self.head + b"\nWHERE " + self.where(keys)


def batched(data: bytes) -> Batched:
    """Raises Refused for whatever is not one UPDATE of one table that reads no other row of it."""
    statements = parse(data)
    only = statements[0] if len(statements) == 1 else None
    if not isinstance(only, Raw) or only.kind != "UpdateStmt":
        raise _refused("the file must hold one UPDATE and nothing else: put the other statements into files of theirs")
    if why := next(_obstacles(only.node), ""):
        raise _refused(why)
    found = _cut(data[only.start : only.end], only.node)
    if not _is_the_same(found, only.node):
        raise _refused("its WHERE cannot be told from the rest of its text")
    return found


def _obstacles(node: Node) -> Iterator[str]:
    if "withClause" in node:
        yield "it has a WITH clause: write what that says as a subquery"
    if "returningClause" in node or "returningList" in node:
        yield "it has RETURNING, which nobody would read"
    if "CurrentOfExpr" in node.get("whereClause", {}):
        yield "it updates where a cursor stands"
    if node["relation"].get("inh") is not True:
        yield "it says ONLY"
    own = node["relation"]["relname"]
    others = [each for part in ("targetList", "fromClause", "whereClause") for each in _tables(node.get(part))]
    if own in others:
        yield f"it reads {own} itself, of which earlier batches would have changed rows"


def _tables(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        if "RangeVar" in tree:
            yield tree["RangeVar"]["relname"]
        tree = list(tree.values())
    if isinstance(tree, list):
        for part in tree:
            yield from _tables(part)


def _cut(text: bytes, node: Node) -> Batched:
    start, end = next((place for place in words(text) if text[slice(*place)].lower() == b"where"), (len(text),) * 2)
    table = relation(node["relation"])
    written = frozenset(item["ResTarget"].get("name", "") for item in node["targetList"])
    alias = node["relation"].get("alias", {}).get("aliasname") or node["relation"]["relname"]
    return Batched((table[0], table[1]), alias, written, text[:start], text[end:])


def _is_the_same(found: Batched, node: Node) -> bool:
    """Parsed again, the statement of a batch is the file's own, with one more condition."""
    again = parse(found.text(b"(1) <= (1)"))
    if len(again) != 1 or not isinstance(again[0], Raw) or again[0].kind != "UpdateStmt":
        return False
    tree = dict(again[0].node)
    where = tree.pop("whereClause", {})
    if "whereClause" in node:
        both = where.get("BoolExpr", {})
        if both.get("boolop") != "AND_EXPR" or _bare(_first(both["args"], node["whereClause"])) != _bare(
            node["whereClause"]
        ):
            return False
    return _bare(tree) == _bare({name: part for name, part in node.items() if name != "whereClause"})


def _first(args: list[Node], original: Node) -> Node:
    """The grammar lays an AND in brackets flat into the one around it."""
    inner = original.get("BoolExpr", {})
    if inner.get("boolop") == "AND_EXPR" and len(args) > 2:
        return {"BoolExpr": {**inner, "args": args[:-1]}}
    return args[0]


def _bare(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: _bare(part) for name, part in tree.items() if not LOCATION.search(name)}
    return [_bare(part) for part in tree] if isinstance(tree, list) else tree


def _refused(why: str) -> Refused:
    return Refused(f"It cannot run in batches: {why}. Nothing was requested.")
