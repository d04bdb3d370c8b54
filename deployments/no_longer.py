"""Said of what a provider no longer has and no operation of ours took away, and of what it has again: one entry and one
message, in the transaction of the change here."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.services import record
from operations.models import Environment
from operations.notify import enqueue
from operations.periodic.clock import database_time

TAKEN = "No operation of this portal took it away: somebody did at {}, or it ended there."


def tell_gone(
    actor: str,
    names: Sequence[str],
    *,
    environment: Environment | None = None,
    subject: str = "",
    is_news: bool = True,
) -> None:
    """`actor`: the provider. `names`: the things, in words that need no context; `subject`: what they were part of.
    What ends by itself in time `is_news` to nobody: it is an entry only."""
    told, slug = ", ".join(names), environment.slug if environment else ""
    record("deployments.gone", actor=actor, environment=slug, subject=(subject or told)[:60], data={"names": told})
    if not is_news:
        return
    key = f"gone:{(subject or names[0])[:60]}:{database_time().isoformat()}"
    body = TAKEN.format(actor)
    enqueue(key, subject=f"{actor} no longer has {told}"[:200], body=body, about=environment)


def tell_back(actor: str, name: str, *, environment: Environment | None = None) -> None:
    """What had been gone and was kept as such is listed again."""
    slug = environment.slug if environment else ""
    record("deployments.back", actor=actor, environment=slug, subject=name[:60], data={"names": name})
    key = f"back:{name[:60]}:{database_time().isoformat()}"
    enqueue(key, subject=f"{actor} has {name} again"[:200], about=environment)
