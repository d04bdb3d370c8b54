"""The model of a random walk: production's rows as dictionaries, and what two of its states must raise as alarms.

In: rows that the walk made itself. Out: findings by (code, subject), each with its number of rows and a mark that is
the same exactly when the same rows differ in the same way. Shares no code with the backups; only the decision's hash.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sandbox.chain import decision_hash

AUDIT, ASSIGNMENTS = "public.algorithm_audit_trail", "public.assignments"
UNSET = (False, None, None)
Told = dict[tuple[str, str], tuple[int, object]]


class Decision(NamedTuple):
    """One row of the audit trail; `conversion` is observed, time and value."""

    chain: str
    visitor: str
    variant: str
    assignment: str
    at: datetime
    segment: str
    context: str
    sequence: int
    previous: str | None
    hash: str
    conversion: tuple[Any, Any, Any] = UNSET

    @property
    def fixed(self) -> Decision:
        return self._replace(conversion=UNSET)

    def computed(self) -> str:
        return decision_hash(self.visitor, UUID(self.variant), self.segment, self.at, self.previous, self.sequence)


class Assigned(NamedTuple):
    chain: str
    visitor: str
    at: datetime
    conversion: tuple[Any, Any] = (None, None)


@dataclass
class State:
    """`experiments` maps each to its elements, `variants` each element to how many; `added` columns came later."""

    audit: dict[str, Decision] = field(default_factory=dict)
    assignments: dict[str, Assigned] = field(default_factory=dict)
    experiments: dict[str, list[str]] = field(default_factory=dict)
    variants: dict[str, list[str]] = field(default_factory=dict)
    users: int = 0
    added: int = 0

    def copy(self) -> State:
        return State(
            dict(self.audit),
            dict(self.assignments),
            dict(self.experiments),
            dict(self.variants),
            self.users,
            self.added,
        )

    def chain(self, chain: str) -> list[tuple[str, Decision]]:
        return sorted(
            (item for item in self.audit.items() if item[1].chain == chain), key=lambda item: item[1].sequence
        )

    def chains(self) -> dict[str, list[Decision]]:
        found: dict[str, list[Decision]] = {}
        for row in sorted(self.audit.values(), key=lambda row: row.sequence):
            found.setdefault(row.chain, []).append(row)
        return found

    def counts(self) -> dict[str, int]:
        elements = [element for own in self.experiments.values() for element in own]
        return {
            AUDIT: len(self.audit),
            ASSIGNMENTS: len(self.assignments),
            "public.experiments": len(self.experiments),
            "public.experiment_elements": len(elements),
            "public.element_variants": sum(len(self.variants[element]) for element in elements),
            "public.users": self.users,
        }

    def drop(self, experiment: str) -> None:
        """A deleted experiment takes everything of it along."""
        del self.experiments[experiment]
        self.audit = {key: row for key, row in self.audit.items() if row.chain != experiment}
        self.assignments = {key: row for key, row in self.assignments.items() if row.chain != experiment}


def changed(before: State, now: State) -> Told:
    """What a comparison of two states must tell; rows that only came, and first conversions, are nothing."""
    ends = {chain: rows[-1].sequence for chain, rows in now.chains().items()}
    shared, found = min(before.added, now.added), dict[str, set[object]]()
    for key, was in before.audit.items():
        new = now.audit.get(key)
        if new is None:
            end = ends.get(was.chain)
            code = "chain_removed" if end is None else "tail_cut" if was.sequence > end else "rows_removed"
            found.setdefault(code, set()).add((key, was.fixed, shared))
            continue
        if was.fixed != new.fixed:
            found.setdefault("row_edited", set()).add((key, was.fixed, new.fixed, shared))
        if was.conversion != UNSET and was.conversion != new.conversion:
            found.setdefault("conversion_changed", set()).add((key, was.conversion, new.conversion))
    return {(code, AUDIT): (len(rows), frozenset(rows)) for code, rows in found.items()}


def standing(now: State, at: datetime) -> Told:
    """What one state tells of itself: broken chains, assignments without a decision."""
    broken = {(chain, *one) for chain, rows in now.chains().items() for one in _broken(rows)}
    audited = {row.assignment for row in now.audit.values()}
    known = {(row.chain, row.visitor) for row in now.audit.values()}
    unaudited = {
        key
        for key, row in now.assignments.items()
        if row.at < at - timedelta(minutes=15) and key not in audited and (row.chain, row.visitor) not in known
    }
    found: Told = {}
    if broken:
        found["chain_broken", AUDIT] = (len(broken), frozenset(broken))
    if unaudited:
        found["assignment_unaudited", ASSIGNMENTS] = (len(unaudited), frozenset(unaudited))
    return found


def _broken(rows: list[Decision]) -> list[tuple[int, str]]:
    found, last = [], None
    for row in rows:
        if row.hash != row.computed():
            found.append((row.sequence, "hash"))
        elif row.previous != (last.hash if last else None):
            found.append((row.sequence, "link"))
        elif row.sequence != (last.sequence if last else 0) + 1:
            found.append((row.sequence, "sequence"))
        last = row
    return found


def not_kept(before: State, now: State) -> bool:
    """Whether some chain does not begin with what it was: a row fewer, or another hash at the earlier end."""
    today = now.chains()
    for chain, rows in before.chains().items():
        begin = [row for row in today.get(chain, []) if row.sequence <= rows[-1].sequence]
        if len(begin) != len(rows) or begin[-1].hash != rows[-1].hash or begin[-1].sequence != rows[-1].sequence:
            return True
    return False


def unusual(before: tuple[State, dict[str, int], str] | None, now: State, sizes: dict[str, int]) -> Told:
    """Tables that are empty, or lost a fifth of their rows or bytes. `sizes` are the copies' measured bytes."""
    counts = now.counts()
    found: Told = {("anomaly", f"{name} empty"): (1, "empty") for name, rows in counts.items() if rows == 0}
    if before is None:
        return found
    state, earlier, run = before
    for name, rows in state.counts().items():
        if rows and counts[name] * 5 <= rows * 4:
            found["anomaly", f"{name} rows"] = (1, run)
        elif earlier[name] and sizes[name] <= earlier[name] * 0.8:
            found["anomaly", f"{name} bytes"] = (1, run)
    return found
