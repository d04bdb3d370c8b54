"""The hourly round: its results are kept for the page and the home page; a finding that turns red, or back, is told."""

from __future__ import annotations

from operations import doctor
from operations.engine import tick
from operations.models import Heartbeat
from operations.notify import alarm

NAME = "doctor"
SECONDS = 3600.0


def round_of_checks() -> list[doctor.Check]:
    """Run everything, keep it, alarm once for each finding when its red begins or ends."""
    _, before = kept()
    checks = doctor.run()
    tone = doctor.worst(checks)
    Heartbeat.objects.keep(NAME, {"tone": tone, "checks": [check.as_json() for check in checks]})
    was_red = {check.name for check in before if check.tone == "bad"}
    red = {check.name: check for check in reversed(checks) if check.tone == "bad"}
    for name in sorted(was_red | set(red)):
        body = f"{red[name].found}. {red[name].why} {red[name].fix}" if name in red else "It is no longer found."
        alarm(f"doctor:{name}", name in red, subject=f"Doctor: {name}", body=body, path="/admin/doctor/")
    return checks


def kept() -> tuple[Heartbeat | None, list[doctor.Check]]:
    """The last round, for pages."""
    beat = Heartbeat.objects.filter(name=NAME).first()
    return beat, [doctor.Check(**check) for check in beat.detail["checks"]] if beat else []


def register() -> None:
    from operations.doctor import (  # noqa: F401  they register themselves
        advisories,
        databases,
        factors,
        memory,
        people,
        periodic,
        portal,
        sign_on,
        tokens,
        variables,
        votes,
    )

    tick.every("doctor", SECONDS, round_of_checks)
    tick.every("advisories", advisories.SECONDS, advisories.look)
