"""Attaching, detaching and creating partitions."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, BLOCKING, CONVENTION, SUE, Name, label
from migrations_registry.analysis.parsing.bounds import excluded, implied
from migrations_registry.analysis.parsing.nodes import relation
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on, on_alter, rule
from migrations_registry.analysis.rules import safe_form
from migrations_registry.analysis.rules.indexes import CONCURRENTLY_IN_TRANSACTION
from migrations_registry.analysis.state import State

UNKNOWN = ("", "?")
ATTACH = rule(
    "ML-ATTACH",
    BLOCKING,
    "reads all of {partition} while nobody can read or write it, and fails if a row does not fit the bounds",
    "{safe}",
    lock=AX,
    scan=True,
    bad=("ALTER TABLE events ATTACH PARTITION events_new FOR VALUES FROM (100) TO (200)",),
    good=("CREATE TABLE x (LIKE events_new); ALTER TABLE events ATTACH PARTITION x FOR VALUES FROM (100) TO (200)",),
)
DETACH = rule(
    "ML-DETACH",
    BLOCKING,
    "takes {partition} out of {name} while nobody can read or write either",
    "DETACH PARTITION … CONCURRENTLY;  -- since 14, alone in its step",
    lock=AX,
    versions="CONCURRENTLY since 14",
    bad=("ALTER TABLE events DETACH PARTITION events_1",),
    good=("ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY",),
)
DETACH_CONCURRENTLY = rule(
    "ML-DETACH-CONCURRENTLY",
    CONVENTION,
    "takes {partition} out of {name}, which stays in use; rows in it are no longer found through {name}",
    "After an interruption: DETACH PARTITION … FINALIZE.",
    lock=SUE,
    versions="14+",
    bad=("ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY",),
    good=("SELECT 1",),
)
ATTACH_PROVEN = rule(
    "ML-ATTACH-PROVEN",
    CONVENTION,
    "a validated CHECK says that {partition} fits the bounds, so its rows are not read{default}",
    "Drop the CHECK afterwards.",
    lock=AX,
    bad=(
        "ALTER TABLE events_new ADD CHECK (at IS NOT NULL AND at >= 100 AND at < 200); "
        "ALTER TABLE events ATTACH PARTITION events_new FOR VALUES FROM (100) TO (200)",
    ),
    good=("ALTER TABLE events ATTACH PARTITION events_new FOR VALUES FROM (100) TO (200)",),
)
DEFAULT_PARTITION = rule(
    "ML-DEFAULT-PARTITION",
    BLOCKING,
    "reads all of {partition} while nobody can read or write {name}, and fails if one of its rows belongs "
    "into the new partition",
    "{safe}",
    lock=AX,
    scan=True,
    bad=(
        "CREATE TABLE x PARTITION OF metered FOR VALUES FROM (100) TO (200)",
        "CREATE TABLE x (LIKE metered); ALTER TABLE metered ATTACH PARTITION x FOR VALUES FROM (100) TO (200)",
    ),
    good=(
        "CREATE TABLE x PARTITION OF events FOR VALUES FROM (100) TO (200)",
        "ALTER TABLE metered_rest ADD CHECK (NOT (at IS NOT NULL AND at >= 100 AND at < 200)); "
        "CREATE TABLE x PARTITION OF metered FOR VALUES FROM (100) TO (200)",
    ),
)
PARTITION_OF = rule(
    "ML-PARTITION-OF",
    CONVENTION,
    "makes a partition of {name}: nobody can use it for a moment",
    "CREATE TABLE … (LIKE {name}); ALTER TABLE {name} ATTACH PARTITION …",
    lock=AX,
    bad=("CREATE TABLE x PARTITION OF events FOR VALUES FROM (100) TO (200)",),
    good=("CREATE TABLE x (a int)",),
)


@on_alter("AttachPartition")
def attach(command: Node, alter: Node, state: State) -> None:
    """ATTACH PARTITION of a table (an index has nothing to scan)."""
    definition = command["def"]["PartitionCmd"]
    partition, parent, bound = relation(definition["name"]), relation(alter["relation"]), definition.get("bound", {})
    state.relate(partition, parent)
    state.relate(parent, partition)
    if alter["objtype"] != "OBJECT_TABLE":
        return
    default, key = default_of(parent, state), key_of(parent, state)
    if state.is_new(partition) and default is UNKNOWN and not state.is_new(parent):
        _reads_default(parent, default, bound, key, state)
    elif state.is_new(partition):
        pass
    elif _promised(partition, "bounds", state) or implied(
        bound, valid_checks(partition, state), key, required_columns(partition, state)
    ):
        unknown = default is UNKNOWN and not state.is_new(parent)
        also = "; if there is a DEFAULT partition, that one is read" if unknown else ""
        state.see(ATTACH_PROVEN, partition=label(partition), default=also)
    else:
        state.see(ATTACH, partition=label(partition), safe=safe_form.attach(label(partition), bound, key, state.source))
    if default is not UNKNOWN:
        _reads_default(parent, default, bound, key, state)
    if bound.get("is_default"):
        state.default_partitions[parent] = partition


def _reads_default(parent: Name, default: Name | None, bound: Node, key: tuple[str, ...], state: State) -> bool:
    """Say that the default partition is read, unless it is empty, not there or known to hold nothing of the kind."""
    if default is None or bound.get("is_default") or bound.get("strategy") == "h" or state.is_new(default):
        return False
    if default is not UNKNOWN and excluded(bound, valid_checks(default, state), key):
        return False
    if _promised(default, "excludes", state):
        return False
    if default is not UNKNOWN:
        state.touch(default, AX)
    told = "its DEFAULT partition, if it has one," if default is UNKNOWN else f"its DEFAULT partition {label(default)}"
    safe = safe_form.exclude("" if default is UNKNOWN else label(default), bound, key, state.source)
    state.see(DEFAULT_PARTITION, name=label(parent), partition=told, safe=safe)
    return True


def _promised(name: Name, suffix: str, state: State) -> bool:
    """Validated by this file, under the name that the safe form gives what an earlier file says."""
    found = {
        (table, constraint)
        for table, constraint in state.valid_checks
        if constraint == f"{table[1]}_{suffix}" and (table, constraint) not in state.checks and name in (table, UNKNOWN)
    }
    state.served |= found
    return bool(found)


def key_of(parent: Name, state: State) -> tuple[str, ...]:
    """The columns that a table is partitioned by, as the file or the live catalog has it; empty where nobody knows."""
    facts = state.table(parent)
    return state.partition_keys.get(parent, facts.partition_key if facts else ())


def default_of(parent: Name, state: State) -> Name | None:
    """The DEFAULT partition, None where there is none, UNKNOWN where nobody knows."""
    if parent in state.default_partitions:
        return state.default_partitions[parent]
    facts = state.table(parent)
    return facts.default_partition if facts else UNKNOWN


def valid_checks(name: Name, state: State) -> list[Node]:
    """What the file's own CHECKs say of each row of a table."""
    return [state.checks[each] for each in state.valid_checks if each[0] == name and each in state.checks]


