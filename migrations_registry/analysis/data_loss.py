"""What statements of a file destroy: tables, schemas, types, or nobody can tell. Pure.

In: an analysis, the syntax trees and which statements. Out: Destroyed; a catalogue says which tables that reaches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from migrations_registry.analysis.model import DESTRUCTIVE, OPAQUE, RX, STRENGTH, Analysis, Statement
from migrations_registry.analysis.parsing.nodes import dotted, relation, strings
from migrations_registry.analysis.parsing.parser import Node, Raw, Unparsed
from migrations_registry.analysis.risk import DEFAULT_POLICY, Policy, severity_of

_ROWS = {"MD-TRUNCATE", "MD-DELETE-ALL", "MD-DELETE", "MD-UPDATE-ALL", "MD-MERGE-DELETE", "MX-CTE-DML"}
_ANYTHING = {"MD-DROP-OWNED", "MD-SYSTEM-CATALOG", "MD-CATALOG-MODS"}
_NAMES_ITS_VICTIMS = {"DropStmt", "TruncateStmt", "AlterTableStmt"}
_TYPES = {"OBJECT_TYPE", "OBJECT_DOMAIN"}


@dataclass(frozen=True, slots=True)
class Destroyed:
    """Names as schema.name. `rows`: referring rows may follow by their keys' actions; `truncates`: by any key."""

    tables: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    everything: bool = False
    rows: bool = False
    truncates: bool = False

    def __bool__(self) -> bool:
        return bool(self.tables or self.schemas or self.types or self.everything)


def destroyed(
    analysis: Analysis, trees: Sequence[Raw | Unparsed], wanted: Iterable[int], policy: Policy = DEFAULT_POLICY
) -> Destroyed:
    """What the `wanted` statements (by their place in the file) destroy together."""
    parts = [_of(analysis.statements[at], trees[at], policy) for at in wanted]
    return Destroyed(
        tables=tuple(sorted({name for part in parts for name in part.tables})),
        schemas=tuple(sorted({name for part in parts for name in part.schemas})),
        types=tuple(sorted({name for part in parts for name in part.types})),
        everything=any(part.everything for part in parts),
        rows=any(part.rows for part in parts),
        truncates=any(part.truncates for part in parts),
    )


def _of(statement: Statement, tree: Raw | Unparsed, policy: Policy) -> Destroyed:
    severities = {severity_of(finding, policy) for finding in statement.findings}
    if not severities & {DESTRUCTIVE, OPAQUE}:
        return Destroyed()
    node: Node = tree.node if isinstance(tree, Raw) else {}
    rules = {finding.rule for finding in statement.findings}
    existing = [touched for touched in statement.objects if not touched.is_new and not touched.beside]
    hidden = statement.kind not in _NAMES_ITS_VICTIMS
    unseen = hidden and bool(rules & {"MD-CASCADE", "MD-DROP-SCHEMA-CASCADE", "MC-ALTER-TYPE"})
    return Destroyed(
        tables=tuple(".".join(touched.name) for touched in existing if STRENGTH[touched.lock] >= STRENGTH[RX]),
        schemas=_dropped(node, {"OBJECT_SCHEMA"}),
        types=_dropped(node, _TYPES) + _loses_attributes(node),
        everything=OPAQUE in severities or bool(rules & _ANYTHING) or unseen or _takes_columns_unseen(node),
        rows=bool(rules & _ROWS),
        truncates="MD-TRUNCATE" in rules and "MD-CASCADE" in rules,
    )


def _dropped(node: Node, kinds: set[str]) -> tuple[str, ...]:
    """The objects of these kinds that a DROP names."""
    if node.get("removeType") not in kinds:
        return ()
    return tuple(_name(item) for item in node["objects"])


def _loses_attributes(node: Node) -> tuple[str, ...]:
    """The type of ALTER TYPE … DROP ATTRIBUTE, whose columns lose a part of each value."""
    is_type = node.get("objtype") == "OBJECT_TYPE" and "cmds" in node
    drops = is_type and any(item["AlterTableCmd"]["subtype"] == "AT_DropColumn" for item in node["cmds"])
    return (".".join(relation(node["relation"])),) if drops else ()


def _name(item: Node) -> str:
    if "String" in item:
        return str(item["String"]["sval"])
    parts = item["TypeName"]["names"] if "TypeName" in item else item["List"]["items"]
    return ".".join(dotted(strings(parts)))


def _takes_columns_unseen(node: Node) -> bool:
    """DROP EXTENSION … CASCADE drops columns of the extension's types; the syntax tree does not name them."""
    return node.get("removeType") == "OBJECT_EXTENSION" and node.get("behavior") == "DROP_CASCADE"
