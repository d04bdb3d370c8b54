"""How a long piece of work reports and is stopped: values and callables, so steps and commands share one pipeline."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any


def nothing(*_: object, **__: object) -> None:
    """The report of a piece of work that nobody watches."""


@dataclass(frozen=True)
class Watch:
    """`progress(done, total, unit, note)` after each chunk; `check()` raises to stop; `log(line)` for people.

    `owner` is the operation whose lease `check` asks for: an older session of the same owner may be ended.
    """

    progress: Callable[..., None] = nothing
    check: Callable[[], None] = nothing
    log: Callable[[str], None] = nothing
    owner: str = ""


SILENT = Watch()


MOST_TABLES = 40  # the newest; a report is one small JSON


@dataclass
class TableTally:
    """`done` of `total` bytes, as the table's size is counted; `seconds` since its first byte was asked for."""

    name: str
    total: int
    began: float
    done: float = 0
    rows: int = 0
    seconds: float = 0

    def document(self) -> dict[str, Any]:
        seconds = round(self.seconds, 1)
        return {"table": self.name, "done": int(self.done), "total": self.total, "rows": self.rows, "seconds": seconds}


@dataclass
class Tally:
    """Running totals of a step, from one thread or two; `count` tables in all."""

    total: int
    count: int
    clock: Callable[[], float] = time.monotonic
    tables: dict[str, TableTally] = field(default_factory=dict)
    newest: dict[str, dict[str, Any]] = field(default_factory=dict)
    done: float = 0
    rows: int = 0
    lock: Lock = field(default_factory=Lock)

    def begin(self, name: str, total: int, watch: Watch) -> None:
        """The next table; told at once, because its first segment may take long."""
        with self.lock:
            self.newest[name] = self.tables.setdefault(name, TableTally(name, total, self.clock())).document()
            if len(self.newest) > MOST_TABLES:
                del self.newest[next(iter(self.newest))]
        self.tell(name, watch)

    def add(self, name: str, done: float, rows: int, watch: Watch) -> None:
        """So much more of a table is done; tell it."""
        with self.lock:
            table = self.tables[name]
            done = min(done, table.total - table.done)
            table.done += done
            table.rows += rows
            self.done += done
            self.rows += rows
            table.seconds = self.clock() - table.began
            if name in self.newest:
                self.newest[name] = table.document()
        self.tell(name, watch)

    def tell(self, name: str, watch: Watch) -> None:
        watch.progress(
            min(int(self.done), self.total),
            self.total,
            "bytes",
            name,
            rows=self.rows,
            tables=list(self.newest.values()),
            waiting=self.count - len(self.tables),
        )
