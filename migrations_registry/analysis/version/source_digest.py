"""A digest of what Python sources say, not of where it stands: in any file, order, layout, under any private name.

In: a package's directory and dotted name. Out: 16 hex digits. Comments, docstrings, annotations and imports do not
count, nor do the names of modules, of module-level definitions and of locals. Everything else does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import chain
from pathlib import Path

from migrations_registry.analysis.version.spelling import Speller

REFERENCE = re.compile(r"<[\w.]+:\w+>")
ROUNDS = 4  # a definition is told apart by what it names, and by what that names, this deep
Definition = tuple[list[str], str]  # the names that a statement binds, and its text


def source_digest(root: Path, package: str, *, skip: str = "") -> str:
    """The digest of every source and word list below `root`, but of the folder `skip`."""
    files = [path for path in sorted(root.rglob("*.*")) if not skip or root / skip not in path.parents]
    lists = {path.name: path.read_text() for path in files if path.suffix == ".txt"}
    modules = {_dotted(path, root, package): ast.parse(path.read_text()) for path in files if path.suffix == ".py"}
    known = frozenset(chain.from_iterable(_references(module, tree) for module, tree in modules.items()))
    definitions = [
        definition
        for module, tree in modules.items()
        for definition in _definitions(module, tree, Speller({}, known, frozenset(lists)))
    ]
    labels: dict[str, str] = {}
    for _ in range(ROUNDS):
        labels = _labels(definitions, labels)
    return _hash("\n".join(sorted([*(_resolved(text, labels) for _, text in definitions), *lists.values()])))[:16]


def _dotted(path: Path, root: Path, package: str) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join([package, *(part for part in parts if part != "__init__")])


def _labels(definitions: list[Definition], before: Mapping[str, str]) -> dict[str, str]:
    """Each name's label: what its statements say, with the last round's labels in place of what they refer to."""
    labels: dict[str, str] = {}
    for names, text in definitions:
        resolved = _resolved(text, before)
        for position, name in enumerate(names):
            labels[name] = _hash(f"{labels.get(name, '')} {position} {resolved}")
    return labels


def _resolved(text: str, labels: Mapping[str, str]) -> str:
    return REFERENCE.sub(lambda match: labels.get(match[0], "unknown"), text)


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _references(module: str, tree: ast.Module) -> list[str]:
    return [f"<{module}:{name}>" for node in tree.body for name in _bound(node)]


def _definitions(module: str, tree: ast.Module, speller: Speller) -> Iterator[Definition]:
    """Every statement of a module that says something, names replaced by what they mean in it."""
    for node in tree.body:
        speller = speller.where(speller.imported(node)).where({name: f"<{module}:{name}>" for name in _bound(node)})
    for node in tree.body:
        if not _is_silent(node):
            names = [f"<{module}:{name}>" for name in _bound(node)]
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                node.name = ""
            yield names, speller.spell(node)


def _bound(node: ast.stmt) -> list[str]:
    """The names that a module-level statement defines, in order."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]


def _is_silent(node: ast.stmt) -> bool:
    """Imports, docstrings, what only a type checker reads, and a package's list of its modules."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return isinstance(node, ast.Import | ast.ImportFrom) or _bound(node) == ["__all__"]
