"""The doctor on the home page: silent while nothing is red or amber.

In: the last kept round of checks. Out: a Panel, or nothing.
"""

from __future__ import annotations

from django.http import HttpRequest

from operations import navigation, panels
from operations.doctor import jobs
from operations.panels import Panel
from operations.web.html import relative


def doctor(request: HttpRequest) -> Panel | None:
    """The first finding in words, the number of the others."""
    beat, checks = jobs.kept()
    found = [check for check in checks if check.tone == "bad"] or [check for check in checks if check.tone == "warn"]
    if beat is None or not found:
        return None
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    tone = found[0].tone
    answer = f"{found[0].name[:40]}{more}"
    detail = f"{found[0].found[:100]}; checked {relative(beat.beat_at)}"
    return Panel("Doctor", answer, tone, "red" if tone == "bad" else "amber", detail, navigation.page("admin:doctor"))


def register() -> None:
    panels.register(60, doctor)
