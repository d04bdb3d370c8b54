"""Anomalies of a run that is a faithful copy: it shrank, it grew off its trend, its proof took too long. Pure.

In: manifests and the numbers of earlier good runs. Out: Anomaly values. Imports neither Django nor providers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from backups.archive.manifest import Manifest, Table
from backups.proof.findings import Finding, fingerprint

SHRUNK = 0.8
FEWEST_RUNS = 5
MOST_RUNS = 30
SPREADS = 8.0
TO_DEVIATION = 1.4826  # of a normal distribution: standard deviation = 1.4826 x median absolute deviation
LEAST_SHARE = 0.10  # of what the run holds: less than this is no anomaly, however steady the trend was


@dataclass(frozen=True)
class Anomaly:
    """`mark` names what it was measured against, so that one anomaly is told once, however often it is measured."""

    kind: str
    subject: str
    text: str
    mark: str

    def finding(self) -> Finding:
        subject = f"{self.subject} {self.kind}"
        return Finding("anomaly", subject, self.text, 1, fingerprint("anomaly", subject, self.mark))


@dataclass(frozen=True)
class Measured:
    """One good run as a point of the trend."""

    at: datetime
    rows: int
    bytes: int


def empty(now: Manifest) -> list[Anomaly]:
    """Tables that were asked for by name and hold nothing: it is how a hidden table looks."""
    text = "{} is empty, although the policy names it. Check that the role sees its rows, and the DSN."
    return [
        Anomaly("empty", table.qualified, text.format(table.qualified), "empty")
        for table in now.tables
        if table.named and table.rows == 0
    ]


def shrunk(before: Manifest, now: Manifest) -> list[Anomaly]:
    """Tables that lost a fifth of their rows, or of their bytes while the rows stayed; then the whole run."""
    today = {table.qualified: table for table in now.tables}
    shrunken = [
        _shrunk(table, today[table.qualified], before.run) for table in before.tables if table.qualified in today
    ]
    return [anomaly for anomaly in shrunken if anomaly is not None]


def _shrunk(before: Table, now: Table, run: str) -> Anomaly | None:
    name = now.qualified
    if _dropped(before.rows, now.rows):
        text = f"{name} has {now.rows} rows, the last proven run had {before.rows}. Find out who removed them."
        return Anomaly("rows", name, text, run)
    if before.formats == now.formats and _dropped(before.raw_bytes, now.raw_bytes):
        text = (
            f"{name} has {now.raw_bytes} bytes, the last proven run had {before.raw_bytes} with about as many rows. "
            "Find out what became of their content."
        )
        return Anomaly("bytes", name, text, run)
    return None


def _dropped(before: int, now: int) -> bool:
    """By a fifth or more."""
    return before > 0 and now <= before * SHRUNK


def off_trend(history: Sequence[Measured], now: Measured, subject: str, run: str) -> list[Anomaly]:
    """Growth a hour since the last good run, against the median of the growths between the runs before. Robust: a
    single odd run among `history` (oldest first) moves neither the median nor the median deviation."""
    points = [*history[-MOST_RUNS:], now]
    if len(points) <= FEWEST_RUNS or any(b.at <= a.at for a, b in pairwise(points)):
        return []
    anomalies = []
    for name in ("rows", "bytes"):
        rates = [_rate(a, b, name) for a, b in pairwise(points)]
        usual, hours = median(rates[:-1]), _hours(points[-2], points[-1])
        spread = median(abs(rate - usual) for rate in rates[:-1]) * TO_DEVIATION
        allowed = max(SPREADS * spread * hours, LEAST_SHARE * getattr(points[-2], name))
        grew = getattr(now, name) - getattr(points[-2], name)
        if abs(grew - usual * hours) > allowed:
            text = (
                f"{subject} grew by {grew:,} {name} in {hours:.1f} hours; the last {len(points) - 1} good runs say "
                f"{usual * hours:,.0f} (give or take {allowed:,.0f}). Find out why."
            )
            anomalies.append(Anomaly(f"growth of {name}", subject, text, run))
    return anomalies


def _hours(a: Measured, b: Measured) -> float:
    return (b.at - a.at).total_seconds() / 3600


def _rate(a: Measured, b: Measured, name: str) -> float:
    return (getattr(b, name) - getattr(a, name)) / _hours(a, b)


def too_slow(proof_seconds: float, budget_seconds: int | None) -> str:
    """The doubt about a proof that took longer than the policy allows; empty when there is none."""
    if budget_seconds is None or proof_seconds <= budget_seconds:
        return ""
    return (
        f"Restoring and comparing took {proof_seconds:.0f} s; the policy's budget (RTO) is {budget_seconds} s. "
        "Give the proving worker more power, or the policy a budget that is true."
    )
