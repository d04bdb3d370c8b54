"""What a render.yaml declares and what runs, field by field. Pure: frozen rows in, differences with both sides out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from deployments.blueprint.parse import Declared, Part, Prints


@dataclass(frozen=True)
class Difference:
    """One line: `file` and `live` are what each side says; "–" where it says nothing."""

    where: str
    what: str
    file: str
    live: str
    tone: str = "bad"


def compare(declared: Declared, live: Sequence[Part], groups: Mapping[str, Prints]) -> list[Difference]:
    """What differs between the file and what runs; only what the file says is compared, besides names of variables."""
    file = {part.name: part for part in declared.parts}
    differences: list[Difference] = []
    for part in live:
        if part.name in file:
            differences += _between(file[part.name], part)
        else:
            differences.append(Difference(part.name, "service", "–", "runs", "warn"))
    running = {part.name for part in live}
    used = {name for part in live for name in (*part.groups, *(file[part.name].groups if part.name in file else ()))}
    for name in sorted(used & set(declared.groups) & set(groups)):
        differences += _names(f"group {name}", declared.groups[name], groups[name])
    return differences if running else []


def absent(declared: Declared, known: Sequence[str]) -> list[Difference]:
    """Services of the file that Render does not have at all."""
    return [Difference(part.name, "service", "declared", "–") for part in declared.parts if part.name not in known]


def _between(file: Part, live: Part) -> Iterator[Difference]:
    for name, value in file.settings.items():
        runs = live.settings.get(name, "")
        if runs != value and not (name == "repo" and _same_repo(value, runs)):
            yield Difference(file.name, name, value or "–", runs or "–")
    if live.variables is not None:
        yield from _names(file.name, file.variables or {}, live.variables)
        for name in sorted(set(file.groups) ^ set(live.groups)):
            declared = name in file.groups
            yield Difference(
                file.name,
                f"group {name}",
                "linked" if declared else "–",
                "–" if declared else "linked",
                "bad" if declared else "warn",
            )


def _same_repo(own: str, other: str) -> bool:
    return own.removesuffix(".git").lower() == other.removesuffix(".git").lower()


def _names(where: str, file: Prints, live: Prints) -> Iterator[Difference]:
    for key in sorted(set(file) | set(live)):
        if key not in live:
            yield Difference(where, key, "named" if not file[key] else "a value", "–")
        elif key not in file:
            yield Difference(where, key, "–", "set", "warn")
        elif file[key] and file[key] != live[key]:
            yield Difference(where, key, "a value", "another value")
