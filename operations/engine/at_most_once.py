"""A write to a provider, sent at most once: the intent is journaled, then the call, then the outcome.

In: a step context and the write. Out: its answer; where that was lost, or a worker was killed in between, the caller
looks up what happened. Nothing is sent again, because no provider has idempotency keys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.utils import timezone

from operations.engine.context import StepContext
from providers.errors import ProviderError
from providers.http.errors import RateLimited, Unavailable, UnknownOutcome

Answer = TypeVar("Answer")
Errors = tuple[type[ProviderError], ...]
NEVER_LEFT: Errors = (RateLimited, Unavailable)


def once(ctx: StepContext, write: Callable[[], Answer], *, without_effect: Errors = NEVER_LEFT) -> Answer | None:
    """Send the write; None where its answer is lost, now or in an earlier attempt.

    Errors `without_effect` are raised and leave no intent: the write may be sent again."""
    if ctx.state.get("asked_at"):
        return None
    ctx.state["asked_at"] = timezone.now().isoformat(timespec="seconds")
    ctx.save_state()
    try:
        return write()
    except UnknownOutcome as lost:
        ctx.log(f"{lost.message} Looking it up.")
        return None
    except without_effect:
        del ctx.state["asked_at"]
        ctx.save_state()
        raise


def answered(ctx: StepContext, write: Callable[[], object], *, without_effect: Errors = NEVER_LEFT) -> bool:
    """Send a write whose answer says nothing; whether there was one."""

    def answer() -> bool:
        write()
        return True

    return once(ctx, answer, without_effect=without_effect) is True


@dataclass(frozen=True)
class Polling:
    """How often and how long a provider is looked at after a write."""

    provider: str
    looks: int
    seconds: Callable[[], float]

    def until(self, ctx: StepContext, look: Callable[[], Answer | None], looks: int | None = None) -> Answer | None:
        """Look until there is something, a few times; None when it never came. Raises Cancelled or LeaseLost."""
        most = looks or self.looks
        for number in range(most):
            if (seen := look()) is not None:
                return seen
            ctx.progress(number + 1, most, unit="looks", note=f"waiting for {self.provider}")
            self.pause(ctx)
        return None

    def pause(self, ctx: StepContext) -> None:
        """Wait one interval, or less when the claim is lost; then check."""
        ctx.lost.wait(self.seconds())
        ctx.check()
