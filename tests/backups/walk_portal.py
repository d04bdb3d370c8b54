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
        return {(alarm.code, alarm.subject) for alarm in self.alarms if not alarm.resolved}

    def good(self) -> list[Copy]:
        """Newest first: nothing to explain, and not taken back by a restore."""
        return [copy for copy in reversed(self.copies) if self._good(copy)]

    def _good(self, copy: Copy) -> bool:
        shown = [alarm for alarm in self.alarms if copy.run in alarm.seen]
        if copy.purged or not (copy.status == "proven" or (copy.status == "suspect" and shown)):
            return False
        return all(0 < alarm.resolved < copy.tick for alarm in shown) and not any(
            since < copy.tick < until for since, until in self.undone
        )

    def judge(self, copy: Copy) -> None:
        """Status, baseline and findings of a new run, and the alarms that stand afterwards."""
        good = self.good()
        last = good[0] if good else None
        compared = changed(last.state, copy.state) if last else {}
        before = (last.state, last.sizes, last.run) if last else None
        copy.baseline = last.run if last else ""
        copy.findings = compared | standing(copy.state, copy.at) | unusual(before, copy.state, copy.sizes)
        copy.findings |= self._trend(copy, good) if last else {}
        doubts = [key for key in copy.findings if key[0] in ("chain_broken", "anomaly") and not self._known(copy, key)]
        cuts = [key for key in compared if key[0] in CUTS]
        explained = cuts and all(self._known(copy, key) for key in cuts)
        cut = last is not None and not_kept(last.state, copy.state) and not explained
        copy.status = "suspect" if doubts or cut else "proven"
        for key in copy.findings:
            self._raise(copy, key, last)
        self.copies.append(copy)

    def _known(self, copy: Copy, key: tuple[str, str]) -> Alarm | None:
        """The explained alarm of exactly this finding, explained since the last good run."""
        since = next((earlier.tick for earlier in self.copies if earlier.run == copy.baseline), 0)
        for alarm in self.alarms:
            same = (alarm.code, alarm.subject) == key and alarm.mark == copy.findings[key][1]
            if same and alarm.resolved and (alarm.code in ABSOLUTE or alarm.resolved > since):
                return alarm
        return None

    def _raise(self, copy: Copy, key: tuple[str, str], last: Copy | None) -> None:
        standing = next((a for a in self.alarms if (a.code, a.subject) == key and not a.resolved), None)
        alarm = standing or self._known(copy, key)
        if alarm is None:
            self.alarms.append(alarm := Alarm(*key, copy.findings[key][1]))
        if not alarm.resolved:
            alarm.mark = copy.findings[key][1]
            self.held |= {last.run} if last else set()
        alarm.seen.add(copy.run)

    def _trend(self, copy: Copy, good: list[Copy]) -> Told:
        points = [*reversed(good[:30]), copy]
        if len(points) < 6:
            return {}
        hours = [(b.at - a.at) / timedelta(hours=1) for a, b in itertools.pairwise(points)]
        trend: Told = {}
        for name in ("rows", "bytes"):
            sizes = [sum((copy.state.counts() if name == "rows" else copy.sizes).values()) for copy in points]
            grown = [b - a for a, b in itertools.pairwise(sizes)]
            rates = [grew / time for grew, time in zip(grown, hours, strict=True)]
            usual = median(rates[:-1])
            spread = median(abs(rate - usual) for rate in rates[:-1]) * 1.4826
            allowed = max(8 * spread * hours[-1], sizes[-2] / 10)
            if abs(grown[-1] - usual * hours[-1]) > allowed:
                trend["anomaly", f"{POLICY} growth of {name}"] = (1, good[0].run)
        return trend

    def wanted(self) -> set[str]:
        """Runs that retention must leave alone: the newest three, the newest of two days, held, altered, young."""
        newest = sorted(self.copies, key=lambda copy: copy.at, reverse=True)
        counted = [copy for copy in newest if copy.counts]
        stored = [copy for copy in counted if copy.retired is None]
        days: dict[Any, str] = {}
        for copy in stored:
            days.setdefault(copy.at.date(), copy.run)
        wanted = {copy.run for copy in [*counted[:3], *stored[:LAST]]} | set(list(days.values())[:DAYS]) | self.held
        wanted |= {run for alarm in self.alarms if not alarm.resolved for run in alarm.seen}
        return wanted

    def retire(self, now: datetime) -> set[str] | None:
        """Which runs must be retired now; None when nothing may be decided."""
        counted = [copy for copy in self.copies if copy.counts]
        if not counted or now - max(copy.at for copy in counted) > timedelta(days=14):
            return None
        going = {copy.run for copy in self.copies if copy.retired is None and not copy.purged} - self.wanted()
        for copy in self.copies:
            newer = sum(other.retired is None and other.at > copy.at for other in counted)
            if not copy.counts and (now - copy.at < UNPROVEN or newer < 3):
                going.discard(copy.run)
        return going

    def due(self, now: datetime) -> set[str]:
        """Retired a week ago, three proven since, and nothing keeps it."""
        retired = set()
        kept = self.wanted()
        for copy in self.copies:
            since = (
                sum(other.counts and other.retired is None and other.at > copy.retired for other in self.copies)
                if copy.retired
                else 0
            )
            if copy.retired and not copy.purged and now - copy.retired >= timedelta(days=7) and since >= 3:
                retired.add(copy.run)
        return retired - kept if self.retire(now) is not None else set()

    def pass_time(self, span: timedelta) -> None:
        for copy in self.copies:
            copy.at -= span
            copy.retired = copy.retired - span if copy.retired else None
