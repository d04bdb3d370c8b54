"""Set-up as a registry: apps add what they read from a provider and where that stands; page and command show both.

In: `register(order, steps, discover)` from AppConfig.ready. Out: `steps()`, which only reads this portal, and
`discover()`, which asks the providers; a part that fails is told and does not stop the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from providers.errors import ProviderError, Refused


@dataclass(frozen=True)
class Step:
    """One line of the wizard; `todo` is empty where it is done."""

    title: str
    tone: str
    found: str
    todo: str = ""


Steps = Callable[[], Iterable[Step]]
Discover = Callable[[], Iterable[str]]
_parts: list[tuple[int, str, Steps, Discover]] = []


def register(order: int, name: str, steps: Steps, discover: Discover) -> None:
    """Add a part; the same name replaces."""
    _parts[:] = sorted(
        [part for part in _parts if part[1] != name] + [(order, name, steps, discover)], key=lambda part: part[0]
    )


def steps() -> list[Step]:
    return [step for _, _, tell, _ in _parts for step in tell()]


def discover() -> tuple[list[str], list[str]]:
    """What was read, in lines, and what went wrong, in sentences."""
    lines: list[str] = []
    errors: list[str] = []
    for _, _, _, read in _parts:
        try:
            lines += read()
        except (ProviderError, Refused) as error:
            errors.append(str(error))
    return lines, errors
