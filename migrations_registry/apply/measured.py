"""Between the server's account of a transaction and what was approved: conversion, comparison, refusal.

In: sessions, what the file declares. Out: what was measured, for the journal, with MoreThanApproved where somebody has
to roll it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from migrations_registry.analysis.risk import DEFAULT_POLICY, Policy
from migrations_registry.effects import DeclaredEffects, Effect, beyond, told, undeclared
from migrations_registry.effects.compare import Dependencies, wants_dependencies
from migrations_registry.effects.model import DELETED, DROPPED, TRUNCATED
from migrations_registry.effects.row_counts import RowCount, Tags, above_shown, hidden_rows
from migrations_registry.effects.wording import SHOWN, phrases
from providers.errors import Refused
from providers.postgres.connection import Connection
from providers.postgres.migrate.catalog_changes import Change
from providers.postgres.migrate.catalog_rows import above
from providers.postgres.migrate.effects import Measured, Start, measure

JOURNALED = 200


class MoreThanApproved(Refused):
    """The transaction did what nobody was asked about; the message is for the person who asked."""

    def __init__(self, surplus: list[Effect], seconds: float = 0, *, rolled_back: bool = True) -> None:
        super().__init__(told(surplus, rolled_back=rolled_back))
        self.surplus, self.seconds, self.rolled_back = surplus, seconds, rolled_back


class NotVotedOn(MoreThanApproved):
    """It did what needs more votes than were asked for: the file was called less dangerous than it is."""

    def __init__(self, graver: list[Effect], seconds: float, *, declared: bool = True, ran: bool = True) -> None:
        super().__init__(graver, seconds)
        done = "destroyed" if all(effect.verb in (DELETED, TRUNCATED, DROPPED) for effect in graver) else "done"
        what = f"It would have {done} what nobody was asked about" if declared else "It did more than was approved"
        end = "The transaction was rolled back" if ran else "It was not run"
        self.reason = (
            f"{what}: {', '.join(phrases(graver)[:SHOWN])}. "
            f"{end}, nothing was changed. The file counts as destructive from now on; request it again, and the votes "
            "for that are asked for."
        )
        self.args = (self.reason,)


@dataclass(frozen=True)
class Approved:
    """What the statements declare, the risk that was voted on, and from which size on a rewrite needs more votes.

    `with_votes`: what they would declare with every vote. `shown`: how many rows people were told of.
    """

    declares: DeclaredEffects
    risk: str
    with_votes: DeclaredEffects
    limits: Policy = DEFAULT_POLICY
    shown: tuple[RowCount, ...] = ()


@dataclass(frozen=True)
class Account:
    """What one transaction did, for how long it was asked under its locks, and why that is more than was approved.

    `graver`: what needs more votes, were it declared too.
    """

    effects: list[Effect]
    seconds: float
    rounds: int
    refusal: MoreThanApproved | None = None
    graver: Sequence[Effect] = ()

    def journal(self) -> dict[str, Any]:
        effects = phrases(self.effects)
        more = len(effects) - JOURNALED
        said = [*effects[:JOURNALED], *([f"and {more} more"] if more > 0 else [])]
        changes = [
            {"verb": each.verb, "kind": each.kind, "name": list(each.name), "renamed": list(each.renamed)}
            for each in self.effects[:JOURNALED]
        ]
        known = {"changes": changes, "all": more <= 0}
        return {"did": said, "seconds": round(self.seconds, 3), "rounds": self.rounds, **known}


def account_of(own: Connection, other: Connection, begun: Start, approved: Approved, tags: Tags) -> Account:
    """Measure the open transaction and hold it against what was approved."""
    measured = measure(own, other, begun)
    happened = [effect_of(change) for change in measured.changes]
    refusal = _refusal(other, measured, happened, approved, tags)
    graver = beyond(happened, approved.risk, approved.limits)
    return Account(happened, measured.seconds, measured.rounds, refusal, graver)


def _refusal(
    other: Connection, measured: Measured, happened: list[Effect], approved: Approved, tags: Tags
) -> MoreThanApproved | None:
    declared = approved.declares
    wanted = wants_dependencies(undeclared(happened, declared), declared)
    dependencies = _dependencies(other, measured, wanted) if wanted else {}
    surplus = _surplus(happened, declared, dependencies, tags)
    if surplus and not _surplus(happened, approved.with_votes, dependencies, tags):
        return NotVotedOn(surplus, measured.seconds, declared=False)
    if surplus := surplus or above_shown(tags, approved.shown):
        return MoreThanApproved(surplus, measured.seconds)
    graver = beyond(happened, approved.risk, approved.limits)
    return NotVotedOn(graver, measured.seconds) if graver else None


def _surplus(happened: list[Effect], declared: DeclaredEffects, under: Dependencies, tags: Tags) -> list[Effect]:
    return undeclared(happened, declared, under) or hidden_rows(happened, declared, tags)


def _dependencies(other: Connection, measured: Measured, wanted: list[Effect]) -> Dependencies:
    """What the dropped objects hung on, asked of the session for which they still exist."""
    names = {(effect.kind, effect.name) for effect in wanted}
    gone = [change for change in measured.changes if change.verb == DROPPED and (change.kind, change.name) in names]
    found = above(other, [change.object for change in gone], everything=True)
    return {(change.kind, change.name): names for change, names in zip(gone, found, strict=True)}


def effect_of(change: Change) -> Effect:
    """The provider's row as the pure comparison wants it."""
    return Effect(
        change.verb,
        change.kind,
        change.name,
        change.aspects,
        change.rows,
        change.renamed,
        change.owners,
        change.signs,
        change.size_bytes,
    )
