"""A write to a provider, sent at most once: the intent is journaled, then the call, then the outcome.

In: a step context and the write. Out: its answer; where that was lost, or a worker was killed in between, the caller
looks up what happened. Nothing is sent again, because no provider has idempotency keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from operations.engine.context import StepContext
from operations.periodic.clock import database_time
from providers.errors import ProviderError
from providers.http.errors import RateLimited, Unavailable, UnknownOutcome


class Identified(Protocol):
    @property
    def id(self) -> str: ...


Answer = TypeVar("Answer")
Made = TypeVar("Made", bound=Identified)
Errors = tuple[type[ProviderError], ...]
NEVER_LEFT: Errors = (RateLimited, Unavailable)


def once(ctx: StepContext, write: Callable[[], Answer], *, without_effect: Errors = NEVER_LEFT) -> Answer | None:
    """Send the write; None where its answer is lost, now or in an earlier attempt.

    Errors `without_effect` are raised and leave no intent: the write may be sent again."""
    if ctx.state.get("asked_at"):
        return None
    ctx.state["asked_at"] = database_time().isoformat(timespec="seconds")
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

    def brought_about(
        self, ctx: StepContext, look: Callable[[], Answer | None], write: Callable[[], object], otherwise: str
    ) -> Answer:
        """Write once where `look` sees nothing yet, and look until it does. Raises ProviderError(otherwise)."""
        if (seen := look()) is None:
            once(ctx, write)
            seen = self.until(ctx, look)
        if seen is None:
            raise ProviderError(otherwise)
        return seen

    def made(
        self,
        ctx: StepContext,
        listed: Callable[[], Iterable[Made]],
        write: Callable[[], Made | None],
        ours: Callable[[Made], bool] = lambda one: True,
        looks: int | None = None,
    ) -> Made | None:
        """What a write, sent once, makes: what its answer names, or the one in the list that was not there before."""
        if not ctx.state.get("asked_at"):
            ctx.state["known"] = [one.id for one in listed()]
            if (made := once(ctx, write)) is not None:
                return made
        known = set(ctx.state["known"])

        def fresh() -> Made | None:
            found = {one.id: one for one in listed() if one.id not in known and ours(one)}
            if len(found) > 1:
                raise ProviderError(
                    f"{self.provider} was asked once and its answer was lost; {', '.join(sorted(found))} began since, "
                    "and none is known to be ours. Look at them before you request it again."
                )
            return next(iter(found.values()), None)

        if (seen := self.until(ctx, fresh, looks)) is not None:
            ctx.log(f"{seen.id}, which was not there before, is taken for what was asked for: the answer was lost")
        return seen

    def pause(self, ctx: StepContext) -> None:
        """Wait one interval, or less when the claim is lost; then check."""
        ctx.lost.wait(self.seconds())
        ctx.check()
