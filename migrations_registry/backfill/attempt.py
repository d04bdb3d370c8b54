"""An application whose one step runs in batches: the target's marks are its journal, the portal's row their summary."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from migrations_registry.apply.attempt import Attempt
from migrations_registry.apply.measured import Account

POLL_SECONDS = 0.2
KEYS = "keys"


@dataclass
class BatchAttempt(Attempt):
    """`walked` of `total` keys are passed, as far as anybody knows; `began`: when this slice did."""

    total: int = 0
    walked: int = 0
    began: float = 0

    @property
    def step(self) -> dict[str, Any]:
        (step,) = self.row.steps
        return step

    def judge(self, step: dict[str, Any], account: Account) -> None:
        """Written down when a batch did something that no earlier one did; the marks count the rows."""
        if account.refusal:
            raise account.refusal
        journal = account.journal()
        known = step.get("effects", {}).get("changes", [])
        new = [change for change in journal["changes"] if change not in known]
        if new:
            journal["changes"] = [*known, *new]
            self.note(step, effects=journal)

    def recall(self) -> None:
        """What the slice before told: while it stands still nobody asks the target."""
        told = self.ctx.operation.progress
        if told.get("unit") == KEYS:
            self.walked, self.total = told["done"], told["total"]

    def rest(self, seconds: float, note: str = "") -> None:
        """Sleep in pieces, so that whoever stops it is heard; progress moves meanwhile."""
        until = time.monotonic() + seconds
        while True:
            self.tell(note)
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(POLL_SECONDS, left))

    def tell(self, note: str = "", *, stands: bool = False) -> None:
        """How far it is; while it `stands` nobody can say when it ends."""
        spent = 0 if stands else self.step.get("seconds", 0) + time.monotonic() - self.began
        self.ctx.progress(self.walked, max(self.total, self.walked), KEYS, note, seconds=round(spent, 1))
