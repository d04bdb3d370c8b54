"""What an unqualified name means at one point of a file: a temporary relation, or one of the search path's schema.

In: statements' nodes. Out: the same with schemas filled in, where they are not the ordinary ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from migrations_registry.analysis.parsing.parser import Node

ORDINARY = ("public", "extensions")  # what the runner sets for a file's own statements
UNKNOWN = "?"
_BRANCHES = (dict, list)
_RELATIONS = {f"OBJECT_{kind}" for kind in ("TABLE", "VIEW", "MATVIEW", "SEQUENCE", "INDEX", "FOREIGN_TABLE")}
_OF_RELATIONS = {"OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"}
_MAKES = {"CreateStmt": "relation", "ViewStmt": "view", "CreateSeqStmt": "sequence", "CompositeTypeStmt": "typevar"}


@dataclass(slots=True)
class Scope:
    """`schemas`: the path without what is looked at first anyway; `temporary`: name → whether COMMIT drops it;
    `builtins_first`: nothing of the path hides PostgreSQL's own functions.
    """

    schemas: tuple[str, ...] = ORDINARY
    temporary: dict[str, bool] = field(default_factory=dict)
    temporary_first: bool = True
    builtins_first: bool = True
    unknowns: int = 0
    before_local: tuple[tuple[str, ...], bool, bool] | None = None

    @property
    def is_ordinary(self) -> bool:
        return self.schemas[0] == "public" and not self.temporary

    @property
    def path(self) -> tuple[tuple[str, ...], bool, bool]:
        return self.schemas, self.temporary_first, self.builtins_first

    @path.setter
    def path(self, path: tuple[tuple[str, ...], bool, bool]) -> None:
        self.schemas, self.temporary_first, self.builtins_first = path

    def look_in(self, path: Sequence[str] | None, *, local: bool = False) -> None:
        """SET search_path; None: what it becomes is not known; `local`: until the transaction ends."""
        self.before_local = (self.before_local or self.path) if local else None
        names = [name.strip().strip('"') for name in path or ()]
        schemas = tuple(name for name in names if name not in ("", "$user", "pg_catalog", "pg_temp"))
        if not schemas:
            self.unknowns += 1
            schemas = (f"{UNKNOWN}{self.unknowns}",)
        self.schemas = ORDINARY if schemas == ("public",) else schemas
        self.temporary_first = "pg_temp" not in names or names[0] == "pg_temp"
        self.builtins_first = "pg_catalog" not in names or not {*names[: names.index("pg_catalog")]} - {"pg_temp"}

    def schema_of(self, name: str) -> str:
        """Where an unqualified relation is found."""
        return "pg_temp" if self.temporary_first and name in self.temporary else self.schemas[0]

    def committed(self) -> None:
        """ON COMMIT DROP, and the end of SET LOCAL."""
        if self.before_local:
            self.path, self.before_local = self.before_local, None
        if any(self.temporary.values()):
            self.temporary = {name: dropped for name, dropped in self.temporary.items() if not dropped}


def qualified(kind: str, node: Node, scope: Scope) -> Node:
    """The statement with the schemas that its unqualified relations mean; itself where that is what they say anyway."""
    if scope.is_ordinary:
        return node
    node = _copied(node)
    into: Node = node.get("into") or node.get("intoClause") or {}
    made = node[_MAKES[kind]] if kind in _MAKES else into.get("rel")
    for found in _range_variables(node):
        schema = scope.schemas[0] if found is made else scope.schema_of(found["relname"])
        if "schemaname" not in found and found.get("relpersistence") != "t" and schema != "public":
            found["schemaname"] = schema
    if kind == "DropStmt":
        _drop(node, scope)
    return node


def _copied(tree: Any) -> Any:
    """A tree of dictionaries and lists alone, in a third of the time that `deepcopy` takes."""
    if type(tree) is dict:
        return {name: _copied(value) if type(value) in _BRANCHES else value for name, value in tree.items()}
    return [_copied(value) if type(value) in _BRANCHES else value for value in tree]


def _range_variables(node: Any) -> Iterator[Node]:
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, dict):
            if "relname" in current:
                yield current
            stack += current.values()
        elif isinstance(current, list):
            stack += current


def _drop(node: Node, scope: Scope) -> None:
    """DROP names its relations by lists of texts, and those of triggers and policies before their own names."""
    kind = node["removeType"]
    for item in node["objects"] if kind in _RELATIONS | _OF_RELATIONS else ():
        parts = item["List"]["items"]
        if len(parts) == (2 if kind in _OF_RELATIONS else 1):
            parts.insert(0, {"String": {"sval": scope.schema_of(parts[0]["String"]["sval"])}})
