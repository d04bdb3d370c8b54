"""Files in their order and a live fingerprint in, the observed state of each out: applied, partly, not applied, unseen.

What a later file changes again proves nothing about an earlier one; that something is absent proves only that it was
removed where the file that made it is applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from migrations_registry.analysis.parsing.parser import Raw, parse
from migrations_registry.fingerprint.model import Fingerprint, SchemaObject
from migrations_registry.observing.expected_objects import Expectation, Expected
from migrations_registry.observing.statement_readers import function_body, type_text

APPLIED, PARTLY, NOT, UNSEEN = "applied", "partly", "not applied", "unseen"


@dataclass(frozen=True)
class ObservedState:
    """`missing` says what keeps a file from counting as applied, `held` how many expectations were met."""

    state: str
    held: int
    missing: tuple[str, ...]
    unseen: int


class Live:
    """The catalogue by (kind, name) as files write names: without quotes, functions without their arguments."""

    def __init__(self, seen: Fingerprint) -> None:
        self.objects: dict[tuple[str, str], list[SchemaObject]] = {}
        for item in seen.objects:
            name = item.name.replace('"', "")
            plain = name.partition("(")[0] if item.kind in ("function", "procedure", "aggregate") else name
            self.objects.setdefault((item.kind, plain), []).append(item)

    def holds(self, expectation: Expectation) -> bool:
        objects = self.objects.get((expectation.kind, expectation.name), [])
        if not expectation.present or not expectation.facet:
            return bool(objects) is expectation.present
        return any(_facet(item, expectation) == expectation.value for item in objects)


def _facet(item: SchemaObject, expectation: Expectation) -> str:
    """The live value of what the expectation asks about."""
    if expectation.facet == "is":
        return "on" if " ENABLE ROW" in item.sql else "off"
    if expectation.facet == "valid on":
        return "" if "; -- INVALID" in item.sql else item.of.replace('"', "") if expectation.value else ""
    if expectation.facet == "not null":
        return "yes" if " NOT NULL" in item.sql else "no"
    statements = [statement for statement in parse(item.sql.encode()) if isinstance(statement, Raw)]
    if expectation.facet == "body":
        return function_body(statements[0].node) if statements else ""
    if expectation.facet == "type":
        return type_text(statements[0].node["cmds"][0]["AlterTableCmd"]["def"]["ColumnDef"]["typeName"])
    return "yes" if expectation.facet.removeprefix("has ") in item.sql else "no"


def missing(file: Expected, seen: Fingerprint) -> list[str]:
    """What the catalogue lacks right after this file ran: its verification."""
    live = Live(seen)
    return [str(expectation) for expectation in file.expectations if not live.holds(expectation)]


def observe(files: Sequence[Expected], seen: Fingerprint) -> list[ObservedState]:
    """One state per file, in the files' order. Files found not applied have no say about the earlier ones."""
    live = Live(seen)
    silent: set[int] = set()
    while True:
        observed = _round(files, live, silent)
        unapplied = {number for number, observation in enumerate(observed) if observation.state == NOT}
        if unapplied <= silent:
            return observed
        silent |= unapplied


def _round(files: Sequence[Expected], live: Live, silent: set[int]) -> list[ObservedState]:
    observed: list[ObservedState] = []
    for number, file in enumerate(files):
        later = [file_after for at, file_after in enumerate(files) if at > number and at not in silent]
        counted = [expectation for expectation in file.expectations if not _is_superseded(expectation, later)]
        earlier = files[:number]
        wanted = [asked for asked in counted if asked.present or _was_made(asked, earlier, observed)]
        held = [expectation for expectation in wanted if live.holds(expectation)]
        lacking = tuple(str(expectation) for expectation in wanted if expectation not in held)
        state = _state(file, wanted, held, live, earlier)
        observed.append(ObservedState(state, len(held), lacking, file.unseen))
    return observed


def _is_superseded(expectation: Expectation, later: Sequence[Expected]) -> bool:
    return any(_has_last_word(other, expectation) for file in later for other in file.expectations)


def _has_last_word(other: Expectation, expectation: Expectation) -> bool:
    """Whether `other` has the last word on `one`: the same property, or the end of it or of what it belongs to."""
    if other.key == expectation.key:
        return True
    if other.present:
        return False
    whole = expectation.name == other.name and expectation.kind == other.kind
    return whole or expectation.name.startswith(f"{other.name}.") or expectation.name.endswith(f" on {other.name}")


def _makers(expectation: Expectation, files: Sequence[Expected]) -> list[int]:
    wanted = (expectation.kind, expectation.name)
    return [
        number
        for number, file in enumerate(files)
        if any(other.present and (other.kind, other.name) == wanted for other in file.expectations)
    ]


def _was_made(expectation: Expectation, earlier: Sequence[Expected], observed: Sequence[ObservedState]) -> bool:
    """An absence counts as evidence where the file that made the object is applied."""
    makers = _makers(expectation, earlier)
    return bool(makers) and observed[makers[-1]].state == APPLIED


def _state(
    file: Expected, wanted: list[Expectation], held: list[Expectation], live: Live, earlier: Sequence[Expected]
) -> str:
    if wanted:
        if len(held) == len(wanted):
            return APPLIED
        return PARTLY if any(not expectation.weak for expectation in held) else NOT
    if not file.expectations:
        return UNSEEN
    positives = [expectation for expectation in file.expectations if expectation.present]
    if positives:
        # Everything it made was changed again later: it counts only where that is still as this file left it.
        return APPLIED if all(live.holds(expectation) for expectation in positives) else UNSEEN
    still_there = any(not live.holds(expectation) for expectation in file.expectations)
    never_made = all(_makers(expectation, earlier) for expectation in file.expectations)
    return NOT if still_there or never_made else UNSEEN
