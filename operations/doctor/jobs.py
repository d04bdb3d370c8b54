"""The hourly round: the checks' results are kept for the page and the home page, and a flip of red is told once."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from operations import doctor
from operations.engine import tick
from operations.models import Heartbeat
from operations.notify import alarm

NAME = "doctor"
SECONDS = 3600.0


def round_of_checks() -> list[doctor.Check]:
    """Run everything, keep it, alarm once when red begins or ends."""
    checks = doctor.run()
    tone = doctor.worst(checks)
    detail: dict[str, Any] = {"tone": tone, "checks": [check.as_json() for check in checks]}
    Heartbeat.objects.update_or_create(name=NAME, defaults={"beat_at": timezone.now(), "detail": detail})
    red = "\n".join(f"{check.name}: {check.found}. {check.fix}" for check in checks if check.tone == "bad")
    alarm("doctor", tone == "bad", subject="The doctor found something red", body=red, path="/admin/doctor/")
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
        portal,
        sign_on,
        tokens,
        variables,
        votes,
    )

    tick.every("doctor", SECONDS, round_of_checks)
    tick.every("advisories", advisories.SECONDS, advisories.look)
