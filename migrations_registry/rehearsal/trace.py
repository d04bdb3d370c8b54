"""What a rehearsal saw, in numbers and names that are stored and shown; and the file's own claims beside it. Pure.

In: claims of the analysis, costs and effects of the copy, how many rows are live and how many were rehearsed. Out: a
report: statements with forecasts and disagreements, effects with forecasts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from migrations_registry.analysis.cost import REWRITE_BYTES_PER_SECOND, SCAN_BYTES_PER_SECOND
from migrations_registry.analysis.model import AS, SH, STRENGTH, Analysis
from migrations_registry.effects.model import ROWS, Effect
from migrations_registry.effects.wording import by_weight, phrase

Relation = tuple[str, str]


@dataclass(frozen=True)
class Claim:
    """What the analysis says of one statement: its strongest lock on what exists, whether it rewrites or reads all."""

    statement: int
    line: int
    lock: str
    rewrite: bool
    scan: bool


@dataclass(frozen=True)
class Seen:
    """The same as the copy's server showed it."""

    statement: int
    rows: int
    seconds: float
    wal_bytes: int
    locks: tuple[tuple[Relation, str], ...]
    rewritten: tuple[Relation, ...]
    scanned: tuple[Relation, ...]

    @property
    def lock(self) -> str:
        return max((mode for _, mode in self.locks), key=STRENGTH.__getitem__, default="")


@dataclass(frozen=True)
class Sizes:
    """Rows by "schema.name": on the target, and in the copy; `bytes`: on the target, indexes included."""

    live: Mapping[str, int]
    copied: Mapping[str, int]
    bytes: Mapping[str, int] = field(default_factory=dict)

    def factor(self, relations: Iterable[Relation]) -> float | None:
        """How many times more rows the target has; None where the copy has none to measure by."""
        names = [".".join(name) for name in relations]
        live, copied = (sum(rows.get(name, 0) for name in names) for rows in (self.live, self.copied))
        if not live:
            return 1.0
        return live / copied if copied else None

    def seconds(self, seen: Seen) -> float | None:
        """How long the statement would take on the target; where no row was copied, as the rules reckon by bytes."""
        factor = self.factor({*seen.rewritten, *seen.scanned})
        if factor is not None:
            return round(seen.seconds * factor, 2)
        works = [(name, REWRITE_BYTES_PER_SECOND) for name in seen.rewritten]
        works += [(name, SCAN_BYTES_PER_SECOND) for name in set(seen.scanned) - set(seen.rewritten)]
        if not all(".".join(name) in self.bytes for name, _ in works):
            return None
        return round(seen.seconds + sum(self.bytes[".".join(name)] / rate for name, rate in works), 2)


def claims_of(analysis: Analysis) -> list[Claim]:
    return [
        Claim(
            at,
            statement.line,
            statement.lock or "",
            any(finding.rewrite for finding in statement.findings),
            any(finding.scan for finding in statement.findings),
        )
        for at, statement in enumerate(analysis.statements)
    ]


def disagreements(claim: Claim, seen: Seen) -> list[str]:
    """Where the server did otherwise than the rules say, what is worse first. Who reads while everybody works on is
    no disagreement, be it a lock or rows."""
    found = []
    taken, said = (STRENGTH[AS] if lock == "" else STRENGTH[lock] for lock in (seen.lock, claim.lock))
    if taken > said:
        found.append(f"takes {seen.lock}, the rules say {claim.lock or 'no lock'}")
    elif taken < said:
        found.append(f"takes {seen.lock or 'no lock'}, the rules say {claim.lock}")
    if seen.rewritten and not claim.rewrite:
        found.append(f"writes {_names(seen.rewritten)} anew, which the rules do not say")
    if claim.rewrite and not seen.rewritten:
        found.append("writes nothing anew, though the rules say so")
    if seen.scanned and not claim.scan and STRENGTH.get(seen.lock, -1) >= STRENGTH[SH]:
        found.append(f"reads all of {_names(seen.scanned)} while others wait, which the rules do not say")
    return found


def statement_lines(claims: Iterable[Claim], seen: Iterable[Seen], sizes: Sizes) -> list[dict[str, Any]]:
    """One for each statement that ran, in order."""
    by_place = {claim.statement: claim for claim in claims}
    return [_line(by_place[each.statement], each, sizes) for each in seen if each.statement in by_place]


def _line(claim: Claim, seen: Seen, sizes: Sizes) -> dict[str, Any]:
    factor = sizes.factor({*seen.rewritten, *seen.scanned})
    return {
        "line": claim.line,
        "lock": seen.lock,
        "locks": [f"{'.'.join(name)}: {mode}" for name, mode in seen.locks],
        "rewritten": [".".join(name) for name in seen.rewritten],
        "scanned": [".".join(name) for name in seen.scanned],
        "rows": seen.rows,
        "seconds": round(seen.seconds, 3),
        "wal_bytes": seen.wal_bytes,
        "forecast_seconds": sizes.seconds(seen),
        "forecast_wal_bytes": None if factor is None else int(seen.wal_bytes * factor),
        "claimed": claim.lock,
        "disagreements": disagreements(claim, seen),
    }


def blocked_seconds(lines: Iterable[dict[str, Any]]) -> float | None:
    """For how long others would wait for one transaction: from its first lock that keeps writers away to its end."""
    total, blocking = 0.0, False
    for line in lines:
        blocking = blocking or STRENGTH.get(line["lock"], -1) >= STRENGTH[SH]
        if blocking and line["forecast_seconds"] is None:
            return None
        total += line["forecast_seconds"] if blocking else 0
    return round(total, 2)


def effect_lines(effects: Iterable[Effect], sizes: Sizes) -> list[dict[str, Any]]:
    """What was done to what was there before, with rows as they would be on the target."""
    return [
        {**_plain(effect), "said": phrase(effect), "forecast_rows": _forecast(effect, sizes)}
        for effect in by_weight(effects)
    ]


def told_lines(said: Mapping[str, list[str]]) -> dict[str, list[dict[str, Any]]]:
    """By step, of what is known in words alone."""
    return {step: [{"said": text, "rows": 0, "forecast_rows": None} for text in texts] for step, texts in said.items()}


def _forecast(effect: Effect, sizes: Sizes) -> int | None:
    if effect.verb not in ROWS or len(effect.name) != 2:
        return None
    factor = sizes.factor([(effect.name[0], effect.name[1])])
    return None if factor is None else round(effect.rows * factor)


def _plain(effect: Effect) -> dict[str, Any]:
    return {
        "verb": effect.verb,
        "kind": effect.kind,
        "name": list(effect.name),
        "renamed": list(effect.renamed),
        "aspects": sorted(effect.aspects),
        "rows": effect.rows,
    }


def _names(relations: Iterable[Relation]) -> str:
    return ", ".join(".".join(name) for name in relations)
