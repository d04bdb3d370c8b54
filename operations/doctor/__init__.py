"""Is everything well, and if not, what to do: a registry of checks that every app extends in AppConfig.ready.

In: functions from an environment (None: the portal and every environment) to Checks. Out: `run()`, which the command,
the page and the hourly job share. A check that breaks is a red check, never an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from operations.models import Environment
from providers.redact import redact

TONES = ("bad", "warn", "ok", "idle")


@dataclass(frozen=True)
class Check:
    """`tone` is ok, warn (amber), bad (red) or idle; `why` says what is at stake, `fix` what to do."""

    name: str
    tone: str
    found: str
    why: str = ""
    fix: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


CheckSource = Callable[[Environment | None], Iterable[Check]]
_sources: dict[str, CheckSource] = {}


def register(source: CheckSource) -> CheckSource:
    """Add a source under its function's name. Raises ValueError when another one has it."""
    held = _sources.setdefault(source.__name__, source)
    if (held.__module__, held.__qualname__) != (source.__module__, source.__qualname__):
        raise ValueError(f"{held.__module__} and {source.__module__} both name a doctor's source {source.__name__}")
    return source


def names() -> list[str]:
    return sorted(_sources)


def run(environment: Environment | None = None, only: str = "") -> list[Check]:
    """Every check, worst first. `only` is a source's name, or a part of the checks' names."""
    chosen = {only: _sources[only]} if only in _sources else _sources
    checks = [check for name, source in chosen.items() for check in _checks_of(name, source, environment)]
    if only and only not in _sources:
        checks = [check for check in checks if only.lower() in check.name.lower()]
    return sorted(checks, key=lambda check: TONES.index(check.tone))


def worst(checks: Iterable[Check]) -> str:
    """The worst tone of these, idle counting as ok."""
    tones = {check.tone for check in checks}
    return next((tone for tone in ("bad", "warn") if tone in tones), "ok")


def _checks_of(name: str, source: CheckSource, environment: Environment | None) -> list[Check]:
    try:
        with transaction.atomic():
            return [_clean(check) for check in source(environment)]
    except Exception as error:
        message = redact(f"{type(error).__name__}: {error}")
        return [Check(name.replace("_", " "), "bad", f"The check itself failed. {message}", fix="See the log.")]


def _clean(check: Check) -> Check:
    return Check(check.name, check.tone, redact(check.found), check.why, redact(check.fix))
