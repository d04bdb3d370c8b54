"""Whether the Python and the packages that run here have a known hole that a newer version mends.

In: the installed versions, once a day (OPS_ADVISORIES). Out: a heartbeat with what was found; the doctor's checks.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from datetime import timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

from django.conf import settings

from operations.doctor import Check, register
from operations.models import Environment, Heartbeat
from operations.periodic.clock import database_time
from providers import advisories
from providers.errors import ProviderError

NAME = "advisories"
SECONDS = 86_400.0
STALE = timedelta(days=3)
PACKAGES = "known vulnerabilities"
REACH = "Let the portal reach api.osv.dev and endoflife.date, or run make lint elsewhere: it asks the same."
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)


def installed() -> dict[str, str]:
    """The locked packages that are installed, by what is really there."""
    names = _PINNED.findall((Path(settings.BASE_DIR) / "requirements.txt").read_text())
    found = {name: _version(name) for name in names}
    return {name: version for name, version in found.items() if version}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""  # a package for another platform


def look() -> None:
    """Ask, and keep the answer; an outage keeps the last one and its age tells."""
    if not settings.OPS_ADVISORIES:
        return
    here = installed()
    try:
        known = advisories.holes(here)
        latest, ends = advisories.newest_python(".".join(platform.python_version_tuple()[:2]))
    except ProviderError as error:
        Heartbeat.objects.keep(f"{NAME}.failed", {"error": str(error)})
        return
    Heartbeat.objects.filter(name=f"{NAME}.failed").delete()
    Heartbeat.objects.keep(NAME, {"holes": known, "asked": here, "python": latest, "ends": ends})


@register
def known_fixes(environment: Environment | None) -> Iterator[Check]:
    """What should be updated, from the last answer."""
    if environment is not None:
        return
    beats = {beat.name: beat for beat in Heartbeat.objects.filter(name__startswith=NAME)}
    last, failed = beats.get(NAME), beats.get(f"{NAME}.failed")
    why = "A hole that is public is tried by everybody."
    said = failed.detail["error"] if failed else "" if settings.OPS_ADVISORIES else "OPS_ADVISORIES is off."
    if last is None:
        yield Check(PACKAGES, "idle", f"not checked. {said}".strip(), why, REACH)
        return
    is_fresh = database_time() - last.beat_at <= STALE
    if is_fresh:
        yield _python(last.detail, why)
    yield _packages(last.detail, "" if is_fresh else f"not checked since {last.beat_at:%Y-%m-%d}. {said}".strip(), why)


def _python(found: dict[str, Any], why: str) -> Check:
    running, latest = platform.python_version(), str(found["python"])
    if (ends := found.get("ends", "")) and ends <= f"{database_time():%Y-%m-%d}":
        return Check("Python", "bad", f"{running}, whose series gets no fixes any more", why, "Run a newer series.")
    if advisories.newer(latest, running):
        fix = f"Set PYTHON_VERSION to {latest} and deploy."
        return Check("Python", "warn", f"{running}; {latest} has fixes", why, fix)
    return Check("Python", "ok", f"{running}, the newest of its series", why)


def _packages(found: dict[str, Any], unasked: str, why: str) -> Check:
    """A package that was updated meanwhile is told no more, nor is it known to have no hole; one that was not updated
    has it, however long ago that was said."""
    here, asked = installed(), found.get("asked", {})
    open_ = [hole for hole in found["holes"] if here.get(hole["package"]) == hole["version"]]
    said = [
        f"{hole['package']} {hole['version']}: {hole['advisory']}, "
        + (f"fixed in {hole['fixed']}" if hole["fixed"] else "no fix yet")
        for hole in open_
    ]
    others = [f"{name} {version}" for name, version in here.items() if asked.get(name) != version]
    if others and not unasked:
        unasked = f"not asked about yet: {', '.join(others)}"[:300]
    tone = "bad" if any(hole["fixed"] for hole in open_) else "warn" if open_ else "idle" if unasked else "ok"
    fix = "Update the pins (CONTRIBUTING.md) and deploy." if open_ else REACH if unasked else ""
    told = "; ".join([*said, unasked] if unasked else said)
    return Check(PACKAGES, tone, told or "none in what is installed", why, fix)
