"""Which tests reach a mutant's statement: in: files and their mutants; out: `Reach.tests`, by a probe before each."""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType

from tests.mutate.mutants import Mutant

PROBE = "__mutant_reached__"


class Reach:
    """Loads the files with probes; `now` is the test that runs."""

    def __init__(self, mutants: list[tuple[Path, Mutant]]) -> None:
        self.now = ""
        self.tests: defaultdict[int, set[str]] = defaultdict(set)
        self.mutants: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for index, (file, mutant) in enumerate(mutants):
            self.mutants[str(file)].append((index, mutant.line))
        self._load, self._read = SourceFileLoader.get_code, Path.read_text
        setattr(builtins, PROBE, lambda index: self.tests[index].add(self.now))

    def __enter__(self) -> Reach:
        reach = self

        def load(loader: SourceFileLoader, name: str) -> CodeType | None:
            path = str(loader.path)
            return reach._probed(path) if path in reach.mutants else reach._load(loader, name)

        def read(path: Path, *args: str | None, **named: str | None) -> str:
            for index, _ in reach.mutants.get(str(path), []):
                reach.tests[index].add(reach.now)
            return reach._read(path, *args, **named)

        SourceFileLoader.get_code, Path.read_text = load, read  # type: ignore[method-assign, assignment]
        return self

    def __exit__(self, *_: object) -> None:
        SourceFileLoader.get_code, Path.read_text = self._load, self._read  # type: ignore[method-assign]

    def _probed(self, path: str) -> CodeType:
        tree = ast.parse(self._read(Path(path)))
        for index, line in self.mutants[path]:
            block, statement = min(_around(tree, line), key=lambda pair: _lines(pair[1]))
            probe = ast.parse(f"{PROBE}({index})").body[0]
            block.insert(block.index(statement), ast.copy_location(probe, statement))
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)


def _around(tree: ast.Module, line: int) -> list[tuple[list[ast.stmt], ast.stmt]]:
    blocks = [
        block
        for node in ast.walk(tree)
        for block in (getattr(node, field, None) for field in ("body", "orelse", "finalbody"))
        if isinstance(block, list)
    ]
    return [(block, each) for block in blocks for each in block if each.lineno <= line <= (each.end_lineno or 0)]


def _lines(statement: ast.stmt) -> int:
    return (statement.end_lineno or statement.lineno) - statement.lineno
