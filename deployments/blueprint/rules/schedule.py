"""A cron job's schedule: the five fields that Render takes, in UTC. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from croniter import croniter

from deployments.blueprint.rules.items import Fault, Item
from deployments.blueprint.rules.shapes import REFUSES

WRITE = 'Write five fields in quotes, in UTC: minute hour day month weekday, e.g. `"*/5 * * * *"`.'


def schedule(found: Item, where: str) -> Iterator[Fault]:
    if found.kind in ("list", "mapping") or len(found.text.split()) != 5 or not croniter.is_valid(found.text):
        yield Fault(found.line, where, f"`{found.text[:40]}` is no cron expression", REFUSES, WRITE)
