"""Which relation a name means at one point of a file: its own first, the one made after that was moved away, another.

In: a file's statements, in order. Out: a token of each relation; the same whenever the file is read again.
"""

from __future__ import annotations

from migrations_registry.analysis.model import Name
from migrations_registry.analysis.parsing.nodes import object_name, relation
from migrations_registry.analysis.parsing.parser import Node

Token = tuple[Name, int]  # the name under which it was first seen, and how many the file had made of that name
RELATIONS = {f"OBJECT_{kind}" for kind in ("TABLE", "VIEW", "MATVIEW", "SEQUENCE", "INDEX", "FOREIGN_TABLE")}
# The fields of every node that makes, moves or ends a relation.
_NAMING = {"intoClause", "into", "view", "oncommit", "renameType", "objectType", "removeType"}


class Identities:
    """Advanced by `note`, statement by statement."""

    def __init__(self) -> None:
        self._tokens: dict[Name, Token] = {}
        self._made: dict[Name, int] = {}

    def token(self, name: Name) -> Token:
        """The relation that has the name now."""
        return self._tokens.get(name) or (name, self._made.get(name, 0))

    def note(self, node: Node) -> None:
        """What a CREATE makes anew, a RENAME or SET SCHEMA moves, a DROP ends."""
        if _NAMING.isdisjoint(node):
            return
        if made := _made_by(node):
            self._anew(made)
        elif node.get("renameType") in RELATIONS and "relation" in node:
            old = relation(node["relation"])
            self._moved(old, (old[0], node["newname"]))
        elif node.get("objectType") in RELATIONS and "newschema" in node and "relation" in node:
            old = relation(node["relation"])
            self._moved(old, (node["newschema"], old[1]))
        elif node.get("removeType") in RELATIONS:
            for item in node["objects"]:
                self._anew(object_name(item))

    def _anew(self, name: Name) -> None:
        self._made[name] = self._made.get(name, 0) + 1
        self._tokens[name] = name, self._made[name]

    def _moved(self, old: Name, new: Name) -> None:
        token = self.token(old)
        self._anew(old)
        self._tokens[new] = token


def _made_by(node: Node) -> Name | None:
    """The relation of CREATE TABLE, VIEW, TABLE AS, SELECT INTO; none where one that is there already would be kept."""
    into = node.get("intoClause", node.get("into", {}))
    made = into.get("rel") if isinstance(into, dict) else None
    made = made or node.get("view") or (node.get("relation") if "oncommit" in node else None)
    return relation(made) if made and not node.get("if_not_exists") and not node.get("replace") else None
