"""What pages show of a provider: fetched beside them, kept with its age.

A page waits once and shortly, where nothing is kept and the provider answered lately; while it does not, no page waits,
and none fails: what could not be read is named in `missing`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import connections
from django.http import HttpRequest

from deployments.render import client
from operations import supabase_projects
from operations.authority import holds
from operations.models import Environment
from providers import outside
from providers.errors import ProviderError
from providers.http.errors import is_silence
from providers.redact import redact

PATIENCE_SECONDS = 1.0
KEPT_SECONDS = 60
SHOWN_SECONDS = 3600  # older answers are not shown
PAUSE_SECONDS = 20  # after a failure nothing is asked again for so long, for that page or, after silence, for any
MOST_ASKED = 12
LOGS = ("postgres_logs", "function_logs")
LOGS_SPAN = timedelta(hours=24)  # Supabase answers no longer time at once
Reader = Callable[[Any], Any]  # of the provider's client
logger = logging.getLogger(__name__)
_pool = ThreadPoolExecutor(max_workers=6, thread_name_prefix="render-page")


@dataclass(frozen=True)
class Source:
    """A provider as pages ask it."""

    name: str
    variable: str
    configured: Callable[[], bool]
    quick: Callable[[], Any]

    @property
    def left_alone(self) -> str:
        return f"{self.name.lower()}:left-alone"

    @property
    def not_asked(self) -> str:
        return (
            f"{self.name} did not answer a moment ago and is not asked by every page; load this one again in half a "
            "minute"
        )


RENDER = Source("Render", "RENDER_API_KEY", client.configured, client.quick)
SUPABASE = Source("Supabase", "SUPABASE_ACCESS_TOKEN", supabase_projects.configured, supabase_projects.quick)


@dataclass(frozen=True)
class _Kept:
    """The answers of one page as they came, and why some are missing."""

    answers: dict[str, Any] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    at: float = field(default_factory=time.time)

    @property
    def age(self) -> float:
        return time.time() - self.at


_fetches: dict[str, dict[str, Future[Any]]] = {}  # by page, what is being asked


def read(
    key: str, readers: Mapping[str, Reader], kept_seconds: int = KEPT_SECONDS, source: Source = RENDER
) -> tuple[dict[str, Any], list[str]]:
    """The answers by name, and what could not be read with the reason, or how old it is."""
    kept: _Kept | None = cache.get(key)
    if kept is not None and kept.age < kept_seconds and not kept.missing:
        return kept.answers, []
    if not source.configured():
        return {}, [f"{source.variable} is not set"]
    fetch = _begin(key, readers, source)
    try:
        if kept is None and fetch:
            with outside.waiting():
                wait(fetch.values(), timeout=PATIENCE_SECONDS)
    except outside.Busy as busy:
        return {}, [busy.message]
    kept = _collect(key, fetch, kept, source)
    old = [f"as of {kept.age:.0f} s ago; it is being read again"] if kept.age >= kept_seconds else []
    return kept.answers, kept.missing + old


def _left_alone(key: str) -> str:
    """For a page whose questions had a bad answer: that is no business of other pages."""
    return f"{key}:left-alone"


def _begin(key: str, readers: Mapping[str, Reader], source: Source) -> dict[str, Future[Any]]:
    """What is asked for this page, once at a time; nothing new while it is left alone or others fill the pool."""
    asked = sum(not future.done() for fetch in list(_fetches.values()) for future in fetch.values())
    if key not in _fetches and asked < MOST_ASKED and not cache.get_many([source.left_alone, _left_alone(key)]):
        api = source.quick()
        _fetches[key] = {name: _pool.submit(_ask, reader, api) for name, reader in readers.items()}
    return _fetches.get(key, {})


def _ask(reader: Reader, api: Any) -> Any:
    """In a thread of the pool, whose session with the portal's database ends with the question."""
    try:
        return reader(api)
    finally:
        connections.close_all()


def _collect(key: str, fetch: Mapping[str, Future[Any]], before: _Kept | None, source: Source) -> _Kept:
    """What has come, kept where all of it has; what came before stands in for what has not."""
    answers, missing, left_alone = dict(before.answers) if before else {}, [], _left_alone(key)
    for name, future in fetch.items():
        try:
            answers[name] = future.result(timeout=0)
        except TooLate:
            missing.append(f"{name}: {source.name} is slow; it is asked beside this page")
            left_alone = source.left_alone
        except ProviderError as error:
            missing.append(f"{name}: {error.message}")
            left_alone = source.left_alone if is_silence(error) else left_alone
        except Exception as error:
            logger.exception("%s of %s could not be read", name, key)
            missing.append(f"{name}: what {source.name} answered could not be read ({type(error).__name__})")
    if not fetch:
        return before or _Kept(missing=[source.not_asked])
    if missing:
        cache.set(left_alone, True, PAUSE_SECONDS)
    kept = _Kept(answers, missing, before.at if missing and before else time.time())
    if all(future.done() for future in fetch.values()):
        cache.set(key, kept, SHOWN_SECONDS)
        _fetches.pop(key, None)
    return kept


def supabase_log(
    request: HttpRequest, environment: Environment | None, start: datetime, end: datetime, key: str
) -> dict[str, Any]:
    """`supabase_log` and why it is missing; nothing where there is no project or no token, or the person may not.

    A database's log may quote rows: it is for those who may act on the service, and secrets are cut out of it."""
    if environment is None or not environment.supabase_ref or not SUPABASE.configured():
        return {}
    if not holds(request.user, "deployments.maintain", environment):
        return {}
    ref, start = environment.supabase_ref, max(start, end - LOGS_SPAN)
    readers = {"log": lambda api: api.logs.tail(ref, LOGS, start, end)}
    answers, missing = read(f"supabase:{ref}:{key}", readers, source=SUPABASE)
    lines = [replace(line, message=redact(line.message)) for line in answers.get("log", [])]
    return {"supabase_log": lines, "supabase_missing": missing, "supabase_asked": True}
