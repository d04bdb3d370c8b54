"""Write one mutant after the other into the working tree, run tests on it, say which survived, and put the line back.

`python -m tests.mutate registrations` needs no arguments. `python -m tests.mutate updates operations/engine --tests
tests/operations` tries one folder: choose tests that reach it, since each mutant runs them all until the first fails.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests import mutants

APPS = ("backups", "deployments", "ledger", "migrations_registry", "operations", "providers", "sampelit_ops")
WIRING = ["tests/sampelit_ops/test_wiring.py", "tests/migrations_registry/test_analysis_wiring.py"]


def found(kind: str, paths: list[Path]) -> Iterator[tuple[Path, mutants.Mutant]]:
    """The mutants of these files and folders, each text once."""
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
    for file in (file for file in files if file.suffix in (".py", ".sql") and "migrations" not in file.parts):
        text = file.read_text()
        make = mutants.statements if file.suffix == ".sql" else getattr(mutants, kind)
        if file.suffix == ".py" or kind == "updates":
            yield from ((file, mutant) for mutant in {mutant.text: mutant for mutant in make(text)}.values())


def killed(file: Path, mutant: mutants.Mutant, tests: list[str], seconds: float) -> bool:
    """Whether a test fails on the mutant, or does not end; the file is as before afterwards."""
    text = file.read_text()
    try:
        file.write_text(mutant.text)
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
        return subprocess.run(command, capture_output=True, timeout=seconds, check=False).returncode != 0
    except subprocess.TimeoutExpired:
        return True
    finally:
        file.write_text(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["registrations", "updates"])
    parser.add_argument("paths", nargs="*", type=Path, help="files or folders (all apps)")
    parser.add_argument("--tests", nargs="+", default=WIRING, help="default: the tables of what is registered")
    parser.add_argument("--seconds", type=float, default=600, help="for the tests of one mutant (%(default)s)")
    parser.add_argument("--list", action="store_true", help="only say which mutants there are")
    given = parser.parse_args()
    survived, tried = 0, 0
    for file, mutant in found(given.kind, given.paths or [Path(app) for app in APPS]):
        dead = not given.list and killed(file, mutant, given.tests, given.seconds)
        survived, tried = survived + (not dead), tried + 1
        if not dead:
            print(f"{'' if given.list else 'survived: '}{file}:{mutant.line} {mutant.what}", flush=True)
    print(f"{tried} mutants" + ("" if given.list else f", {tried - survived} killed, {survived} survived"))
    return int(bool(survived) and not given.list)


if __name__ == "__main__":
    sys.exit(main())
