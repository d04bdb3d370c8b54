"""Enums, domains, composite types."""

from __future__ import annotations

from migrations_registry.analysis.model import (
    BLOCKING,
    COMPATIBILITY,
    CONVENTION,
    DESTRUCTIVE,
    EXECUTION,
    SH,
    Name,
    label,
)
from migrations_registry.analysis.parsing.nodes import dotted, relation, strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on, rule
from migrations_registry.analysis.state import State

DOMAIN_CONSTRAINT = rule(
    "ML-DOMAIN-CONSTRAINT",
    BLOCKING,
    "checks every table that uses domain {name} while their writers wait, and fails if a value does not fit",
    "ALTER DOMAIN … ADD CONSTRAINT … NOT VALID binds new values at once and reads nothing; at VALIDATE CONSTRAINT "
    "writers wait all the same, so at a quiet hour.",
    lock=SH,
    scan=True,
    bad=(
        "ALTER DOMAIN score ADD CONSTRAINT x CHECK (value > -1)",
        "ALTER DOMAIN score SET NOT NULL",
        "ALTER DOMAIN score ADD CONSTRAINT x CHECK (value > -1) NOT VALID; ALTER DOMAIN score VALIDATE CONSTRAINT x",
    ),
    good=("ALTER DOMAIN score ADD CONSTRAINT x CHECK (value > -1) NOT VALID", "CREATE DOMAIN x AS text"),
)
CREATE_DOMAIN = rule(
    "MC-CREATE-DOMAIN",
    COMPATIBILITY,
    "domain {name} carries a constraint: each column added with it writes its table anew, and changing the "
    "constraint checks every table that uses it",
    "The base type with a CHECK on the table.",
    bad=("CREATE DOMAIN x AS numeric CHECK (value > 0)",),
    good=("CREATE DOMAIN x AS text", "CREATE DOMAIN x AS int CHECK (value > 0); CREATE TABLE y (a x)"),
)
DOMAIN_LOOSENED = rule(
    "MC-DOMAIN-CHANGE",
    COMPATIBILITY,
    "domain {name} lets in more than before, or has another name: code that counts on it meets what it does not "
    "expect, or fails",
    "Deploy code that copes with it first.",
    bad=("ALTER DOMAIN positive DROP CONSTRAINT positive_check", "ALTER DOMAIN score DROP NOT NULL"),
    good=("CREATE DOMAIN x AS text",),
)
RENAME_ENUM = rule(
    "MC-RENAME-ENUM",
    COMPATIBILITY,
    "renames value {old} of {name} to {new}: code that writes or compares {old} fails",
    "Add the new value, move the rows, deploy, keep the old one.",
    bad=("ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'",),
    good=("ALTER TYPE mood ADD VALUE 'calm'", "CREATE TYPE x AS ENUM ('a'); ALTER TYPE x RENAME VALUE 'a' TO 'b'"),
)
ADD_VALUE = rule(
    "MC-ENUM-ADD-VALUE",
    CONVENTION,
    "adds {value} to the values of {name}; it cannot be taken back",
    "Nothing to do, but do not use it in the same transaction.",
    versions="in a transaction since 12",
    bad=("ALTER TYPE mood ADD VALUE 'calm'",),
    good=("CREATE TYPE x AS ENUM ('a')",),
)
ENUM_IN_OLD = rule(
    "MT-ENUM-ADD-IN-TX",
    EXECUTION,
    "ALTER TYPE … ADD VALUE cannot run in a transaction before PostgreSQL 12: the server refuses, and nothing of the "
    "file stays",
    "Run it alone.",
    versions="before 12",
    bad=("BEGIN; ALTER TYPE mood ADD VALUE 'calm'; COMMIT",),
    good=("ALTER TYPE mood ADD VALUE 'calm'",),
)
COMPOSITE = rule(
    "MC-ALTER-TYPE",
    COMPATIBILITY,
    "changes type {name} in every column and function that uses it{lost}: code that knows its parts as they were fails",
    "Create a new type beside it, deploy code that uses it, drop the old one.",
    bad=("ALTER TYPE pair DROP ATTRIBUTE b", "ALTER TYPE pair ALTER ATTRIBUTE b TYPE text"),
    good=(
        "CREATE TYPE x AS (a int)",
        "ALTER TYPE pair ADD ATTRIBUTE c int",
        "CREATE TYPE x AS (a int, b int); ALTER TYPE x DROP ATTRIBUTE b",
    ),
)


