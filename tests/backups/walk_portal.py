"""The model of what the portal remembers on a random walk: runs, alarms, holds, restores; and what retention may do.

In: states of production, in order of a tick that stands for the clock. Out: what the portal must say of a run.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from tests.backups.walk_model import State, Told, changed, not_kept, standing, unusual

ABSOLUTE = {"chain_broken", "assignment_unaudited", "anomaly"}
CUTS = {"row_edited", "rows_removed", "tail_cut", "chain_removed"}
POLICY, LAST, DAYS, UNPROVEN = "audit-trail", 3, 2, timedelta(days=2)


@dataclass
class Copy:
    """One run; `at` is its snapshot's time, moved back when time passes."""

    run: str
    tick: int
    at: datetime
    state: State
    sizes: dict[str, int]
    status: str = ""
    baseline: str = ""
    findings: Told = field(default_factory=dict)
    retired: datetime | None = None
    purged: bool = False

    @property
    def counts(self) -> bool:
        return self.status == "proven" and not self.purged


@dataclass
class Alarm:
    code: str
    subject: str
    mark: object
    resolved: int = 0
    seen: set[str] = field(default_factory=set)


@dataclass
class Portal:
    copies: list[Copy] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    undone: list[tuple[int, int]] = field(default_factory=list)

    def open(self) -> set[tuple[str, str]]:
        return {(one.code, one.subject) for one in self.alarms if not one.resolved}

    def good(self) -> list[Copy]:
        """Newest first: nothing to explain, and not taken back by a restore."""
        return [one for one in reversed(self.copies) if self._good(one)]

    def _good(self, one: Copy) -> bool:
        shown = [alarm for alarm in self.alarms if one.run in alarm.seen]
        if one.purged or not (one.status == "proven" or (one.status == "suspect" and shown)):
            return False
        return all(0 < alarm.resolved < one.tick for alarm in shown) and not any(
            since < one.tick < until for since, until in self.undone
        )

    def judge(self, one: Copy) -> None:
        """Status, baseline and findings of a new run, and the alarms that stand afterwards."""
        good = self.good()
        last = good[0] if good else None
        compared = changed(last.state, one.state) if last else {}
        before = (last.state, last.sizes, last.run) if last else None
        one.baseline = last.run if last else ""
        one.findings = compared | standing(one.state, one.at) | unusual(before, one.state, one.sizes)
        one.findings |= self._trend(one, good) if last else {}
        doubts = [key for key in one.findings if key[0] in ("chain_broken", "anomaly") and not self._known(one, key)]
        cuts = [key for key in compared if key[0] in CUTS]
        explained = cuts and all(self._known(one, key) for key in cuts)
        cut = last is not None and not_kept(last.state, one.state) and not explained
        one.status = "suspect" if doubts or cut else "proven"
        for key in one.findings:
            self._raise(one, key, last)
        self.copies.append(one)

    def _known(self, one: Copy, key: tuple[str, str]) -> Alarm | None:
        """The explained alarm of exactly this finding, explained since the last good run."""
        since = next((copy.tick for copy in self.copies if copy.run == one.baseline), 0)
        for alarm in self.alarms:
            same = (alarm.code, alarm.subject) == key and alarm.mark == one.findings[key][1]
            if same and alarm.resolved and (alarm.code in ABSOLUTE or alarm.resolved > since):
                return alarm
        return None

    def _raise(self, one: Copy, key: tuple[str, str], last: Copy | None) -> None:
        standing = next((a for a in self.alarms if (a.code, a.subject) == key and not a.resolved), None)
        alarm = standing or self._known(one, key)
        if alarm is None:
            self.alarms.append(alarm := Alarm(*key, one.findings[key][1]))
        if not alarm.resolved:
            alarm.mark = one.findings[key][1]
            self.held |= {last.run} if last else set()
        alarm.seen.add(one.run)

    def _trend(self, one: Copy, good: list[Copy]) -> Told:
        points = [*reversed(good[:30]), one]
        if len(points) < 6:
            return {}
        hours = [(b.at - a.at) / timedelta(hours=1) for a, b in itertools.pairwise(points)]
        found: Told = {}
        for name in ("rows", "bytes"):
            sizes = [sum((copy.state.counts() if name == "rows" else copy.sizes).values()) for copy in points]
            grown = [b - a for a, b in itertools.pairwise(sizes)]
            rates = [grew / time for grew, time in zip(grown, hours, strict=True)]
            usual = median(rates[:-1])
            spread = median(abs(rate - usual) for rate in rates[:-1]) * 1.4826
            allowed = max(8 * spread * hours[-1], sizes[-2] / 10)
            if abs(grown[-1] - usual * hours[-1]) > allowed:
                found["anomaly", f"{POLICY} growth of {name}"] = (1, good[0].run)
        return found

    def wanted(self) -> set[str]:
        """Runs that retention must leave alone: the newest three, the newest of two days, held, altered, young."""
        newest = sorted(self.copies, key=lambda one: one.at, reverse=True)
        counted = [one for one in newest if one.counts]
        stored = [one for one in counted if one.retired is None]
        days: dict[Any, str] = {}
        for one in stored:
            days.setdefault(one.at.date(), one.run)
        wanted = {one.run for one in [*counted[:3], *stored[:LAST]]} | set(list(days.values())[:DAYS]) | self.held
        wanted |= {run for alarm in self.alarms if not alarm.resolved for run in alarm.seen}
        return wanted

    def retire(self, now: datetime) -> set[str] | None:
        """Which runs must be retired now; None when nothing may be decided."""
        counted = [one for one in self.copies if one.counts]
        if not counted or now - max(one.at for one in counted) > timedelta(days=14):
            return None
        going = {one.run for one in self.copies if one.retired is None and not one.purged} - self.wanted()
        for one in self.copies:
            newer = sum(other.retired is None and other.at > one.at for other in counted)
            if not one.counts and (now - one.at < UNPROVEN or newer < 3):
                going.discard(one.run)
        return going

    def due(self, now: datetime) -> set[str]:
        """Retired a week ago, three proven since, and nothing keeps it."""
        found = set()
        kept = self.wanted()
        for one in self.copies:
            since = (
                sum(other.counts and other.retired is None and other.at > one.retired for other in self.copies)
                if one.retired
                else 0
            )
            if one.retired and not one.purged and now - one.retired >= timedelta(days=7) and since >= 3:
                found.add(one.run)
        return found - kept if self.retire(now) is not None else set()

    def pass_time(self, span: timedelta) -> None:
        for one in self.copies:
            one.at -= span
            one.retired = one.retired - span if one.retired else None
