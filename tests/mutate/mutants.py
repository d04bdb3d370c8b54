"""Mutants of lines that hold the portal together: a registration that is missing, an UPDATE that loses a condition.

In: a file's text. Out: `Mutant`s, each one replacement in it. Pure; `tests.mutate` writes them and runs the tests.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

REGISTERS = re.compile(r"(?!register_files$)register(_\w+)?$|every$|guards$|consequences$|sentences$|speak$")
ENLISTS = re.compile(r"register(_\w+)?$|anchor_source$|on_verified$|on(_alter)?$|after$|reads$|route$")
CONDITIONS = {"filter", "exclude"}
NO_ROWS = re.compile(r"\b(digest|raw|environ|READERS)\b")  # hashes and dicts have an update too
STATEMENT = re.compile(r"\bUPDATE\s+\S+(\s+(AS\s+)?\w+)?\s+SET\b|\bDELETE\s+FROM\b")
WORDS = re.compile(r"[();]|\b(?:WHERE|AND|RETURNING)\b|\Z")


@dataclass(frozen=True)
class Mutant:
    line: int
    what: str
    text: str


class Source:
    """A module's text and tree; `replaced` makes the mutant that has other words in the place of a node."""

    def __init__(self, text: str) -> None:
        self.text, self.tree = text, ast.parse(text)
        self.starts = [0]
        for line in text.encode().splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def replaced(self, node: ast.AST, by: str, before: int = 0) -> Iterator[Mutant]:
        data = self.text.encode()
        start = self.starts[node.lineno - 1] + node.col_offset - before
        end = self.starts[node.end_lineno - 1] + node.end_col_offset
        what = " ".join(data[start:end].decode().split())
        mutated = (data[:start] + by.encode() + data[end:]).decode()
        yield Mutant(node.lineno, f"{what[:90]} -> {by[:20] or 'gone'}", mutated)

    def text_of(self, node: ast.AST) -> str:
        return ast.get_source_segment(self.text, node) or ""


def registrations(text: str) -> Iterator[Mutant]:
    """Each registering statement, decorator, side-effect import of `ready` and element of a registered list, away."""
    source = Source(text)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _registers(source, node):
            yield from source.replaced(node, "pass")
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                if ENLISTS.match(_name(decorator)) or _root(decorator) == "register":
                    yield from source.replaced(decorator, "", before=1)
        elif isinstance(node, ast.For) and any(_registering(each) for each in ast.walk(node)):
            yield from _elements(source, _literal(source, node.iter))
        elif isinstance(node, ast.List) and any(_is_step(each) for each in node.elts):
            yield from _elements(source, node)
        elif isinstance(node, ast.Dict) and ast.unparse(source.parents[node]).startswith("SENTENCES ="):
            for code in (key for key in node.keys if key):
                yield from source.replaced(code, '"gone"')
        elif isinstance(node, ast.ImportFrom) and _at_start(source, node):
            yield from _imports(source, node)


