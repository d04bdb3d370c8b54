"""The Management API's client for this portal's settings. In: SUPABASE_ACCESS_TOKEN. Out: `supabase()`, or Refused."""

from __future__ import annotations

import functools

from django.conf import settings

from operations.models import Environment
from providers.errors import Refused
from providers.supabase import Supabase


def configured() -> bool:
    return bool(settings.SUPABASE_ACCESS_TOKEN)


def supabase(*, deadline: float = 45.0, timeout: tuple[float, float] = (5.0, 30.0)) -> Supabase:
    """The client; its rate-limit memory is shared by this process. Raises Refused without a token."""
    if not configured():
        raise Refused(
            "SUPABASE_ACCESS_TOKEN is not set. Nothing was asked of Supabase. Create a token in Supabase (Account, "
            "Access Tokens) and set the variable on every service of the portal."
        )
    return _client(settings.SUPABASE_ACCESS_TOKEN, settings.SUPABASE_API_BASE, deadline, timeout)


def quick() -> Supabase:
    """For pages: gives up after a few seconds, so that a slow Supabase never blocks the portal."""
    return supabase(deadline=4.0, timeout=(2.0, 4.0))


def ref_of(environment: Environment) -> str:
    """The project's ref. Raises Refused where the environment has none."""
    if not environment.supabase_ref:
        raise Refused(
            f"{environment} has no Supabase project. Nothing was asked of Supabase. "
            "Run manage.py setup, or choose the project on the set-up page."
        )
    return environment.supabase_ref


@functools.lru_cache(maxsize=8)
def _client(token: str, base: str, deadline: float, timeout: tuple[float, float]) -> Supabase:
    return Supabase(token, base, timeout=timeout, deadline=deadline)
