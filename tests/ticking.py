"""A periodic job as the ticker runs it: found by the name under which an app registered it, once a period."""

from __future__ import annotations

from operations.engine import tick


def run_job(name: str) -> None:
    tick.run_job(tick._jobs[name])
