"""What a running step sees and may do: its operation, progress, log, result, resumable state and the cancel check."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Concat, Right
from django.utils import timezone

from operations.engine.claim import Lease, LeaseLost, lock, write
from operations.engine.sealing import unseal
from operations.engine.specs import Part
from operations.models import Environment, Operation, Step, StepStatus
from providers.redact import current as redactor
from providers.redact import learn, redact

logger = logging.getLogger("operations.step")
LOG_LIMIT = 200_000


class Cancelled(Exception):
    """A person asked to stop; the step ends at the next border between chunks, with what it has to say of that."""


class NotYet(Exception):
    """The step journaled how far it is and goes on in so many seconds; other work of its pool comes before it."""

    def __init__(self, seconds: float = 0) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Limits(NamedTuple):
    """Seconds a step may take in all, and seconds it may stand still."""

    deadline: float
    stall: float


class StepContext:
    """One claim's view of one step. `check()` belongs at every chunk border; progress keeps the lease alive.

    `part`: which of several acts the step belongs to; what it reads and leaves is then that act's.
    """

    part: Part | None = None
    ends_as = StepStatus.SUCCEEDED

    def __init__(self, operation: Operation, row: Step, limits: Limits, lease: Lease) -> None:
        self.operation, self.row, self.limits, self.lease = operation, row, limits, lease
        self.state: dict[str, Any] = dict(row.detail)
        self.moved_at = time.monotonic()
        self.began_at = time.monotonic()
        self.lost = threading.Event()
        self.cancelled = threading.Event()
        self._progress: dict[str, Any] = {}
        self._stored_at = 0.0

    @property
    def environment(self) -> Environment:
        return self.operation.environment

    @property
    def parameters(self) -> dict[str, Any]:
        return dict(self.part.parameters if self.part else self.operation.parameters)

    @property
    def key(self) -> str:
        """Names what this act makes once: the operation's id, or its part's."""
        return self.part.key if self.part else self.operation.pk

    @property
    def risk(self) -> str:
        """What people voted on."""
        return self.part.risk if self.part else self.operation.risk

    @property
    def fence(self) -> int:
        return self.lease.fence

    @property
    def attempt(self) -> int:
        return self.row.attempt

    def check(self) -> None:
        """Raise LeaseLost or Cancelled when this claim must stop (always-steps are never cancelled)."""
        if self.lost.is_set():
            raise LeaseLost(self.operation.pk)
        if self.cancelled.is_set() and not self.row.always:
            raise Cancelled

    def progress(self, done: int, total: int | None = None, unit: str = "rows", note: str = "", **more: Any) -> None:
        """Say how far it is; stored at most once a second, always before the lease is extended."""
        self.moved_at = time.monotonic()
        self._progress = {
            "step": self.row.name,
            "done": done,
            "total": total,
            "unit": unit,
            "note": note,
            "seconds": round(self.moved_at - self.began_at, 1),
            **more,
        }
        if self.moved_at - self._stored_at > 1:
            self.store_progress()
        self.check()

    def store_progress(self) -> None:
        """Write the newest progress under the lease (called by `progress` and at the step's end)."""
        if self._progress:
            self._stored_at = time.monotonic()
            write(self.lease, progress=self._progress)

    def count_anew(self) -> None:
        """It got somewhere: what ends it from here on does not count with the attempts that got nowhere."""
        with transaction.atomic():
            lock(self.lease)
            self.row.attempt = 0
            Step.objects.filter(pk=self.row.pk).update(attempt=0)

    def log(self, line: str) -> None:
        """Append one timed line to the operation's log, keeping its newest 200,000 characters."""
        self.moved_at = time.monotonic()
        line = redact(line)
        logger.info(line, extra={"operation": self.operation.pk, "step": self.row.name})
        stamped = f"{timezone.now():%H:%M:%S} {self.row.name}: {line}\n"
        write(self.lease, log=Right(Concat("log", Value(stamped)), LOG_LIMIT))

    def not_needed(self, why: str = "") -> None:
        """This operation has no use for the step: it is journaled as skipped, never as done."""
        self.ends_as = StepStatus.SKIPPED
        if why:
            self.log(why)

    def result(self, **values: Any) -> None:
        """Merge values into the operation's result; those of a part stand under its name."""
        if self.part:
            name = f"{self.part.number} {self.part.label}"
            values = {name: {**self.operation.result.get(name, {}), **values}}
        self.operation.result = {**self.operation.result, **values}
        write(self.lease, result=self.operation.result)

    def save_state(self) -> None:
        """Journal `self.state`, so that a later attempt resumes instead of repeating."""
        with transaction.atomic():
            lock(self.lease)
            Step.objects.filter(pk=self.row.pk).update(detail=redactor().value(self.state))

    def state_of(self, step: str) -> dict[str, Any]:
        """What another step of this operation journaled, for those that come after it; empty where there is none."""
        name = self.part.name(step) if self.part else step
        details = Step.objects.filter(operation=self.operation, name=name).values_list("detail", flat=True)
        return dict(details.first() or {})

    def secret(self, name: str) -> str:
        """A secret parameter in clear, in memory only; raise Refused where it was erased."""
        value = unseal(self.operation, name)
        learn(value)
        return value
