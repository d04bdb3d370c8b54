"""What each subcommand of ALTER TABLE may do to its table and to what belongs to it.

In: the statement's node, the scope of names. Out: allowances. Rights (owner, grants, row security, policies, which
triggers fire) come only from the subcommands that are about them.
"""

from __future__ import annotations

from collections.abc import Iterator

from migrations_registry.analysis.parsing.nodes import strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.effects.model import REWRITTEN, Allowance, Name
from migrations_registry.effects.text.names import Scope
from migrations_registry.effects.text.tables import Rule, rules

SETS = {
    "COLUMN": "table column,foreign table column,view column,composite type column,index column",
    "DEFAULT": "default value",
    "CONSTRAINT": "table constraint",
    "RELATION": "table,foreign table,view,materialized view,sequence,index,composite type,type",
    "PLAIN": "definition,type,not null,identity,statistics,options,validity,storage,inheritance,partition,"
    "replica identity,persistence,tablespace,access method,index,clustering,name",
    "CHANGED": "created,dropped,altered",
    "RESTARTED": "rewritten,moved,set back",
}
SUBCOMMANDS = """
AddColumn                                          | created   | COLUMN, DEFAULT, CONSTRAINT, index, sequence |
AddColumn                                          | altered   | COLUMN | inheritance, not null
DropColumn                                         | dropped   | DEFAULT, CONSTRAINT, index, sequence |
DropColumn                                         | dropped   | statistics object |
ColumnDefault CookedColumnDefault DropExpression   | CHANGED   | DEFAULT | PLAIN
DropExpression                                     | altered   | COLUMN | PLAIN
SetExpression                                      | rewritten | table |
SetExpression                                      | CHANGED   | DEFAULT, index, CONSTRAINT | PLAIN
SetExpression                                      | altered   | COLUMN | PLAIN
SetNotNull DropNotNull AddConstraint AddIndex      | altered   | COLUMN | not null
AddIndexConstraint DropConstraint                  | altered   | COLUMN | not null
SetNotNull DropNotNull                             | CHANGED   | CONSTRAINT | PLAIN
SetStatistics SetOptions ResetOptions SetStorage   | altered   | COLUMN | PLAIN
SetCompression AlterColumnGenericOptions           | altered   | COLUMN | PLAIN
AddConstraint AddIndex AddIndexConstraint          | created   | CONSTRAINT, index |
AddConstraint AddIndex AddIndexConstraint          | altered   | CONSTRAINT, index | PLAIN
AlterConstraint                                    | altered   | CONSTRAINT, trigger | PLAIN
ValidateConstraint                                 | altered   | CONSTRAINT | validity
DropConstraint                                     | dropped   | index |
AlterColumnType                                    | rewritten | table |
AlterColumnType                                    | RESTARTED | sequence |
AlterColumnType                                    | altered   | COLUMN, sequence | PLAIN
AlterColumnType                                    | CHANGED   | DEFAULT, CONSTRAINT, index, statistics object | PLAIN
ChangeOwner                                        | altered   | | owner, grants
ClusterOn DropCluster                              | altered   | index | PLAIN
SetLogged SetUnLogged SetAccessMethod SetTableSpace | rewritten | |
SetLogged SetUnLogged SetAccessMethod SetTableSpace | altered  | RELATION | PLAIN
SetRelOptions ResetRelOptions ReplaceRelOptions GenericOptions | altered | RELATION | PLAIN
EnableTrigAll DisableTrigAll EnableTrigUser DisableTrigUser | altered | trigger | enabled state
AddInherit DropInherit AddOf DropOf                | CHANGED   | CONSTRAINT, index, trigger | PLAIN
AddInherit DropInherit AddOf DropOf                | altered   | table, COLUMN, CONSTRAINT | PLAIN
AttachPartition DetachPartition DetachPartitionFinalize | CHANGED | CONSTRAINT, index, trigger | PLAIN
AttachPartition DetachPartition DetachPartitionFinalize | altered | table, COLUMN, CONSTRAINT | PLAIN
ReplicaIdentity                                    | altered   | table, index | PLAIN
EnableRowSecurity DisableRowSecurity               | altered   | table | row security
ForceRowSecurity NoForceRowSecurity                | altered   | table | row security
AddIdentity SetIdentity DropIdentity               | CHANGED   | sequence | PLAIN
AddIdentity SetIdentity DropIdentity               | RESTARTED | sequence |
AddIdentity SetIdentity DropIdentity               | altered   | COLUMN | identity, not null
"""
# Subcommands about one named thing of the table: that name only.
NAMED = """
DropColumn                                                | dropped | COLUMN |
DropConstraint                                            | dropped | CONSTRAINT |
EnableTrig EnableAlwaysTrig EnableReplicaTrig DisableTrig | altered | trigger | enabled state
EnableRule EnableAlwaysRule EnableReplicaRule DisableRule | altered | rule | enabled state
"""
_SETS = {name: frozenset(words.split(",")) for name, words in SETS.items()}
_SUBCOMMANDS, _NAMED = rules(SUBCOMMANDS, _SETS), rules(NAMED, _SETS)
TYPES = """text uuid timestamptz date json jsonb bytea inet cidr name oid xml money tsvector tsquery int4range int8range
numrange tstzrange tsrange daterange macaddr"""
# Adding a column of one of these, without a default, writes no row.
SHIPPED_TYPES = frozenset(TYPES.split())


def alter_table(node: Node, scope: Scope) -> Iterator[Allowance]:
    """Every subcommand's allowances, for each table that the name may mean."""
    for item in node["cmds"]:
        command = item["AlterTableCmd"]
        subtype = command["subtype"].removeprefix("AT_")
        for name in scope.relation(node["relation"]):
            yield from _subcommand(command, subtype, name)
        if "PartitionCmd" in command.get("def", {}):
            for name in scope.relation(command["def"]["PartitionCmd"]["name"]):
                yield from _all(_SUBCOMMANDS.get(subtype, []), name)


def _subcommand(command: Node, subtype: str, name: Name) -> Iterator[Allowance]:
    yield from _all(_SUBCOMMANDS.get(subtype, []), name)
    if "name" in command:
        cascades = command.get("behavior") == "DROP_CASCADE"
        yield from _all(_NAMED.get(subtype, []), (*name, command["name"]), cascades=cascades)
    if subtype == "AddColumn" and _may_rewrite(command["def"]["ColumnDef"]):
        yield Allowance(frozenset({REWRITTEN}), name, frozenset({"table"}), parts=True)


def _all(found: list[Rule], name: Name, *, cascades: bool = False) -> Iterator[Allowance]:
    for verbs, kinds, aspects in found:
        yield Allowance(verbs, name, kinds, aspects, parts=True, cascades=cascades)


def _may_rewrite(column: Node) -> bool:
    """Its values may have to be written at once: a default that is not constant, an identity, a type made by hand."""
    parts = strings(column.get("typeName", {}).get("names", []))
    if parts[:1] != ["pg_catalog"] and not SHIPPED_TYPES & set(parts[-1:]):
        return True
    return any(_writes(item["Constraint"]) for item in column.get("constraints", []))


def _writes(constraint: Node) -> bool:
    if constraint["contype"] == "CONSTR_DEFAULT":
        return "A_Const" not in constraint["raw_expr"]
    return constraint["contype"] in ("CONSTR_IDENTITY", "CONSTR_GENERATED")
