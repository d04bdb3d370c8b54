"""Incidents that other apps know of: they register, because backups import none of them.

In: `register(fn)` from AppConfig.ready. Out: `others(environment, start, end)`, their lines for a report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from backups.evidence.report import IncidentLine
from operations.models import Environment

Source = Callable[[Environment, datetime, datetime], Iterable[IncidentLine]]
_sources: list[Source] = []


def register(source: Source) -> None:
    if source not in _sources:
        _sources.append(source)


def others(environment: Environment, start: datetime, end: datetime) -> list[IncidentLine]:
    return [line for source in _sources for line in source(environment, start, end)]
