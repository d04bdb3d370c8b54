"""One syntax tree as text: names by what they mean, nothing of place, layout, comments or types.

In: what names mean in a module. Out: text in which `<module:name>` stands for each definition of the package.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace

UNSAID = {"annotation", "returns", "ctx", "kind", "type_comment", "type_params"}
SAMPLES = {"bad", "good"}  # what a rule is tested with: one more sample judges nothing differently


@dataclass(frozen=True)
class Speller:
    """`scope`: what a name means here; `known`: the package's definitions; `lists`: the names of its word lists."""

    scope: Mapping[str, str]
    known: frozenset[str]
    lists: frozenset[str]

    def where(self, meanings: Mapping[str, str]) -> Speller:
        return replace(self, scope={**self.scope, **meanings})

    def imported(self, node: ast.stmt) -> dict[str, str]:
        """What an import makes names mean: a definition of the package, or the dotted name of anything else."""
        if isinstance(node, ast.ImportFrom):
            return {alias.asname or alias.name: self.member(str(node.module), alias.name) for alias in node.names}
        if isinstance(node, ast.Import):
            return {alias.asname or alias.name: alias.name for alias in node.names}
        return {}

    def member(self, base: str, name: str) -> str:
        reference = f"<{base}:{name}>"
        return reference if reference in self.known else f"{base}.{name}"

    def spell(self, node: object) -> str:
        """The node and all below it."""
        if isinstance(node, list):
            return f"[{', '.join(self.spell(child) for child in node if not _is_unsaid(child))}]"
        if isinstance(node, ast.Name):
            return self.scope.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            return self.member(self.spell(node.value), node.attr)
        if isinstance(node, ast.Constant):
            return "a word list" if node.value in self.lists else repr(node.value)
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            return self.where(_locals(node))._fields(node)
        return self._fields(node) if isinstance(node, ast.AST) else repr(node)

    def _fields(self, node: ast.AST) -> str:
        fields = [(name, value) for name, value in ast.iter_fields(node) if value not in (None, [])]
        spelled = [f"{name}={self.spell(value)}" for name, value in fields if name not in UNSAID]
        return f"{type(node).__name__}({', '.join(spelled)})"


def _is_unsaid(node: object) -> bool:
    """Docstrings and a rule's samples."""
    if isinstance(node, ast.keyword):
        return node.arg in SAMPLES
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _locals(function: ast.FunctionDef | ast.Lambda) -> dict[str, str]:
    """Parameters keep their names (callers may use them); other names that the function binds are counted."""
    inside = list(ast.walk(function))
    stored = [node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    numbered = {name: f"local {number}" for number, name in enumerate(dict.fromkeys(stored))}
    return numbered | {node.arg: node.arg for node in inside if isinstance(node, ast.arg)}
