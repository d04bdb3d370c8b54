"""How large the next batch is and how long to rest before it, from how the last ones went. Pure.

In: seconds for which a batch changed rows, or that it gave way. Out: keys, seconds.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

CHANGING_SECONDS = 0.02  # of the 0.1 for which a writer of the same rows may have to wait
FIRST, MOST = 50, 20_000
REST_LEAST, REST_MOST = 0.01, 5.0
SECONDS_BEHIND, MEGABYTES_BEHIND = 5.0, 64.0


@dataclass
class Pace:
    """`size` in keys; `refusals`: batches in a row that gave way to somebody else."""

    size: int = FIRST
    refusals: int = 0
    rest: float = REST_LEAST

    def done(self, changing: float, whole: float) -> None:
        """Half of the time is left to everybody else. The size follows the change alone: what comes behind it until
        the rows are free takes as long for one row as for a thousand."""
        self.refusals = 0
        factor = min(1.5, max(0.25, CHANGING_SECONDS / max(changing, 0.001)))
        self.size = max(1, min(MOST, int(self.size * factor) or 1))
        self.rest = min(REST_MOST, max(REST_LEAST, whole))

    def gave_way(self) -> None:
        """Half as many, after a rest that doubles, with jitter."""
        self.refusals += 1
        self.size = max(1, self.size // 2)
        longest = min(REST_MOST, REST_LEAST * 2**self.refusals)
        self.rest = longest * random.uniform(0.5, 1)  # noqa: S311 - jitter
