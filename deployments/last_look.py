"""What was seen outside at the last look, part by part: a part that is refused keeps what was known of it.

In: a name, a dataclass with `notes` (part → why it could not be read), and what to ask. Out: the dataclass, filled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from operations.models import Heartbeat
from providers.errors import ProviderError

Seen = TypeVar("Seen")


def known(name: str, shape: type[Seen], kept: dict[str, Any] | None = None) -> Seen:
    """As of the last look; empty before the first. `kept` is its row where it was read already."""
    kept = Heartbeat.objects.kept(name) if kept is None else kept
    return shape(**{part.name: kept[part.name] for part in fields(shape) if part.name in kept})  # type: ignore[arg-type]


def look(name: str, parts: Mapping[str, Callable[[], dict[str, Any]]]) -> None:
    """Ask for every part. Raises ProviderError where the provider does not answer at all; nothing is changed then."""
    found, notes = Heartbeat.objects.kept(name), dict[str, str]()
    for part, ask in parts.items():
        try:
            found |= ask()
        except ProviderError as error:
            if error.retryable:
                raise
            notes[part] = error.message
    Heartbeat.objects.keep(name, found | {"notes": notes})
