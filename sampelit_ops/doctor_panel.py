"""The doctor on the home page: silent while nothing is red or amber.

In: the last kept round of checks, from the frame of the request. Out: a Panel, or nothing.
"""

from __future__ import annotations

from django.http import HttpRequest

from operations import home_panels, navigation
from operations.doctor import Check, jobs
from operations.home_panels import Panel
from operations.web.formatting import relative
from sampelit_ops import frame


def doctor(request: HttpRequest) -> Panel | None:
    """How many findings of the worst tone, and the first in words."""
    known = frame.of(request)
    checks = [Check(**check) for check in known.doctor_checks or []]
    found = [check for check in checks if check.tone == "bad"] or [check for check in checks if check.tone == "warn"]
    if known.doctor_at is None or not found:
        return None
    first, count = found[0], len(found)
    answer = f"{count} findings" if count > 1 else "1 finding"
    detail = f"{first.name}: {first.found[:100]} · checked {relative(known.doctor_at)}"
    badge = "red" if first.tone == "bad" else "amber"
    return Panel("Doctor", answer, first.tone, badge, detail, navigation.page("admin:doctor"))


def register() -> None:
    """The card, and the hourly round; called after the ledger's hourly verification was registered, which it reads."""
    jobs.register()
    home_panels.register(60, doctor)
