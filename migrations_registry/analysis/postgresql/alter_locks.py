"""The lock that one subcommand of ALTER TABLE takes on its own table (PostgreSQL 17: AlterTableGetLockLevel)."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, SRE, SUE
from migrations_registry.analysis.parsing.nodes import options
from migrations_registry.analysis.parsing.parser import Node

_SUE_ALTER = {
    "AT_SetStatistics",
    "AT_ClusterOn",
    "AT_DropCluster",
    "AT_SetOptions",
    "AT_ResetOptions",
    "AT_ValidateConstraint",
    "AT_AttachPartition",
    "AT_DetachPartitionFinalize",
}
_SRE_ALTER = {f"AT_{verb}Trig{which}" for verb in ("Enable", "Disable") for which in ("", "All", "User")} | {
    "AT_EnableAlwaysTrig",
    "AT_EnableReplicaTrig",
}
CHEAP_OPTIONS = {"fillfactor", "toast_tuple_target", "parallel_workers", "vacuum_index_cleanup", "vacuum_truncate"}


def alter_lock(command: Node) -> str:
    """The lock that one ALTER TABLE subcommand takes on its own table."""
    subtype = command["subtype"]
    definition = command.get("def", {})
    if subtype in _SUE_ALTER:
        return SUE
    if subtype in _SRE_ALTER:
        return SRE
    if subtype == "AT_AddConstraint" and definition["Constraint"]["contype"] == "CONSTR_FOREIGN":
        return SRE
    if subtype == "AT_DetachPartition":
        return SUE if definition["PartitionCmd"].get("concurrent") else AX
    if subtype in ("AT_SetRelOptions", "AT_ResetRelOptions"):
        return SUE if all(is_cheap_option(name) for name in options(definition["List"]["items"])) else AX
    return AX


def is_cheap_option(name: str) -> bool:
    """Storage options that need only SHARE UPDATE EXCLUSIVE (reloptions.c)."""
    return name in CHEAP_OPTIONS or name.startswith(("autovacuum_", "toast.autovacuum_", "log_autovacuum"))
