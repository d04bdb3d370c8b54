"""What a file declares on an environment, for its review and for the people who vote: lines, dependents, remarks.

In: a review. Out: Declared; the target is asked for its triggers, rules, keys and dependents, good for a few seconds.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import psycopg

from migrations_registry.effects import DeclaredEffects, declared
from migrations_registry.effects.listing import DeclaredLine, lines
from migrations_registry.effects.live import Live
from migrations_registry.effects.model import DROPPED, Name
from migrations_registry.effects.remarks import remarks
from migrations_registry.services.live_facts import live_behaviour
from migrations_registry.services.planning import Review
from operations.dsns import reading_dsn
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.postgres.migrate.target_behaviour import dependents

RECENT_SECONDS = 5.0
_recent: dict[tuple[str, str, str], tuple[float, Declared]] = {}


@dataclass(frozen=True)
class Declared:
    """`along`: what goes with a DROP … CASCADE. `remarks`: what the measure does not see or take back."""

    lines: tuple[DeclaredLine, ...]
    along: tuple[str, ...]
    remarks: tuple[str, ...]


def declared_here(review: Review) -> Declared:
    """As far as the votes for its risk go. Without a reachable target, what the text alone says, and that it is so."""
    key = (review.environment.slug, review.file.sha256, review.plan.risk)
    asked_at, known = _recent.get(key, (0.0, None))
    if known is None or time.monotonic() - asked_at >= RECENT_SECONDS:
        known = _declared(review, review.plan.risk)
        _recent.clear()
        _recent[key] = (time.monotonic(), known)
    return known


def _declared(review: Review, risk: str) -> Declared:
    data = review.file.data
    relations: dict[Name, int] | None = None
    if review.facts:
        relations = {name: table.rows for name, table in review.facts.tables.items()}
    said = tuple(remarks(data))
    live, along = Live(), tuple[str, ...]()
    try:
        live = live_behaviour(review.environment)
        along = _along(review, declared(data, voted=risk))
    except (Refused, ProviderError, psycopg.Error):
        said = (*said, "the target could not be asked: what its own triggers, rules and keys add is not listed")
    declares = declared(data, live=live, voted=risk)
    return Declared(tuple(lines(declares, relations, review.row_counts)), along, said)


def _along(review: Review, declares: DeclaredEffects) -> tuple[str, ...]:
    dropped = _dropped(declares)
    if not dropped:
        return ()
    with postgres.connect(reading_dsn(review.environment), timeout=3) as connection:
        return tuple(f"{kind} {name}" for kind, name in dependents(connection, dropped))


def _dropped(declares: DeclaredEffects) -> list[Name]:
    """Relations, types, functions, schemas and columns that a CASCADE begins with."""
    return [each.name for each in declares.allowances if each.cascades and DROPPED in each.verbs and each.name]
