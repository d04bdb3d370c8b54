"""Every regular expression of the code base, found in its source, and hostile texts for each.

In: the modules of the portal. Out: where a pattern stands, the compiled pattern, how it is asked; texts made of the
pattern's own letters, repeated.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("providers", "ledger", "operations", "deployments", "backups", "migrations_registry", "sampelit_ops", "bin")
FLAGS = {name: getattr(re, name) for name in ("I", "IGNORECASE", "S", "DOTALL", "M", "MULTILINE", "X", "VERBOSE", "A")}
ASKED = {"compile", "sub", "match", "search", "fullmatch", "findall", "finditer", "split", "subn"}
ANCHORED = {"match", "fullmatch"}
CALL = re.compile(rf"\bre\.(?:{'|'.join(sorted(ASKED))})\(")


@dataclass(frozen=True)
class Found:
    """One pattern: `file:pattern` names it; `text` is None where the source does not say it in one literal."""

    file: str
    spelled: str
    text: str | bytes | None
    flags: int
    methods: frozenset[str]

    @property
    def name(self) -> str:
        return f"{self.file}: {self.spelled}"

    def scan(self, text: str) -> None:
        """Ask the pattern about the text, as the code does: from its start only, or everywhere."""
        pattern = re.compile(self.text or "", self.flags)
        data: Any = text.encode() if isinstance(self.text, bytes) else text
        if self.methods <= ANCHORED:
            for method in self.methods:
                getattr(pattern, method)(data)
        else:
            for _ in pattern.finditer(data):
                pass


def found() -> Iterator[Found]:
    """Every pattern of every module."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield from _of_file(path.relative_to(ROOT).as_posix(), path.read_text())


def _of_file(file: str, source: str) -> Iterator[Found]:
    if not CALL.search(source):  # most files have none: parsing them all costs seconds
        return
    tree = ast.parse(source)
    constants = {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }
    names = {id(node.value): node.targets[0] for node in ast.walk(tree) if isinstance(node, ast.Assign)}
    for node in ast.walk(tree):
        if not _asks(node) or not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        text = _literal(node.args[0], constants)
        spelled = ast.unparse(node.args[0])
        yield Found(file, spelled, text, _flags(node), _methods(node.func.attr, names.get(id(node)), tree))


def _asks(node: ast.AST) -> bool:
    function = node.func if isinstance(node, ast.Call) else None
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "re"
        and function.attr in ASKED
    )


def _literal(node: ast.expr, constants: dict[str, Any]) -> str | bytes | None:
    if isinstance(node, ast.Name):
        node = ast.Constant(constants.get(node.id))
    if isinstance(node, ast.JoinedStr):
        parts = [
            _literal(part.value if isinstance(part, ast.FormattedValue) else part, constants) for part in node.values
        ]
        return None if None in parts else "".join(map(str, parts))
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    return value if isinstance(value, str | bytes) else None


def _flags(call: ast.Call) -> int:
    spelled = [node.attr for node in ast.walk(call) if isinstance(node, ast.Attribute) and node.attr in FLAGS]
    return sum({int(FLAGS[name]) for name in spelled})


def _methods(asked: str, assigned: ast.expr | None, tree: ast.Module) -> frozenset[str]:
    """How a compiled pattern is asked in its own module; one that is not given a name counts as searched."""
    if asked != "compile":
        return frozenset({asked})
    if not isinstance(assigned, ast.Name):
        return frozenset({"finditer"})
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == assigned.id
    }
    return frozenset(used & ASKED) or frozenset({"finditer"})


def hostile(pattern: str | bytes, flags: int = 0) -> list[str]:
    """Units to repeat and what may stand before them: the pattern's letters, its literal runs, one whole example."""
    text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
    letters: set[str] = set("a 0-")
    runs: set[str] = set()
    example: list[str] = []
    _walk(_parser.parse(text, flags), letters, runs, example)
    whole = "".join(example)
    starts = {"", whole, *runs, *(whole[:cut] for cut in range(1, min(len(whole), 40)))}
    units = {*letters, *runs, whole} - {""}
    return sorted({f"{start}\0{unit}" for start in starts for unit in (letters if start else units)})


def _walk(parsed: Any, letters: set[str], runs: set[str], example: list[str]) -> None:
    run = ""
    for kind, value in parsed:
        if kind is _constants.LITERAL:
            run += chr(value)
            example.append(chr(value))
            continue
        runs.add(run)
        run = ""
        letters.update(_some(kind, value))
        example.append(_one(kind, value))
        for inner in _inside(kind, value):
            _walk(inner, letters, runs, example)
    runs.add(run)


def _some(kind: Any, value: Any) -> set[str]:
    """Some characters that a class takes, and some that a negated one does."""
    if kind is not _constants.IN:
        return {chr(value), "a"} if kind is _constants.NOT_LITERAL else set()
    members = {chr(item) for what, item in value if what is _constants.LITERAL}
    members |= {chr(item[0]) for what, item in value if what is _constants.RANGE}
    return members | ({" ", "\n"} if any(what is _constants.CATEGORY for what, _ in value) else set())


def _one(kind: Any, value: Any) -> str:
    if kind is not _constants.IN:
        return "a" if kind in (_constants.ANY, _constants.NOT_LITERAL) else ""
    kinds = [what for what, _ in value]
    return "a" if _constants.NEGATE in kinds or _constants.CATEGORY in kinds else min(_some(kind, value), default="a")


def _inside(kind: Any, value: Any) -> list[Any]:
    if kind in (_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT):
        return [value[2]]
    if kind is _constants.SUBPATTERN:
        return [value[3]]
    if kind is _constants.BRANCH:
        return list(value[1])
    if kind in (_constants.ASSERT, _constants.ASSERT_NOT):
        return [value[1]]
    return [value] if kind is _constants.ATOMIC_GROUP else []
