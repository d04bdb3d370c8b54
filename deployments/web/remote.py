"""What pages read from Render while they are drawn: all at once, within two and a half seconds, kept for a minute.

A page never fails because Render does: what could not be read is named in `missing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as TooLate
from typing import Any

from django.core.cache import cache

from deployments.render.client import configured, quick
from providers import outside
from providers.errors import ProviderError
from providers.render import Render

PATIENCE_SECONDS = 2.5
KEPT_SECONDS = 60
Reader = Callable[[Render], Any]
_pool = ThreadPoolExecutor(max_workers=6, thread_name_prefix="render-page")


def read(key: str, readers: Mapping[str, Reader], kept_seconds: int = KEPT_SECONDS) -> tuple[dict[str, Any], list[str]]:
    """The answers by name, and what could not be read with the reason."""
    cached = cache.get(key)
    if cached is not None:
        return cached, []
    if not configured():
        return {}, ["RENDER_API_KEY is not set"]
    api = quick()
    waiting = {name: _pool.submit(reader, api) for name, reader in readers.items()}
    answers: dict[str, Any] = {}
    missing = []
    try:
        with outside.waiting():
            wait(waiting.values(), timeout=PATIENCE_SECONDS)
    except outside.Busy as busy:
        return {}, [busy.message]
    for name, future in waiting.items():
        try:
            answers[name] = future.result(timeout=0)
        except TooLate:
            missing.append(f"{name}: Render is slow")
        except ProviderError as error:
            missing.append(f"{name}: {error.message}")
    if not missing:
        cache.set(key, answers, kept_seconds)
    return answers, missing