def updates(text: str) -> Iterator[Mutant]:
    """Each condition of a conditional UPDATE away, and each answer of one taken for 1; SQL in strings as well."""
    source = Source(text)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _writes(node.func):
            if not isinstance(source.parents[node], ast.Expr):
                yield from source.replaced(node, f"({source.text_of(node)} or 1)")
            yield from _conditions(source, node.func.value)
        elif isinstance(node, ast.ClassDef) and "QuerySet" in ast.unparse(ast.Tuple(node.bases)):
            for each in (each for method in node.body for each in ast.walk(method) if isinstance(each, ast.Return)):
                yield from _conditions(source, each.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _in_python(source, node, node.value)


def statements(text: str) -> Iterator[Mutant]:
    """Each condition of each UPDATE and DELETE of an SQL text, made true; placeholders stay, so that it still runs."""
    for statement in STATEMENT.finditer(text):
        for start, end in _parts(text, statement.end()):
            condition = text[start:end]
            what = f"{' '.join(condition.split())[:90]} -> or true"
            mutated = f"{text[:start]}({condition} OR true){text[end:]}"
            yield Mutant(text.count("\n", 0, start) + 1, what, mutated)


def nothing(_: str) -> Iterator[Mutant]:
    return iter(())


def _in_python(source: Source, node: ast.Constant, text: str) -> Iterator[Mutant]:
    for mutant in statements(text):
        for placed in source.replaced(node, repr(mutant.text)):
            yield Mutant(placed.line, mutant.what, placed.text)


def _parts(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Where the conditions of the WHERE clause stand that follows on the same level, without the ANDs between them."""
    depth, begun = 0, None
    for word in WORDS.finditer(text, at):
        depth += (word[0] == "(") - (word[0] == ")")
        ends = depth < 0 or word[0] in (";", "") or (depth == 0 and word[0] == "RETURNING")
        if begun is not None and depth <= 0 and (ends or (depth == 0 and word[0] == "AND")):
            condition = text[begun : word.start()]
            yield begun + len(condition) - len(condition.lstrip()), begun + len(condition.rstrip())
            begun = word.end()
        if ends:
            return
        if depth == 0 and word[0] == "WHERE":
            begun = word.end()


def _conditions(source: Source, chain: ast.AST | None) -> Iterator[Mutant]:
    """The arguments of every filter and exclude of this chain; of a variable, those it was assigned."""
    while chain is not None:
        if isinstance(chain, ast.Call):
            if _name(chain) in CONDITIONS:
                for given in chain.args:
                    yield from source.replaced(given, "*()")
                for keyword in chain.keywords:
                    yield from source.replaced(keyword, "**{}")
            chain = chain.func
        elif isinstance(chain, ast.Attribute):
            chain = chain.value
        else:
            chain = _assigned(source, chain) if isinstance(chain, ast.Name) else None


def _assigned(source: Source, name: ast.Name) -> ast.AST | None:
    function = next((each for each in _above(source, name) if isinstance(each, ast.FunctionDef)), source.tree)
    for node in ast.walk(function):
        named = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name.id
        if named and node.lineno < name.lineno:
            return node.value
    return None


def _above(source: Source, node: ast.AST) -> Iterator[ast.AST]:
    while node in source.parents:
        node = source.parents[node]
        yield node


def _writes(called: ast.Attribute) -> bool:
    chain = ast.unparse(called.value)
    return called.attr == "advance" or (called.attr == "update" and not NO_ROWS.search(chain))


def _at_start(source: Source, node: ast.AST) -> bool:
    """Whether this stands in an AppConfig's ready."""
    names = [each.name for each in _above(source, node) if isinstance(each, ast.FunctionDef | ast.ClassDef)]
    return len(names) == 2 and names[0] == "ready" and names[1].endswith("Config")


def _registers(source: Source, node: ast.Expr) -> bool:
    return _registering(node.value) or _at_start(source, node)


def _registering(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and bool(REGISTERS.match(_name(node)))


def _is_step(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _name(node) in ("step", "registered")


def _name(node: ast.AST) -> str:
    called = node.func if isinstance(node, ast.Call) else node
    return ast.unparse(called).rsplit(".", 1)[-1]


def _root(node: ast.AST) -> str:
    return ast.unparse(node).split(".", 1)[0]


def _literal(source: Source, node: ast.AST) -> ast.AST:
    if not isinstance(node, ast.Name):
        return node
    values = (each for each in source.tree.body if isinstance(each, ast.Assign | ast.AnnAssign) and each.value)
    named = (each for each in values if node.id in [ast.unparse(name) for name in _targets(each)])
    return next((each.value for each in named if each.value), node)


def _targets(node: ast.Assign | ast.AnnAssign) -> Iterable[ast.AST]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _elements(source: Source, literal: ast.AST) -> Iterator[Mutant]:
    if isinstance(literal, ast.List | ast.Tuple):
        for element in literal.elts:
            yield from source.replaced(element, "*()")


def _imports(source: Source, node: ast.ImportFrom) -> Iterator[Mutant]:
    """One mutant for each name that the function imports and never uses: the import itself registers."""
    body = next(each for each in _above(source, node) if isinstance(each, ast.FunctionDef))
    used = {each.id for each in ast.walk(body) if isinstance(each, ast.Name)}
    for gone in (alias for alias in node.names if alias.name not in used and not alias.asname):
        left = [alias for alias in node.names if alias is not gone]
        yield from source.replaced(node, ast.unparse(ast.ImportFrom(node.module, left, node.level)) if left else "pass")
