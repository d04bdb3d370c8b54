"""The Render client for this portal's settings, and what a person is told when Render cannot be reached."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from deployments.models import SyncState
from deployments.models.sync_state import MOST_UNREAD
from operations.notify import alarm
from operations.periodic.clock import database_time
from providers.errors import ProviderError, Refused
from providers.render import Render

LASTS = timedelta(minutes=5)
AT_ONCE = ("Unauthorized", "Refused")


def configured() -> bool:
    return bool(settings.RENDER_API_KEY)


def render(*, deadline: float = 45.0, timeout: tuple[float, float] = (5.0, 20.0)) -> Render:
    """The client; its rate-limit memory is shared by this process. Raises Refused without a key."""
    if not configured():
        raise Refused(
            "RENDER_API_KEY is not set. Nothing was asked of Render. "
            "Create a key in Render (Account settings, API keys) and set the variable on every service of the portal."
        )
    return _client(settings.RENDER_API_KEY, settings.RENDER_API_BASE, deadline, timeout)


def quick() -> Render:
    """For pages and polls: gives up after a few seconds, so that a slow Render never blocks the portal."""
    return render(deadline=4.0, timeout=(2.0, 4.0))


@functools.lru_cache(maxsize=8)
def _client(key: str, base: str, deadline: float, timeout: tuple[float, float]) -> Render:
    return Render(key, base, timeout=timeout, deadline=deadline)


def note_answer(
    error: ProviderError | Refused | None, at: datetime | None = None, unread: Sequence[str] | None = None
) -> bool:
    """Remembers whether Render answers and what could not be recorded; True where it changed. People hear of silence
    that lasts, and of its end once it has kept: one failed poll is no news.
    """
    now = at or database_time()
    state = SyncState.objects.filter(pk=1).first() or SyncState(pk=1)
    kind = type(error).__name__ if error else ""
    left_out = state.unread if unread is None else [line[:300] for line in unread[:MOST_UNREAD]]
    if state.pk and state.error_kind == kind and (error or state.ok_since) and state.unread == left_out:
        _tell(state, now)
        return False
    state.unread = left_out
    state.error, state.error_kind = (str(error)[:500] if error else ""), kind
    state.error_since, state.ok_since = (state.error_since or now, state.ok_since) if error else (None, now)
    state.save()
    _tell(state, now)
    return True


def _tell(state: SyncState, now: datetime) -> None:
    """What only a person mends is told at once."""
    subject = "Render cannot be read"
    if state.error_since:
        if state.error_kind in AT_ONCE or now - state.error_since >= LASTS:
            alarm("render", True, subject=subject, body=state.error)
    elif state.ok_since and now - state.ok_since >= LASTS:
        alarm("render", False, subject=subject)
