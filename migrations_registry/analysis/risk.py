"""From findings to risk: how dangerous a file is, and so how many people must agree (docs/design.md 4 and 11)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.model import (
    BLOCKING,
    CONVENTION,
    DESTRUCTIVE,
    OPAQUE,
    REWRITE,
    SECURITY,
    Finding,
    Statement,
)
from migrations_registry.analysis.parsing.nodes import is_on, options
from migrations_registry.analysis.parsing.parser import Node

ROUTINE, SENSITIVE = "routine", "sensitive"
RISKS = (ROUTINE, SENSITIVE, DESTRUCTIVE)
GRAVE = (SECURITY, OPAQUE, DESTRUCTIVE)  # two people each; the gravest last
_OUTSIDE = {
    "AlterSystemStmt",
    "CreatedbStmt",
    "DropdbStmt",
    "CreateTableSpaceStmt",
    "DropTableSpaceStmt",
    "CreateSubscriptionStmt",
    "DropSubscriptionStmt",
}
_BY_OPTIONS = {
    "AlterDatabaseStmt",
    "AlterTableStmt",
    "ClusterStmt",
    "DropStmt",
    "IndexStmt",
    "ReindexStmt",
    "VacuumStmt",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds above which a blocking or rewriting statement needs two people, and rules raised or lowered.

    `keep_bytes`: above so much a request says whether all that it destroys is kept before; 0 for never.
    """

    rows: int = 100_000
    bytes: int = 100 * 1024 * 1024
    severities: dict[str, str] = field(default_factory=dict)  # rule id → severity
    maintenance_seconds: int = 5
    keep_bytes: int = 20 * 2**30


DEFAULT_POLICY = Policy()


def severity_of(finding: Finding, policy: Policy) -> str:
    """The finding's severity under a policy, which never makes a grave one less."""
    wanted = policy.severities.get(finding.rule) if policy.severities else None
    return finding.severity if wanted is None or is_lowered(finding.severity, wanted) else wanted


def is_lowered(severity: str, wanted: str) -> bool:
    """Whether `wanted` is less than a severity that nobody lowers: votes, losses and restore points hang on it."""
    return severity in GRAVE and (wanted not in GRAVE or GRAVE.index(wanted) < GRAVE.index(severity))


def risk_of(statements: Iterable[Statement], facts: CatalogFacts | None, policy: Policy = DEFAULT_POLICY) -> str:
    """The highest risk of any statement."""
    risks = {statement_risk(statement, facts, policy) for statement in statements}
    return max(risks, key=RISKS.index, default=ROUTINE)


def statement_risk(statement: Statement, facts: CatalogFacts | None, policy: Policy) -> str:
    """The risk of one statement by itself."""
    severities = {severity_of(finding, policy) for finding in statement.findings}
    severities.discard(CONVENTION)
    if not severities:
        return ROUTINE
    if not severities.isdisjoint(GRAVE):
        return DESTRUCTIVE
    waits = not severities.isdisjoint((BLOCKING, REWRITE))
    return DESTRUCTIVE if waits and facts is not None and _touches_large(statement, facts, policy) else SENSITIVE


def _touches_large(statement: Statement, facts: CatalogFacts, policy: Policy) -> bool:
    """An existing table that is larger than the policy allows, or whose size nobody knows."""
    for touched in statement.objects:
        table = facts.tables.get(touched.name)
        if not touched.is_new and (table is None or table.rows > policy.rows or table.bytes > policy.bytes):
            return True
    return not statement.objects


def is_outside(kind: str) -> bool:
    """Whether a statement of this kind acts on the server or another one, which no schema and no copy of it tells."""
    return kind in _OUTSIDE


def is_transactional(kind: str, node: Node) -> bool:
    """Whether PostgreSQL lets the statement run inside a transaction block (PreventInTransactionBlock)."""
    if kind not in _BY_OPTIONS:
        return kind not in _OUTSIDE
    if kind == "AlterDatabaseStmt":
        return "tablespace" not in options(node.get("options", []))
    if kind in ("IndexStmt", "DropStmt"):
        return not node.get("concurrent")
    if kind == "VacuumStmt":
        return not node.get("is_vacuumcmd")
    if kind == "ClusterStmt":
        return "relation" in node
    if kind == "ReindexStmt":
        everything = node["kind"] in ("REINDEX_OBJECT_SCHEMA", "REINDEX_OBJECT_SYSTEM", "REINDEX_OBJECT_DATABASE")
        return not everything and not is_on(options(node.get("params", [])).get("concurrently", False))
    commands = (item["AlterTableCmd"] for item in node["cmds"])
    return not any(command.get("def", {}).get("PartitionCmd", {}).get("concurrent") for command in commands)