@on("AlterEnumStmt")
def alter_enum(node: Node, state: State) -> None:
    """ALTER TYPE … ADD VALUE, RENAME VALUE."""
    enum = dotted(strings(node["typeName"]))
    name = label(enum)
    if "oldVal" in node:
        if enum not in state.made_types:
            state.see(RENAME_ENUM, name=name, old=f"'{node['oldVal']}'", new=f"'{node['newVal']}'")
        return
    state.see(ADD_VALUE, name=name, value=f"'{node['newVal']}'")
    if state.in_transaction:
        if state.made_types.get(enum) != state.transaction:  # values of an enum of the same transaction may be used
            state.enum_values[node["newVal"]] = (enum, state.transaction)
        if state.pg_version < 12:
            state.see(ENUM_IN_OLD)


@on("CreateDomainStmt")
def create_domain(node: Node, state: State) -> None:
    """CREATE DOMAIN, with a constraint or as another name of a type; what it is for, is seen where the file uses it."""
    kinds = {item["Constraint"]["contype"] for item in node.get("constraints", [])}
    name = dotted(strings(node["domainname"]))
    if not kinds & {"CONSTR_CHECK", "CONSTR_NOTNULL"} and not state.hidden:
        state.plain_domains[name] = node["typeName"]
    elif kinds & {"CONSTR_CHECK", "CONSTR_NOTNULL"}:
        state.constrained_domains.add(name)
        state.see(CREATE_DOMAIN, CONVENTION if ("type", name) in state.uses else None, name=label(name))


@on("AlterDomainStmt")
def alter_domain(node: Node, state: State) -> None:
    """ALTER DOMAIN: C adds a constraint, O sets and N drops NOT NULL, X drops a constraint, V validates."""
    domain = dotted(strings(node["typeName"]))
    name = label(domain)
    if node["subtype"] in ("C", "O"):
        state.constrained_domains.add(domain)
        state.plain_domains.pop(domain, None)
    if _is_unused(domain, state):
        return
    if (node["subtype"] == "C" and not node["def"]["Constraint"].get("skip_validation")) or node["subtype"] in (
        "O",
        "V",
    ):
        state.see(DOMAIN_CONSTRAINT, name=name)
    elif node["subtype"] in ("N", "X"):
        state.see(DOMAIN_LOOSENED, name=name)


def _is_unused(domain: Name, state: State) -> bool:
    """The file makes it, and no older column is of it, or of a type that the file makes of it."""
    own = {name[1] for name in state.made_types}
    older = {kind.rpartition(".")[2] for (table, _), kind in state.column_types.items() if not state.is_new(table)}
    return domain in state.made_types and not state.tied and not own & older


@on("AlterTableStmt")
def alter_composite(node: Node, state: State) -> None:
    """ALTER TYPE … DROP or ALTER ATTRIBUTE."""
    is_unused = relation(node["relation"]) in state.made_types and not state.tied
    if node["objtype"] == "OBJECT_TYPE" and not is_unused:
        kinds = {item["AlterTableCmd"]["subtype"] for item in node["cmds"]}
        name = label(relation(node["relation"]))
        if "AT_DropColumn" in kinds:
            lost = ", and what columns of it hold there comes back only from a kept copy or a backup"
            state.see(COMPOSITE, DESTRUCTIVE, name=name, lost=lost)
        elif "AT_AlterColumnType" in kinds:
            state.see(COMPOSITE, name=name, lost="")
