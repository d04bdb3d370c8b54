"""Names in a syntax tree as the server's catalogs spell them, wherever the search path may find them.

In: nodes of PostgreSQL's grammar and the schemas of the path. Out: tuples without quotes, and kinds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from migrations_registry.analysis.parsing.nodes import strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.effects.model import Name

PATH = ("public", "extensions")  # what the runner sets for a file's own statements
_RELATIONS = "table,view,materialized view,index,sequence,foreign table,composite type,type"
RELATIONS = frozenset(_RELATIONS.split(","))
ROUTINES = frozenset({"function", "procedure", "aggregate"})
_KINDS = """
TABLE VIEW MATVIEW INDEX SEQUENCE FOREIGN_TABLE | RELATIONS
TYPE DOMAIN | type,composite type
FUNCTION PROCEDURE AGGREGATE ROUTINE | function,procedure,aggregate
SCHEMA | schema
EXTENSION | extension
TRIGGER | trigger,table constraint
POLICY | policy
RULE | rule
TABCONSTRAINT | table constraint,index,trigger
DOMCONSTRAINT | domain constraint
COLUMN | table column,view column,composite type column,index column,materialized view column,foreign table column
ATTRIBUTE | composite type column
COLLATION | collation
CONVERSION | conversion
OPERATOR | operator
OPCLASS | operator class
OPFAMILY | operator family
CAST | cast
TRANSFORM | transform
LANGUAGE | language
ROLE | role
DATABASE | database
EVENT_TRIGGER | event trigger
PUBLICATION | publication
STATISTIC_EXT | statistics object
TSCONFIGURATION | text search configuration
TSDICTIONARY | text search dictionary
TSPARSER | text search parser
TSTEMPLATE | text search template
FDW | foreign-data wrapper
FOREIGN_SERVER | server
ACCESS_METHOD | access method
TABLESPACE | tablespace
"""
KINDS: dict[str, frozenset[str]] = {
    f"OBJECT_{name}": RELATIONS if kinds.strip() == "RELATIONS" else frozenset(kinds.strip().split(","))
    for names, kinds in (line.split("|") for line in _KINDS.strip().splitlines())
    for name in names.split()
}
_ALONE_TEXT = """schema,extension,role,database,event trigger,publication,language,server,tablespace,access method,
foreign-data wrapper"""
_ALONE = frozenset(name.strip() for name in _ALONE_TEXT.split(","))
_INSIDE = {f"OBJECT_{name}" for name in ("TRIGGER", "POLICY", "RULE", "COLUMN", "ATTRIBUTE", "TABCONSTRAINT")}
UNNAMED = {"cast", "operator class", "operator family", "transform"}  # their names need more than the text says


@dataclass
class Scope:
    """What earlier statements made of names: the search path, and bare names that mean temporary relations."""

    path: tuple[str, ...] = PATH
    temporary: set[str] = field(default_factory=set)

    def names(self, parts: list[str], inside: int = 0) -> list[Name]:
        """A dotted name; the last `inside` parts are names inside of the object (a table's column)."""
        at = len(parts) - inside
        if at > 1:
            return [] if parts[at - 2] == "pg_temp" else [tuple(parts[at - 2 :])]
        if parts[0] in self.temporary:
            return []
        return [(schema, *parts) for schema in self.path]

    def relation(self, node: Node, *inside: str) -> list[Name]:
        """A RangeVar, and a name inside of it."""
        if node.get("relpersistence") == "t":
            self.temporary.add(node["relname"])
            return []
        schema = [node["schemaname"]] if "schemaname" in node else []
        return self.names([*schema, node["relname"], *inside], len(inside))

    def object(self, kind: str, node: Node) -> list[Name]:
        """What DROP, ALTER … RENAME, COMMENT and their like name; one empty name where the text does not tell."""
        kinds = KINDS.get(kind, frozenset())
        parts = parts_of(node)
        if kinds & UNNAMED or not kinds or not parts:
            return [()]
        if kinds & _ALONE:
            return [(parts[-1],)]
        return self.names(parts, 1 if kind in _INSIDE else 0)


def parts_of(node: Node) -> list[str]:
    """The texts of a String, a list of them, a TypeName or a function with its arguments."""
    kind, inner = next(iter(node.items()))
    if kind == "String":
        return [inner["sval"]]
    if kind == "List":
        first = inner["items"][0]
        return parts_of(first) if "TypeName" in first else strings(inner["items"])
    if kind == "TypeName":
        return strings(inner["names"])
    return strings(inner["objname"]) if kind == "ObjectWithArgs" else []
