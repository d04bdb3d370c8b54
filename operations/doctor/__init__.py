"""Is everything well, and if not, what to do: a registry of checks that every app extends in AppConfig.ready.

In: functions from an environment (None: the portal and every environment) to Checks. Out: `run()`, which the command,
the page and the hourly job share. A check that breaks is a red check, never an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.db import DatabaseError, transaction

from operations.doctor.duties import duties
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
_rests_on: dict[str, str] = {}


def register(source: CheckSource, rests_on: str = "") -> CheckSource:
    """Add a source under its function's name. Raises ValueError when another one has it.

    `rests_on`: the periodic job that reads what it says; while that job is late, nothing of it is well."""
    held = _sources.setdefault(source.__name__, source)
    if (held.__module__, held.__qualname__) != (source.__module__, source.__qualname__):
        raise ValueError(f"{held.__module__} and {source.__module__} both name a doctor's source {source.__name__}")
    _rests_on[source.__name__] = rests_on
    return source


def names() -> list[str]:
    return sorted(_sources)


def run(environment: Environment | None = None, only: str = "") -> list[Check]:
    """Every check, worst first. `only` is a source's name, or a part of the checks' names."""
    chosen = {only: _sources[only]} if only in _sources else _sources
    late = _late() if any(_rests_on.get(name) for name in chosen) else {}
    checks = [
        _as_old(check, late[_rests_on[name]]) if _rests_on.get(name) in late else check
        for name, source in chosen.items()
        for check in _checks_of(name, source, environment)
    ]
    if only and only not in _sources:
        checks = [check for check in checks if only.lower() in check.name.lower()]
    return sorted(checks, key=lambda check: TONES.index(check.tone))


def _late() -> dict[str, float | None]:
    """The jobs that are late; none where the portal's database does not answer, which each check says itself."""
    try:
        return {duty.name: duty.seconds_ago for duty in duties() if duty.is_late}
    except DatabaseError:
        return {}


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


def _as_old(check: Check, seconds: float | None) -> Check:
    """What was well when it was last looked at, too long ago or never by its job, is not known to be."""
    since = "though its job never began" if seconds is None else f"as of {seconds / 60:.0f} minutes ago"
    return replace(check, tone="warn", found=f"{check.found}, {since}") if check.tone == "ok" else check


def _clean(check: Check) -> Check:
    return Check(check.name, check.tone, redact(check.found), check.why, redact(check.fix))
