"""Files in their order and a live fingerprint in, one verdict per file out: applied, partly, not applied, unseen.

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
class Verdict:
    """`missing` says what keeps a file from counting as applied, `held` how many expectations were met."""

    state: str
    held: int
    missing: tuple[str, ...]
    unseen: int


class Live:
    """The catalogue by (kind, name) as files write names: without quotes, functions without their arguments."""

    def __init__(self, seen: Fingerprint) -> None:
        self.objects: dict[tuple[str, str], list[SchemaObject]] = {}
        for one in seen.objects:
            name = one.name.replace('"', "")
            plain = name.partition("(")[0] if one.kind in ("function", "procedure", "aggregate") else name
            self.objects.setdefault((one.kind, plain), []).append(one)

    def holds(self, one: Expectation) -> bool:
        found = self.objects.get((one.kind, one.name), [])
        if not one.present or not one.facet:
            return bool(found) is one.present
        return any(_facet(each, one) == one.value for each in found)


def _facet(found: SchemaObject, one: Expectation) -> str:
    """The live value of what the expectation asks about."""
    if one.facet == "is":
        return "on" if " ENABLE ROW" in found.sql else "off"
    if one.facet == "valid on":
        return "" if "; -- INVALID" in found.sql else found.of.replace('"', "") if one.value else ""
    if one.facet == "not null":
        return "yes" if " NOT NULL" in found.sql else "no"
    statements = [each for each in parse(found.sql.encode()) if isinstance(each, Raw)]
    if one.facet == "body":
        return function_body(statements[0].node) if statements else ""
    if one.facet == "type":
        return type_text(statements[0].node["cmds"][0]["AlterTableCmd"]["def"]["ColumnDef"]["typeName"])
    return "yes" if one.facet.removeprefix("has ") in found.sql else "no"


def missing(one: Expected, seen: Fingerprint) -> list[str]:
    """What the catalogue lacks right after this file ran: its verification."""
    live = Live(seen)
    return [str(each) for each in one.expectations if not live.holds(each)]


def judge(files: Sequence[Expected], seen: Fingerprint) -> list[Verdict]:
    """One verdict per file, in the files' order. Files found not applied have no say about the earlier ones."""
    live = Live(seen)
    silent: set[int] = set()
    while True:
        verdicts = _round(files, live, silent)
        found = {number for number, verdict in enumerate(verdicts) if verdict.state == NOT}
        if found <= silent:
            return verdicts
        silent |= found


def _round(files: Sequence[Expected], live: Live, silent: set[int]) -> list[Verdict]:
    verdicts: list[Verdict] = []
    for number, file in enumerate(files):
        later = [each for at, each in enumerate(files) if at > number and at not in silent]
        counted = [one for one in file.expectations if not _told_later(one, later)]
        wanted = [one for one in counted if one.present or _was_made(one, files[:number], verdicts)]
        held = [one for one in wanted if live.holds(one)]
        lacking = tuple(str(one) for one in wanted if one not in held)
        state = _state(file, wanted, held, live, files[:number])
        verdicts.append(Verdict(state, len(held), lacking, file.unseen))
    return verdicts


def _told_later(one: Expectation, later: Sequence[Expected]) -> bool:
    return any(_speaks_of(other, one) for file in later for other in file.expectations)


def _speaks_of(other: Expectation, one: Expectation) -> bool:
    """Whether `other` has the last word on `one`: the same property, or the end of it or of what it belongs to."""
    if other.key == one.key:
        return True
    if other.present:
        return False
    whole = one.name == other.name and one.kind == other.kind
    return whole or one.name.startswith(f"{other.name}.") or one.name.endswith(f" on {other.name}")


def _makers(one: Expectation, files: Sequence[Expected]) -> list[int]:
    wanted = (one.kind, one.name)
    return [
        number
        for number, file in enumerate(files)
        if any(other.present and (other.kind, other.name) == wanted for other in file.expectations)
    ]


def _was_made(one: Expectation, earlier: Sequence[Expected], verdicts: Sequence[Verdict]) -> bool:
    """An absence counts as evidence where the file that made the object is applied."""
    makers = _makers(one, earlier)
    return bool(makers) and verdicts[makers[-1]].state == APPLIED


def _state(
    file: Expected, wanted: list[Expectation], held: list[Expectation], live: Live, earlier: Sequence[Expected]
) -> str:
    if wanted:
        if len(held) == len(wanted):
            return APPLIED
        return PARTLY if any(not one.weak for one in held) else NOT
    if not file.expectations:
        return UNSEEN
    positives = [one for one in file.expectations if one.present]
    if positives:
        # Everything it made was changed again later: it counts only where that is still as this file left it.
        return APPLIED if all(live.holds(one) for one in positives) else UNSEEN
    still_there = any(not live.holds(one) for one in file.expectations)
    never_made = all(_makers(one, earlier) for one in file.expectations)
    return NOT if still_there or never_made else UNSEEN
