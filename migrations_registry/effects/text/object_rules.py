"""Statements about one object whose name stands in one field: made, changed, dropped. A table and its reader.

In: a node, the scope of names. Out: allowances. `relation`: a RangeVar; `inside`: a name that a relation has; `name`: a
dotted name; `alone`: a name without a schema; `any`: the name is not compared.
"""

from __future__ import annotations

from collections.abc import Iterator

from migrations_registry.analysis.parsing.nodes import strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.effects.model import Allowance, Name
from migrations_registry.effects.text.names import Scope
from migrations_registry.effects.text.tables import Rule, rules

TABLE = """
ViewStmt:relation:view                   | created, altered | view, view column | DEFINITION
IndexStmt:relation:relation              | created          | index |
CreateSeqStmt:relation:sequence          | created          | sequence |
CompositeTypeStmt:relation:typevar       | created          | composite type, type |
RefreshMatViewStmt:relation:relation     | FILES, ROWS      | materialized view |
ClusterStmt:relation:relation            | rewritten        | table, materialized view |
ClusterStmt:relation:relation            | altered          | index | clustering
CreateEnumStmt:name:typeName             | created          | type |
CreateRangeStmt:name:typeName            | created          | type, function |
CreateDomainStmt:name:domainname         | created          | type |
AlterEnumStmt:name:typeName              | altered          | type | DEFINITION
AlterTypeStmt:name:typeName              | altered          | type | DEFINITION
AlterDomainStmt:name:typeName            | CHANGED          | type, domain constraint | DEFINITION
CreateTrigStmt:inside:relation.trigname  | created, altered | trigger, table constraint | DEFINITION
CreateTrigStmt:inside:relation.trigname  | altered          | trigger | enabled state
CreatePolicyStmt:inside:table.policy_name | created         | policy |
AlterPolicyStmt:inside:table.policy_name | altered          | policy | DEFINITION
RuleStmt:inside:relation.rulename        | created, altered | rule | DEFINITION
CreateSchemaStmt:alone:schemaname        | created          | schema |
CreateEventTrigStmt:alone:trigname       | created          | event trigger |
AlterEventTrigStmt:alone:trigname        | altered          | event trigger | enabled state
CreateRoleStmt:alone:role                | created          | role |
CreateExtensionStmt:alone:extname        | CHANGED          | |
AlterExtensionStmt:alone:extname         | CHANGED          | |
CreateStatsStmt:any                      | created          | statistics object |
AlterStatsStmt:any                       | altered          | statistics object | DEFINITION
AlterRoleStmt:any                        | altered          | role |
AlterRoleSetStmt:any                     | altered          | role, settings of all roles | settings
DropRoleStmt:any                         | CHANGED          | role, settings of all roles |
GrantRoleStmt:any                        | altered          | role | members
AlterDatabaseSetStmt:any                 | altered          | settings of all roles |
AlterDatabaseStmt:any                    | altered          | database |
AlterDefaultPrivilegesStmt:any           | CHANGED          | default acl |
CommentStmt:any                          | altered          | | comment
SecLabelStmt:any                         | altered          | | security label
AlterExtensionContentsStmt:any           | altered          | | extension
AlterObjectDependsStmt:any               | altered          | | extension
ReassignOwnedStmt:any                    | altered          | | owner, grants
DropOwnedStmt:any                        | dropped          | |
DropOwnedStmt:any                        | altered          | | grants
CreateCastStmt:any                       | created          | cast |
CreateTransformStmt:any                  | created          | transform |
CreateOpClassStmt CreateOpFamilyStmt:any | created          | OPERATORS |
AlterOpFamilyStmt:any                    | CHANGED          | OPERATORS |
AlterOperatorStmt:any                    | altered          | operator | DEFINITION
CreateConversionStmt:any                 | created          | conversion |
CreatePLangStmt:any                      | created, altered | language |
CreateAmStmt:any                         | created          | access method |
AlterCollationStmt:any                   | altered          | collation |
AlterTSConfigurationStmt:any             | CHANGED          | text search configuration | DEFINITION
AlterTSDictionaryStmt:any                | altered          | text search dictionary | DEFINITION
CreatePublicationStmt:any                | created          | PUBLICATIONS |
AlterPublicationStmt:any                 | CHANGED          | PUBLICATIONS |
CreateFdwStmt:any                        | created          | foreign-data wrapper |
AlterFdwStmt:any                         | altered          | foreign-data wrapper | DEFINITION
CreateForeignServerStmt:any              | created          | server |
AlterForeignServerStmt:any               | altered          | server | DEFINITION
CreateUserMappingStmt AlterUserMappingStmt DropUserMappingStmt:any | altered | pg_user_mapping |
"""
SETS = {
    "CHANGED": "created,dropped,altered",
    "FILES": "rewritten,truncated",
    "ROWS": "inserted,updated,deleted",
    "DEFINITION": "definition,settings,rights,options,version,values,not null,partition,validity",
    "OPERATORS": "operator class,operator family,operator of access method,function of access method",
    "PUBLICATIONS": "publication,publication relation,publication namespace",
}


def _read() -> dict[str, list[tuple[str, list[str], Rule]]]:
    """Statement → (how its object is named, in which fields, rule)."""
    found: dict[str, list[tuple[str, list[str], Rule]]] = {}
    for line in TABLE.strip().splitlines():
        head, rest = line.split("|", 1)
        names, how, *fields = head.strip().split(":")
        for name in names.split():
            (rule,) = rules(f"{name} |{rest}", _SETS)[name]
            found.setdefault(name, []).append((how, fields[0].split(".") if fields else [], rule))
    return found


_SETS = {name: frozenset(words.split(",")) for name, words in SETS.items()}
_RULES = _read()


def about_object(kind: str, node: Node, scope: Scope) -> Iterator[Allowance]:
    """What the table says of a statement; nothing of one that is not in it."""
    for how, fields, (verbs, kinds, aspects) in _RULES.get(kind, []):
        for name in _names(how, fields, node, scope):
            yield Allowance(verbs, name, kinds, aspects, parts=True)


def _names(how: str, fields: list[str], node: Node, scope: Scope) -> list[Name]:
    if how == "any":
        return [()]
    if fields[0] not in node:
        return [()] if how == "alone" else []
    first = node[fields[0]]
    if how == "alone":
        return [(first,)]
    return scope.names(strings(first)) if how == "name" else scope.relation(first, *(node[each] for each in fields[1:]))
