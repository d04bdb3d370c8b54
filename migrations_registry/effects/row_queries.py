"""Questions that tell beforehand how many rows an UPDATE or DELETE with a condition will touch.

In: a file, what is known of its target. Out: per statement a SELECT count(*), where asking it is safe and its answer
holds: built-in types, operators and functions only, tables that no earlier statement of the file has touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from migrations_registry.analysis.facts import CatalogFacts, TableFacts
from migrations_registry.analysis.model import OPAQUE
from migrations_registry.analysis.parsing.conditions import always_true
from migrations_registry.analysis.parsing.nodes import relation, strings
from migrations_registry.analysis.parsing.parser import Node, Raw, parse
from migrations_registry.analysis.state import State
from migrations_registry.effects.model import DELETED, UPDATED
from migrations_registry.effects.text.follow import statement_allowances
from migrations_registry.effects.text.names import Scope

_CLAUSES = {
    "DeleteStmt": ("delete_stmt", "using_clause", DELETED),
    "UpdateStmt": ("update_stmt", "from_clause", UPDATED),
}
_PLAIN = re.compile(
    r"(text|uuid|integer|bigint|smallint|boolean|date|real|double precision|bytea|inet|interval|jsonb?"
    r"|(numeric|character varying|character|timestamp|time)\b[^\[]*)(\[\])?"
)
_EXPRESSIONS = """ColumnRef A_Const A_Expr BoolExpr NullTest BooleanTest FuncCall SubLink SelectStmt RangeVar JoinExpr
List String Integer Float ResTarget TypeCast TypeName CaseExpr CaseWhen CoalesceExpr A_ArrayExpr RowExpr
SQLValueFunction MinMaxExpr A_Star"""
_CALLS = """now lower upper length abs date_trunc age btrim ltrim rtrim starts_with left right round floor ceil mod
array_length cardinality to_date count max min sum"""
_NODES, _FUNCTIONS = frozenset(_EXPRESSIONS.split()), frozenset(_CALLS.split())


@dataclass(frozen=True, slots=True)
class RowQuery:
    """Of the statement at this place in the file: what it does to which table, and the question."""

    statement: int
    verb: str
    table: str
    text: str


def row_queries(data: bytes, facts: CatalogFacts) -> Iterator[RowQuery]:
    """For each statement that can be counted beforehand; ends where nobody can follow any more."""
    state, scope = State(assume_in_transaction=True), Scope()
    touched: set[str] = set()
    for at, item in enumerate(parse(data)):
        if not isinstance(item, Raw):
            return
        state.source = data[item.start : item.end].decode()
        said = statement_allowances(item, state, scope)
        query = _query(item, state.source, facts) if item.kind in _CLAUSES and scope == Scope() else None
        if query and not touched & {"", *query[1]}:
            yield RowQuery(at, _CLAUSES[item.kind][2], ".".join(relation(item.node["relation"])), query[0])
        if any(finding.severity == OPAQUE for finding in state.findings):
            return
        touched |= {each.name[1] if len(each.name) > 1 else "" for each in said}


def _query(item: Raw, source: str, facts: CatalogFacts) -> tuple[str, list[str]] | None:
    """The question and the names of the tables in it."""
    where = item.node.get("whereClause")
    if where is None or always_true(where) or "withClause" in item.node:
        return None
    clauses = [item.node[name] for name in ("whereClause", "usingClause", "fromClause") if name in item.node]
    asked = [*clauses, {"RangeVar": item.node["relation"]}]
    inner = [pair for clause in asked for pair in _walk(clause)]
    tables = [facts.tables.get(relation(node)) for kind, node in inner if kind == "RangeVar"]
    if not all(_is_plain(kind, node) for kind, node in inner) or not all(table and table.bytes for table in tables):
        return None
    if not all(_is_known(node, [table for table in tables if table]) for kind, node in inner if kind == "ColumnRef"):
        return None
    return _text(item, source), [node["relname"] for kind, node in inner if kind == "RangeVar"]


def _walk(node: Any) -> Iterator[tuple[str, Node]]:
    """Every node below with its kind, as the grammar names them: those with a capital letter."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, list):
            stack += current
        elif isinstance(current, dict):
            yield from (
                (kind, inner) for kind, inner in current.items() if kind[:1].isupper() and isinstance(inner, dict)
            )
            stack += current.values()


def _is_plain(kind: str, node: Node) -> bool:
    if kind == "FuncCall":
        names = strings(node["funcname"])
        return names[-1] in _FUNCTIONS and names[:-1] in ([], ["pg_catalog"])
    if kind == "A_Expr":
        return len(node["name"]) == 1
    if kind == "TypeCast":
        return strings(node["typeName"]["names"])[:-1] in ([], ["pg_catalog"])
    if kind == "SelectStmt":
        return not {"withClause", "intoClause", "lockingClause"} & node.keys()
    return kind in _NODES


def _is_known(column: Node, tables: list[TableFacts]) -> bool:
    """A column whose type PostgreSQL ships: no operator of somebody else can be meant."""
    names = strings(column["fields"])
    if len(names) != len(column["fields"]):
        return "A_Star" in column["fields"][-1] and not names
    types = [table.columns[names[-1]].type for table in tables if names[-1] in table.columns]
    return bool(types) and all(_PLAIN.fullmatch(each) for each in types)


def _text(item: Raw, source: str) -> str:
    """Rebuilt from the tree, every relation with its schema."""
    import postgast

    field, more, _ = _CLAUSES[item.kind]
    statement = getattr(postgast.parse(source).stmts[0].stmt, field)
    question = postgast.parse("SELECT count(*)")
    select = question.stmts[0].stmt.select_stmt
    select.from_clause.add().range_var.CopyFrom(statement.relation)
    for beside in getattr(statement, more):
        select.from_clause.add().CopyFrom(beside)
    select.where_clause.CopyFrom(statement.where_clause)
    _qualify(question)
    return postgast.deparse(question)


def _qualify(message: Any) -> None:
    """What has no schema is meant in public, where the facts know it."""
    if message.DESCRIPTOR.name == "RangeVar" and not message.schemaname:
        message.schemaname = "public"
    for field, value in message.ListFields():
        if field.message_type:
            for inner in value if isinstance(value, Sequence) else [value]:
                _qualify(inner)
