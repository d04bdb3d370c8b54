"""A report over a period as values, and the words of its verdicts. Pure: what was read goes in, one Report comes out.

Whole numbers only (canonical JSON holds no floats); every time is RFC 3339 in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from backups.evidence.periods import Gap
from backups.evidence.verdicts import ChainVerdict
from backups.facts.model import listed

FORMAT = "sampelit-ops-report/1"


@dataclass(frozen=True)
class RunLine:
    """A run that the verdict rests on; `facts` says whether its chains' facts were written down."""

    run: str
    policy: str
    taken_at: str
    status: str
    manifest_sha256: str
    facts: bool


@dataclass(frozen=True)
class SlotLine:
    policy: str
    schedule: str
    proven: int
    late: int
    failed: int
    missed: int
    open: int


@dataclass(frozen=True)
class Trouble:
    at: str
    what: str
    why: str


@dataclass(frozen=True)
class Recovery:
    """What was achieved: the longest time between two proven runs (RPO), how long a restore drill took (RTO)."""

    proofs: int
    proven: int
    longest_between_seconds: int
    allowed_between_seconds: int
    median_restore_seconds: int
    longest_restore_seconds: int


@dataclass(frozen=True)
class Protection:
    """Object Lock of the period's runs, legal holds, and what retention deleted since."""

    locked: int
    unlocked: int
    locked_until: str
    holds: tuple[str, ...]
    purged: int


@dataclass(frozen=True)
class RestoreLine:
    at: str
    operation: str
    what: str
    status: str
    requested_by: str
    approved_by: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class IncidentLine:
    at: str
    what: str
    status: str
    resolved_at: str = ""
    resolved_by: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Watched:
    start: str
    end: str
    gaps: tuple[Gap, ...]
    longest_seconds: int
    allowed_seconds: int
    to_the_end: bool


@dataclass(frozen=True)
class Report:
    environment: str
    period_from: str
    period_to: str
    months: tuple[str, ...]
    produced_at: str
    produced_by: str
    word: str
    sentence: str
    chains: tuple[ChainVerdict, ...]
    watched: Watched
    cannot_be_known: tuple[str, ...]
    slots: tuple[SlotLine, ...]
    troubles: tuple[Trouble, ...]
    recovery: Recovery
    protection: Protection
    restores: tuple[RestoreLine, ...]
    incidents: tuple[IncidentLine, ...]
    runs: tuple[RunLine, ...]
    format: str = FORMAT

    @property
    def proven(self) -> list[RunLine]:
        return [run for run in self.runs if run.status == "proven"]


def document(report: Report) -> dict[str, Any]:
    return dict(listed(asdict(report)))


def word_of(chains: Sequence[ChainVerdict], unseen: Sequence[str], proven: int) -> str:
    """The worst of all: altered, then unknown, then intact. `unseen`: what of the period nobody watched, in words."""
    words = {chain.word for chain in chains}
    if "altered" in words:
        return "altered"
    return "unknown" if "unknown" in words or not proven or unseen else "intact"
