"""Cuts a table into ctid ranges of about one segment each, learning from what was stored. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backups.archive.segment_codec import TARGET_BYTES

LARGE = 4  # segments from which a table's last ones are cut smaller, down to a fourth
FIRST_GUESS = 0.45  # stored bytes per byte of table, binary or CSV at zstd level 1 (measured 0.39 to 0.44)


@dataclass
class Cutter:
    """`next_range()` until None; `learn()` after each stored range. The last range is open, so nothing is missed.

    With several `members` the last ranges of a large table become smaller, so that all of them end together.
    """

    pages: int
    table_bytes: int
    members: int = 1
    page: int = 0
    ratio: float = FIRST_GUESS
    done: bool = False

    def next_range(self) -> tuple[tuple[int, int], tuple[int, int] | None] | None:
        if self.done:
            return None
        start = self.page
        self.page = start + self._pages_each()
        if self.page >= self.pages:
            self.done = True
            return (start, 0), None
        return (start, 0), (self.page, 0)

    def _pages_each(self) -> int:
        page_bytes = max(self.table_bytes / max(self.pages, 1), 1)
        whole = max(1, int(TARGET_BYTES / (page_bytes * self.ratio)))
        if self.members == 1 or self.pages < LARGE * whole:
            return whole
        return max(1, min(whole, max((self.pages - self.page) // (2 * self.members), whole // LARGE)))

    def learn(self, pages: int, stored_bytes: int) -> None:
        page_bytes = max(self.table_bytes / max(self.pages, 1), 1)
        if pages > 0 and stored_bytes > 0:
            self.ratio = min(2.0, max(0.01, stored_bytes / (pages * page_bytes)))

    def __iter__(self) -> Iterator[tuple[tuple[int, int], tuple[int, int] | None]]:
        while (part := self.next_range()) is not None:
            yield part
