"""One write to Supabase, at most once: intent journaled, call, outcome. A lost answer is looked up, never repeated.

In: a step context and the call. Out: whether it was accepted; refusals become a sentence that says what to do instead.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from operations.engine.at_most_once import NEVER_LEFT, Errors, Polling, answered
from operations.engine.context import StepContext
from providers.errors import ProviderError
from providers.http.errors import NotFound, PlanTooLow, RateLimited, Rejected, Unauthorized

SUPABASE = Polling("Supabase", looks=24, seconds=lambda: settings.SUPABASE_WATCH_SECONDS)
MOST_WAIT = 90.0
DECLINED: Errors = (Unauthorized, NotFound, PlanTooLow, Rejected)
INSTEAD = "Restore it in Supabase's dashboard (Database, Backups), or bring our own run back with backups.restore."


def once(ctx: StepContext, ask: Callable[[], object], happened: Callable[[], bool], what: str) -> None:
    """Ask exactly once. Raises ProviderError where Supabase declined, or where nothing shows that it happened."""
    if ctx.state.get("accepted"):
        return
    _ask_when_free(ctx, ask, what)
    if not ctx.state.get("accepted"):
        if SUPABASE.until(ctx, lambda: happened() or None) is None:
            raise ProviderError(
                f"Supabase was asked for {what} once, at {ctx.state['asked_at']}, and its answer was lost. Neither "
                "the project's status nor the database shows so far that it began. It may begin yet, so nothing is "
                "repeated: look at Supabase's dashboard before you request it again."
            )
        ctx.state["accepted"] = True
        ctx.save_state()
    ctx.log(f"Supabase accepted {what}.")


def _ask_when_free(ctx: StepContext, ask: Callable[[], object], what: str) -> None:
    """A rate limit means that nothing was sent: wait for it to refill, twice at most."""
    for _ in range(2):
        try:
            return _ask(ctx, ask, what)
        except RateLimited as limited:
            ctx.log(limited.message)
            ctx.lost.wait(min(limited.wait, MOST_WAIT))
            ctx.check()
    return _ask(ctx, ask, what)


def _ask(ctx: StepContext, ask: Callable[[], object], what: str) -> None:
    try:
        ctx.state["accepted"] = answered(ctx, ask, without_effect=NEVER_LEFT + DECLINED)
    except DECLINED as refused:
        raise ProviderError(declined(refused, what)) from None
    ctx.save_state()


def declined(error: ProviderError, what: str) -> str:
    """Why Supabase declined, as a state of its own for each answer, with what to do instead."""
    why = {
        Unauthorized: "The token may not do this: it is wrong or expired (401), or the endpoint is closed to it (403)",
        NotFound: "Supabase no longer has it (404)",
        PlanTooLow: "The project's plan does not include it (402)",
        Rejected: "Supabase declined it",
    }.get(type(error), "Supabase declined it")
    return f"{why}: {what} was not started and the project is as it was. {error.message} {INSTEAD}"
