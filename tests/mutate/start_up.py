"""Registrations by one start-up: where a file is imported, a fork goes on with each of its mutants.

In: mutants. Out: which of them the tables of what is registered notice (tests.wiring and the analysis's own table).
"""

from __future__ import annotations

import ast
import importlib
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType

from tests.mutate.mutants import Mutant
from tests.mutate.session import Outcome

ENVIRONMENT = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
    "SECRET_KEY": "only-for-tests-" + "x" * 50,
    "DEMO": "1",
}


class StartUp:
    def __init__(self, mutants: list[tuple[Path, Mutant]]) -> None:
        self.waiting: defaultdict[str, list[tuple[Path, Mutant]]] = defaultdict(list)
        for file, mutant in mutants:
            self.waiting[str(file)].append((file, mutant))
        self.outcomes: list[Outcome] = []
        self.mutated = False
        self._load = SourceFileLoader.get_code

    def run(self) -> list[Outcome]:
        os.environ.update(ENVIRONMENT)
        import_what_is_not_ours({Path(file).parts[len(Path.cwd().parts)] for file in self.waiting})
        SourceFileLoader.get_code = lambda loader, name: self._code(loader, name)  # type: ignore[method-assign]
        status = 2
        try:
            status = int(bool(changes := differences()))
        finally:
            if self.mutated:
                os._exit(status)
        assert not changes, f"The tables differ without a mutant:\n{changes}"
        left = [pair for pairs in self.waiting.values() for pair in pairs]
        return self.outcomes + [Outcome(*pair, False, "a start imports no such file") for pair in left]

    def _code(self, loader: SourceFileLoader, name: str) -> CodeType | None:
        for file, mutant in self.waiting.pop(str(loader.path), []):
            if not (pid := os.fork()):
                self.mutated = True
                self.waiting.clear()
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                return compile(mutant.text, loader.path, "exec", dont_inherit=True)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            how = {0: "the tables do not change", 1: "the tables change"}.get(status, "nothing starts")
            self.outcomes.append(Outcome(file, mutant, bool(status), how))
            print(self.outcomes[-1], flush=True)
        return self._load(loader, name)


def differences() -> str:
    from tests import wiring

    wiring.start()
    from tests.migrations_registry.test_analysis_wiring import ENLISTED
    from tests.sampelit_ops.test_wiring import differing

    enlisted = [f"{table} {found}" for table, found in ENLISTED.values() if table != found]
    return differing(json.loads(json.dumps(wiring.everything()))) + "\n".join(enlisted)


def import_what_is_not_ours(ours: set[str]) -> None:
    """So that no fork does it again."""
    for name in sorted({name for app in ours for file in Path(app).rglob("*.py") for name in imports(file)}):
        if name.split(".")[0] not in ours and "models" not in name and "admin" not in name:
            with suppress(Exception):
                importlib.import_module(name)


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
