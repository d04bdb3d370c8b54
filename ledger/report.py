"""What a verification of the ledger found. In: problems. Out: a VerificationReport."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger import canonical

_MOST_PROBLEMS = 1_000


@dataclass(frozen=True)
class Problem:
    sequence: int
    problem: str


@dataclass
class VerificationReport:
    """`entries` read, the `head` hash they lead to, how many `anchors` were compared, and what is wrong."""

    entries: int = 0
    head: str = canonical.ZERO
    anchors: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def valid(self) -> bool:
        return not self.problems

    def add(self, sequence: int, problem: str) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(sequence, problem))

    def as_json(self) -> dict[str, object]:
        problems = [{"sequence": problem.sequence, "problem": problem.problem} for problem in self.problems]
        return {"valid": self.valid, "entries": self.entries, "head": self.head, "anchors": self.anchors} | {
            "problems": problems
        }