def required_columns(name: Name, state: State) -> frozenset[str]:
    """Columns that hold no NULL, as the live catalog or a statement of the file has it."""
    facts = state.table(name)
    known = {column for column, each in facts.columns.items() if each.not_null} if facts else set()
    return frozenset(known | {column for table, column in state.proven_not_null if table == name})


@on_alter("DetachPartition")
def detach(command: Node, alter: Node, state: State) -> None:
    """DETACH PARTITION, plain or concurrently."""
    definition = command["def"]["PartitionCmd"]
    if default_of(relation(alter["relation"]), state) == relation(definition["name"]):
        state.default_partitions[relation(alter["relation"])] = None
    words = {"partition": label(relation(definition["name"])), "name": label(relation(alter["relation"]))}
    if state.is_new_relation(alter["relation"]):
        return
    state.see(DETACH_CONCURRENTLY if definition.get("concurrent") else DETACH, **words)
    if definition.get("concurrent") and state.in_transaction:
        state.see(CONCURRENTLY_IN_TRANSACTION, what="DETACH PARTITION CONCURRENTLY")


@on("CreateStmt")
def partition_of(node: Node, state: State) -> None:
    """CREATE TABLE … PARTITION OF, PARTITION BY."""
    if parts := node.get("partspec", {}).get("partParams", []):
        names = tuple(part["PartitionElem"].get("name", "") for part in parts)
        state.partition_keys[relation(node["relation"])] = names if all(names) else ()
    for item in node.get("inhRelations", []) if "partbound" in node else ():
        parent, bound = relation(item["RangeVar"]), node["partbound"]
        key = key_of(parent, state)
        if not state.is_new(parent) and not _reads_default(parent, default_of(parent, state), bound, key, state):
            state.see(PARTITION_OF, name=label(parent))
        if bound.get("is_default"):
            state.default_partitions[parent] = relation(node["relation"])
