"""What was seen outside at the last look, part by part: a part that is refused keeps what was known of it.

In: a name, a dataclass with `notes` (part → why it could not be read), and what to ask; an answer may itself hold a
`note` of what was refused of it. Out: the dataclass, filled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from operations.doctor import Check
from operations.models import Heartbeat
from operations.periodic.gone import still
from providers.errors import ProviderError

Seen = TypeVar("Seen")


def known(name: str, shape: type[Seen], kept: dict[str, Any] | None = None) -> Seen:
    """As of the last look; empty before the first. `kept` is its row where it was read already."""
    kept = Heartbeat.objects.kept(name) if kept is None else kept
    return shape(**{part.name: kept[part.name] for part in fields(shape) if part.name in kept})  # type: ignore[arg-type]


def look(name: str, parts: Mapping[str, Callable[[], dict[str, Any]]], *, changed: str = "") -> None:
    """Ask for every part. Raises ProviderError where the provider does not answer at all; nothing is changed then.

    What a list lacks is left out at the second look without it, unless an operation just `changed` that part."""
    found, notes = Heartbeat.objects.kept(name), dict[str, str]()
    missing = found.setdefault("missing", {})
    for part, ask in parts.items():
        try:
            answer = ask()
            if note := answer.pop("note", ""):
                notes[part] = note
            for key, now in answer.items():
                if part == changed:
                    missing.pop(key, None)
                found[key] = now if part == changed else still(found.get(key), now, missing.setdefault(key, {}))
        except ProviderError as error:
            if error.retryable:
                raise
            notes[part] = error.message
    Heartbeat.objects.keep(name, found | {"notes": notes})


def refused(name: str, notes: Mapping[str, str]) -> Iterator[Check]:
    """The parts that were not told at the last look, for doctor; a plan or a key may never tell them."""
    if notes:
        found = "; ".join(f"{part}: {why}" for part, why in notes.items())
        yield Check(name, "idle", found[:300], "What was known of them is shown instead.", "Look at the key and plan.")
