"""The doctor on the home page: silent while nothing is red or amber.

In: the last kept round of checks, from the frame of the request. Out: a Panel, or nothing.
"""

from __future__ import annotations

from django.http import HttpRequest

from operations import navigation, panels
from operations.doctor import Check
from operations.panels import Panel
from operations.web.html import relative
from sampelit_ops import frame


def doctor(request: HttpRequest) -> Panel | None:
    """The first finding in words, the number of the others."""
    known = frame.of(request)
    checks = [Check(**check) for check in known.doctor_checks or []]
    found = [check for check in checks if check.tone == "bad"] or [check for check in checks if check.tone == "warn"]
    if known.doctor_at is None or not found:
        return None
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    tone = found[0].tone
    answer = f"{found[0].name[:40]}{more}"
    detail = f"{found[0].found[:100]}; checked {relative(known.doctor_at)}"
    return Panel("Doctor", answer, tone, "red" if tone == "bad" else "amber", detail, navigation.page("admin:doctor"))


def register() -> None:
    panels.register(60, doctor)
