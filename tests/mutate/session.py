"""One pytest session for many mutants: all tests run once, then each mutant runs, in a fork, the tests that reach it.

In: mutants, and what pytest is to run. Out: `Outcome`s. A fork has what the session made: imports, databases, fixtures.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from tests.mutate import live
from tests.mutate.mutants import Mutant
from tests.mutate.reach import Reach

HANGS_SECONDS = 60
HANGS = "a test does not end"


@dataclass(frozen=True)
class Outcome:
    file: Path
    mutant: Mutant
    killed: bool
    how: str

    def __str__(self) -> str:
        return f"{'killed' if self.killed else 'survived'}: {where(self.file, self.mutant)} ({self.how})"


def where(file: Path, mutant: Mutant) -> str:
    return f"{file.relative_to(Path.cwd())}:{mutant.line} {mutant.what}"


class Kept:
    """What pytest is told comes next: something that needs the session, and no module or class of it."""

    def __init__(self, session: pytest.Session) -> None:
        self.session = session

    def listchain(self) -> list[pytest.Session]:
        return [self.session]


@dataclass
class Forks:
    """The pytest plugin."""

    mutants: Sequence[tuple[Path, Mutant]]
    reach: Reach
    seconds: float
    outcomes: list[Outcome] = field(default_factory=list)
    texts: dict[Path, str] = field(default_factory=dict)
    _took: dict[str, float] = field(default_factory=dict)
    _killers: list[str] = field(default_factory=list)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.texts = {file: file.read_text() for file, _ in self.mutants}
        self._run_all(session)
        living = live.functions({str(file) for file, _ in self.mutants})
        for index, (file, mutant) in enumerate(self.mutants):
            killed, how = self._try(session, index, living)
            self.outcomes.append(Outcome(file, mutant, killed, how))
            print(self.outcomes[-1], flush=True)
        return True

    def _run_all(self, session: pytest.Session) -> None:
        """Each test once: how long it takes and what it reaches. One that fails without a mutant kills none."""
        for item, following in zip(session.items, [*session.items[1:], Kept(session)], strict=True):
            self.reach.now, begun = item.nodeid, time.monotonic()
            reports = runtestprotocol(item, log=False, nextitem=following)  # type: ignore[arg-type]
            if all(report.passed for report in reports):
                self._took[item.nodeid] = time.monotonic() - begun
            elif any(report.failed for report in reports):
                print(f"not used, as it fails without a mutant: {item.nodeid}", flush=True)
        print(f"{len(self._took)} tests in {sum(self._took.values()):.0f} s", flush=True)

    def _try(self, session: pytest.Session, index: int, living: live.Functions) -> tuple[bool, str]:
        file, mutant = self.mutants[index]
        mutate = partial(live.put, file, self.texts[file], mutant.text, living)
        while tests := self._reaching(session, index):
            said = self._in_fork(session, tests, mutate)
            count = next((count for count, item in enumerate(tests, 1) if item.nodeid == said), 0)
            if not count:
                return said == HANGS, said
            if said in self._killers or self._in_fork(session, tests[:count], lambda: True) != said:
                self._killers.append(said)
                return True, said
            del self._took[said]  # it fails in a fork without any mutant
        return False, "no test reaches it"

    def _reaching(self, session: pytest.Session, index: int) -> list[pytest.Item]:
        names = self.reach.tests[index] & self._took.keys()
        return sorted((item for item in session.items if item.nodeid in names), key=self._order)

    def _in_fork(self, session: pytest.Session, tests: list[pytest.Item], begin: Callable[[], bool]) -> str:
        """The first of the tests that fails after `begin`, or why none does."""
        _close_connections()
        reading, writing = os.pipe()
        if not (pid := os.fork()):
            self._child(session, tests, begin, writing)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status:
            _empty_database(session)
        ended = HANGS if status == -signal.SIGALRM else f"not tried: the fork ended with {status}"
        said = ended if status else os.read(reading, 10_000).decode()
        os.close(reading), os.close(writing)
        return said

    def _order(self, item: pytest.Item) -> tuple[bool, float]:
        """What killed before comes first, then the quickest."""
        return item.nodeid not in self._killers[-20:], self._took[item.nodeid]

    def _child(self, session: pytest.Session, tests: list[pytest.Item], begin: Callable[[], bool], out: int) -> None:
        """Never returns; says on `out` which test failed, or why none did."""
        status = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            os.write(out, (self._first_failing(session, tests) if begin() else "nothing alive runs it").encode())
            status = 0
        finally:
            os._exit(status)

    def _first_failing(self, session: pytest.Session, tests: list[pytest.Item]) -> str:
        end = time.monotonic() + self.seconds
        for count, item in enumerate(tests):
            if time.monotonic() > end:
                return f"{count} of {len(tests)} tests in {self.seconds:g} s"
            signal.alarm(int(HANGS_SECONDS + 10 * self._took[item.nodeid]))
            reports = runtestprotocol(item, log=False, nextitem=Kept(session))  # type: ignore[arg-type]
            if any(report.failed for report in reports):
                return item.nodeid
        return f"none of {len(tests)} tests"


def _close_connections() -> None:
    from django.db import connections  # only after pytest has set Django up

    connections.close_all()


def _empty_database(session: pytest.Session) -> None:
    """What a test left that did not end."""
    from django.core.management import call_command
    from pytest_django.plugin import blocking_manager_key

    with session.config.stash[blocking_manager_key].unblock():
        call_command("flush", verbosity=0, interactive=False)
    _close_connections()
