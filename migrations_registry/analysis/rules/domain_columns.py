"""A new column whose type is a domain with a constraint, or may be one."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, REWRITE, Name, label
from migrations_registry.analysis.parsing.nodes import dotted, strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.type_changes import is_builtin_type
from migrations_registry.analysis.rule_registry import rule
from migrations_registry.analysis.state import State

DOMAIN_COLUMN = rule(
    "ML-DOMAIN-COL",
    REWRITE,
    "a column of {domain}, which {why}, writes all of {name} anew even without a default, while nobody can use it",
    "Use the base type and ADD CONSTRAINT … CHECK … NOT VALID, then VALIDATE.",
    lock=AX,
    rewrite=True,
    scan=True,
    bad=("CREATE DOMAIN x AS int CHECK (value > 0); ALTER TABLE orders ADD COLUMN x x",),
    good=("CREATE DOMAIN x AS int; ALTER TABLE orders ADD COLUMN x x",),
)


def domain_column(column: Node, name: Name, state: State) -> None:
    """ADD COLUMN of a type that no built-in, no live catalog and no statement of the file explains."""
    domain = dotted(strings(column.get("typeName", {}).get("names", [])) or ["?"])
    if why := _constrained(domain, column, state):
        state.see(DOMAIN_COLUMN, name=label(name), domain=label(domain), why=why)


def _constrained(domain: Name, column: Node, state: State) -> str:
    """Why the type counts as a domain with a constraint."""
    if "typeName" not in column or "arrayBounds" in column["typeName"]:
        return ""
    if domain in state.constrained_domains or (state.facts and domain in state.facts.domains):
        return "is a domain with a constraint"
    known = state.facts is not None or domain in state.made_types.keys() | state.plain_types or is_builtin_type(domain)
    known = known or "enum" in domain[1].lower().split("_")  # so it calls itself
    return "" if known else "may be a domain with a constraint"
