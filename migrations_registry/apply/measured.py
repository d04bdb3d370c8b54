"""Between the server's account of a transaction and what was approved: conversion, comparison, refusal.

In: sessions, what the file declares. Out: what was measured, for the journal; or MoreThanApproved, upon which the
caller rolls back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from migrations_registry.effects import DeclaredEffects, Effect, losses, told, undeclared
from migrations_registry.effects.compare import Dependencies, wants_dependencies
from migrations_registry.effects.live import Live, Reference, Trigger
from migrations_registry.effects.wording import SHOWN, phrases
from providers.errors import Refused
from providers.postgres.connection import Connection
from providers.postgres.migrate.catalog_changes import DROPPED, Change
from providers.postgres.migrate.catalog_rows import above
from providers.postgres.migrate.effects import Measured, Start, measure
from providers.postgres.migrate.target_behaviour import Behaviour

JOURNALED = 200


class MoreThanApproved(Refused):
    """The transaction did what nobody was asked about; the message is for the person who asked."""

    def __init__(self, surplus: list[Effect], seconds: float = 0, *, rolled_back: bool = True) -> None:
        super().__init__(told(surplus, rolled_back=rolled_back))
        self.surplus, self.seconds, self.rolled_back = surplus, seconds, rolled_back


class LossNotVotedOn(MoreThanApproved):
    """It took away what the votes were not asked about: the file was called less than destructive, and is not."""

    def __init__(self, lost: list[Effect], seconds: float) -> None:
        super().__init__(lost, seconds)
        self.reason = (
            f"It would have destroyed what nobody was asked about: {', '.join(phrases(lost)[:SHOWN])}. The transaction "
            "was rolled back, nothing was changed. The file counts as destructive from now on; request it again, and "
            "the votes for that are asked for."
        )
        self.args = (self.reason,)


@dataclass(frozen=True)
class Account:
    """What one transaction did, in words, and for how long it was asked under its locks."""

    effects: list[str]
    seconds: float
    rounds: int

    def journal(self) -> dict[str, Any]:
        more = len(self.effects) - JOURNALED
        said = [*self.effects[:JOURNALED], *([f"and {more} more"] if more > 0 else [])]
        return {"did": said, "seconds": round(self.seconds, 3), "rounds": self.rounds}


def compare(own: Connection, other: Connection, begun: Start, declared: DeclaredEffects, *, may_lose: bool) -> Account:
    """Measure the open transaction and hold it against what was declared and voted on. Raises MoreThanApproved."""
    measured = measure(own, other, begun)
    happened = [effect_of(change) for change in measured.changes]
    surplus = undeclared(happened, declared)
    if wanted := wants_dependencies(surplus, declared):
        surplus = undeclared(happened, declared, _dependencies(other, measured, wanted))
    if surplus:
        raise MoreThanApproved(surplus, measured.seconds)
    if not may_lose and (lost := losses(happened)):
        raise LossNotVotedOn(lost, measured.seconds)
    return Account(phrases(happened), measured.seconds, measured.rounds)


def _dependencies(other: Connection, measured: Measured, wanted: list[Effect]) -> Dependencies:
    """What the dropped objects hung on, asked of the session for which they still exist."""
    names = {(effect.kind, effect.name) for effect in wanted}
    gone = [change for change in measured.changes if change.verb == DROPPED and (change.kind, change.name) in names]
    found = above(other, [change.object for change in gone], everything=True)
    return {(change.kind, change.name): names for change, names in zip(gone, found, strict=True)}


def effect_of(change: Change) -> Effect:
    """The provider's row as the pure comparison wants it."""
    return Effect(change.verb, change.kind, change.name, change.aspects, change.rows, change.renamed, change.owners)


def live_of(found: Behaviour, *, voted: bool = False) -> Live:
    """The provider's rows as the pure derivation wants them."""
    return Live(
        tuple(Reference(*row) for row in found.references),
        found.views,
        tuple(Trigger(*row) for row in found.triggers),
        voted,
    )
