"""Take away one registration, or one condition of a conditional UPDATE, at a time: which of them does no test miss?

`registrations` are tried at one start-up, against the tables of what is registered. `updates`, and registrations with
`--tests`, are tried in one pytest session: tests run once, then each mutant those that reach it. No file is changed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.mutate import mutants
from tests.mutate.reach import Reach
from tests.mutate.session import Forks, Outcome, where
from tests.mutate.start_up import StartUp

APPS = ("backups", "deployments", "ledger", "migrations_registry", "operations", "providers", "sampelit_ops")
SAMPLES = Path("migrations_registry/analysis").resolve()  # SQL that the analysis judges and nobody runs
Tried = Sequence[tuple[Path, mutants.Mutant]]


def found(kind: str, paths: list[Path]) -> Iterator[tuple[Path, mutants.Mutant]]:
    """The mutants of these files and folders, each text once."""
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
    for file in (file.resolve() for file in files if file.suffix in (".py", ".sql") and "migrations" not in file.parts):
        if kind == "registrations":
            make = mutants.registrations if file.suffix == ".py" else mutants.nothing
        elif SAMPLES in file.parents:
            make = mutants.nothing
        else:
            make = mutants.updates if file.suffix == ".py" else mutants.statements
        yield from ((file, mutant) for mutant in {mutant.text: mutant for mutant in make(file.read_text())}.values())


def in_one_session(tried: Tried, tests: list[str], seconds: float) -> list[Outcome]:
    with Reach(tried) as reach:
        forks = Forks(tried, reach, seconds)
        pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests], plugins=[forks])
    return forks.outcomes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["registrations", "updates"])
    parser.add_argument("paths", nargs="*", type=Path, help="files or folders (all apps)")
    parser.add_argument("--seconds", type=float, default=120, help="for the tests of one mutant (%(default)s)")
    parser.add_argument("--list", action="store_true", help="only say which mutants there are")
    parser.add_argument("--tests", nargs=argparse.REMAINDER, help="last; what pytest is told (tests of the same apps)")
    given = parser.parse_args()
    tried = list(found(given.kind, given.paths or [Path(app) for app in APPS]))
    if given.list:
        print(*(where(*pair) for pair in tried), f"{len(tried)} mutants", sep="\n")
        return 0
    if given.kind == "updates" or given.tests:
        rooms = sorted({f"tests/{file.relative_to(Path.cwd()).parts[0]}" for file, _ in tried})
        outcomes = in_one_session(tried, given.tests or ["-m", "not worker", *rooms], given.seconds)
    else:
        outcomes = StartUp(tried).run()
    survived = [outcome for outcome in outcomes if not outcome.killed]
    print("", *survived, f"{len(outcomes)} tried, {len(survived)} survived", sep="\n")
    return int(bool(survived) or len(outcomes) < len(tried))


if __name__ == "__main__":
    sys.exit(main())
