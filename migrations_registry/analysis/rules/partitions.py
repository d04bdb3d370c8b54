"""Attaching, detaching and creating partitions."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, BLOCKING, CONVENTION, SUE
from migrations_registry.analysis.parsing.nodes import label, relation
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on, on_alter, rule
from migrations_registry.analysis.rules.indexes import CONCURRENTLY_IN_TRANSACTION
from migrations_registry.analysis.state import State

ATTACH = rule(
    "ML-ATTACH",
    BLOCKING,
    "reads all of {partition} (and the default partition) while nobody can use it, unless a CHECK implies its bounds",
    "Add a matching CHECK … NOT VALID and VALIDATE it first; drop it afterwards.",
    lock=AX,
    scan=True,
    bad=("ALTER TABLE events ATTACH PARTITION events_new FOR VALUES FROM (100) TO (200)",),
    good=("CREATE TABLE x (LIKE events_new); ALTER TABLE events ATTACH PARTITION x FOR VALUES FROM (100) TO (200)",),
)
DETACH = rule(
    "ML-DETACH",
    BLOCKING,
    "detaches {partition} while nobody can use {name}",
    "DETACH PARTITION … CONCURRENTLY;  -- since 14, alone in its step",
    lock=AX,
    versions="CONCURRENTLY since 14",
    bad=("ALTER TABLE events DETACH PARTITION events_1",),
    good=("ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY",),
)
DETACH_CONCURRENTLY = rule(
    "ML-DETACH-CONCURRENTLY",
    CONVENTION,
    "detaches {partition} while {name} stays in use",
    "After an interruption: DETACH PARTITION … FINALIZE.",
    lock=SUE,
    versions="14+",
    bad=("ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY",),
    good=("SELECT 1",),
)
PARTITION_OF = rule(
    "ML-PARTITION-OF",
    CONVENTION,
    "creating a partition inside {name} locks it for a moment",
    "CREATE TABLE … (LIKE {name}); ALTER TABLE {name} ATTACH PARTITION …",
    lock=AX,
    bad=("CREATE TABLE x PARTITION OF events FOR VALUES FROM (100) TO (200)",),
    good=("CREATE TABLE x (a int)",),
)


@on_alter("AttachPartition")
def attach(command: Node, alter: Node, state: State) -> None:
    """ATTACH PARTITION of a table (an index has nothing to scan)."""
    partition = relation(command["def"]["PartitionCmd"]["name"])
    state.relate(partition, relation(alter["relation"]))
    state.relate(relation(alter["relation"]), partition)
    if alter["objtype"] == "OBJECT_TABLE" and not state.is_new(partition):
        state.see(ATTACH, partition=label(partition))


@on_alter("DetachPartition")
def detach(command: Node, alter: Node, state: State) -> None:
    """DETACH PARTITION, plain or concurrently."""
    definition = command["def"]["PartitionCmd"]
    words = {"partition": label(relation(definition["name"])), "name": label(relation(alter["relation"]))}
    if state.is_new_relation(alter["relation"]):
        return
    state.see(DETACH_CONCURRENTLY if definition.get("concurrent") else DETACH, **words)
    if definition.get("concurrent") and state.in_transaction:
        state.see(CONCURRENTLY_IN_TRANSACTION, what="DETACH PARTITION CONCURRENTLY")


@on("CreateStmt")
def partition_of(node: Node, state: State) -> None:
    """CREATE TABLE … PARTITION OF."""
    for parent in node.get("inhRelations", []) if "partbound" in node else ():
        if not state.is_new_relation(parent["RangeVar"]):
            state.see(PARTITION_OF, name=label(relation(parent["RangeVar"])))
