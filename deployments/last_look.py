"""What was seen outside at the last look, part by part: a part that is refused keeps what was known of it.

In: a name, a dataclass with `seen_at` (ISO), `notes` (part → why it could not be read) and `missing` (part → what the
last look lacked, since when), and what to ask; an answer may itself hold a `note` of what was refused of it. Out: the
dataclass, filled; what two looks lack is gone, with an entry and a message.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models.functions import Now

from deployments.no_longer import tell_gone
from operations.doctor import Check
from operations.models import Environment, Heartbeat
from operations.periodic.clock import database_time
from operations.periodic.gone import Listed
from providers.errors import ProviderError

FRESH = timedelta(hours=1)
Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Telling:
    """Who no longer has something, of which environment, and in what words: part → (key, entry) → the thing, or
    nothing where that is no fact of its own. Things of `passing` parts end by themselves."""

    actor: str
    names: Mapping[str, Callable[[str, Any], str]] = field(default_factory=dict)
    environment: Environment | None = None
    passing: Collection[str] = ()

    def tell(self, part: str, gone: Mapping[str, Any]) -> None:
        name = self.names.get(part, lambda key, _: key)
        if names := [text for key, entry in gone.items() if (text := name(key, entry))]:
            tell_gone(self.actor, names, environment=self.environment, is_news=part not in self.passing)


def known(name: str, shape: type[Seen], kept: dict[str, Any] | None = None) -> Seen:
    """As of the last look; empty before the first. `kept` is its row where it was read already."""
    kept = Heartbeat.objects.kept(name) if kept is None else kept
    return shape(**{part.name: kept[part.name] for part in fields(shape) if part.name in kept})  # type: ignore[arg-type]


def look(
    name: str,
    parts: Mapping[str, Callable[[], dict[str, Any]]],
    telling: Telling,
    *,
    taken: Collection[str] = (),
) -> None:
    """Ask for every part. Raises ProviderError where the provider does not answer at all; nothing is changed then.

    What a list lacks is left out at the second look without it; what an operation has just `taken` away, at once."""
    answers, notes = dict[str, Any](), dict[str, str]()
    for part, ask in parts.items():
        try:
            answer = ask()
            if note := answer.pop("note", ""):
                notes[part] = note
            answers |= answer
        except ProviderError as error:
            if error.retryable:
                raise
            notes[part] = error.message
    with transaction.atomic():
        _take_in(name, answers, notes, telling, taken)


def _take_in(
    name: str, answers: dict[str, Any], notes: dict[str, str], telling: Telling, taken: Collection[str]
) -> None:
    row, _ = Heartbeat.objects.select_for_update().get_or_create(name=name, defaults={"beat_at": Now()})
    found = dict(row.detail)
    missing = dict(found.get("missing", {}))
    for part, now in answers.items():
        listed = Listed(missing.get(part, {}), taken)
        found[part] = listed.look(found.get(part), now)
        missing[part] = listed.missing
        telling.tell(part, listed.gone)
    seen_at = database_time().isoformat()
    Heartbeat.objects.keep(name, found | {"notes": notes, "missing": missing, "seen_at": seen_at})


def as_of(seen_at: str, check: Check) -> Check:
    """What was well at a look of more than an hour ago is not known to be."""
    if check.tone != "ok" or not seen_at or database_time() - datetime.fromisoformat(seen_at) < FRESH:
        return check
    return replace(check, tone="warn", found=f"{check.found}, when it was last read ({seen_at[:16]} UTC)")


def in_doubt(name: str, missing: Mapping[str, Mapping[str, str]], said: Mapping[str, str]) -> Iterator[Check]:
    """What the last look lacked and one before had, for doctor. `said`: part → what its things are called."""
    lacking = [
        f"{said.get(part, part)} {key} since {since[:16].replace('T', ' ')} UTC"
        for part, keys in missing.items()
        for key, since in keys.items()
    ]
    if lacking:
        why = "One answer is no word about it: it is shown until a second one lacks it."
        yield Check(name, "idle", f"not listed: {'; '.join(lacking)}"[:300], why, "Nothing: it is asked again.")


def refused(name: str, notes: Mapping[str, str]) -> Iterator[Check]:
    """The parts that were not told at the last look, for doctor; a plan or a key may never tell them."""
    if notes:
        found = "; ".join(f"{part}: {why}" for part, why in notes.items())
        yield Check(name, "idle", found[:300], "What was known of them is shown instead.", "Look at the key and plan.")
