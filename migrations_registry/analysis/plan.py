"""From an analysis to steps: what runs together, what runs alone, how long it blocks, what must happen first.

Pure. Estimates come from live facts and are shown, never part of the digest (docs/design.md 4).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from migrations_registry.analysis.cost import seconds_blocked, size_of, too_long, unwatched
from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.model import DESTRUCTIVE, OPAQUE, STRENGTH, Analysis, PlanStep, Statement, Touched
from migrations_registry.analysis.risk import DEFAULT_POLICY, Policy, severity_of

# A file with one of these cannot be applied by the runner at all.
REFUSED = {
    "MP-UNPARSED": "holds text that cannot be read",
    "MP-META": "holds a psql command",
    "MP-COPY-STDIN": "holds rows of COPY … FROM STDIN",
    "MT-TX-CONTROL": "controls transactions itself",
    "MT-BODY-COMMIT": "commits inside a body",
    "MT-TIMEOUT-OFF": "switches the runner's limits off",
    "MD-DROP-DATABASE": "drops a database",
    "MT-CIC-IN-TX": "runs a concurrent command inside a transaction",
    "MT-ENUM-USE": "uses a new enum value in the transaction that adds it",
    "MT-DUPLICATE-COLUMN": "names a column twice",
}


@dataclass(frozen=True, slots=True)
class Loss:
    """What one statement destroys: in words, with the size of what it touches where that is known."""

    line: int
    what: str
    rows: int | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """How a file would be applied, and why it may not be."""

    steps: tuple[PlanStep, ...]
    risk: str
    ruleset: str
    maintenance: str
    restore_point: str
    losses: tuple[Loss, ...]
    refusals: tuple[str, ...]

    @property
    def lost_rows(self) -> int:
        """Of all losses of which that is known."""
        return sum(loss.rows or 0 for loss in self.losses)

    def content(self) -> bytes:
        """The canonical text that approvals bind: steps, statements, locks, risk, rule-set; no estimates."""
        steps = [
            [
                step.transactional,
                step.statements,
                [[*touched.name, touched.lock] for touched in step.objects],
                step.lock,
            ]
            for step in self.steps
        ]
        bound = {"steps": steps, "risk": self.risk, "ruleset": self.ruleset, "refusals": self.refusals}
        return json.dumps(bound, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def plan(analysis: Analysis, facts: CatalogFacts | None = None, policy: Policy = DEFAULT_POLICY) -> Plan:
    """Group statements into steps and judge them together."""
    steps = tuple(_step(number, group, facts) for number, group in enumerate(_groups(analysis), 1))
    return Plan(
        steps=steps,
        risk=analysis.risk,
        ruleset=analysis.ruleset,
        maintenance=too_long(steps, facts, policy) or unwatched(analysis, policy),
        restore_point=_restore_point(analysis, policy),
        losses=tuple(_losses(analysis, facts, policy)),
        refusals=tuple(_refusals(analysis)),
    )


def _groups(analysis: Analysis) -> Iterator[list[tuple[int, Statement]]]:
    together: list[tuple[int, Statement]] = []
    for number, statement in enumerate(analysis.statements):
        if statement.is_frame:
            continue
        if statement.transactional:
            together.append((number, statement))
            continue
        if together:
            yield together
        together = []
        yield [(number, statement)]
    if together or all(statement.is_frame for statement in analysis.statements):
        yield together  # of a file without a statement, only its row in the history


def _step(number: int, group: list[tuple[int, Statement]], facts: CatalogFacts | None) -> PlanStep:
    held: dict[tuple[str, str], Touched] = {}
    for _, statement in group:
        for touched in statement.objects:
            if touched.name not in held or STRENGTH[touched.lock] > STRENGTH[held[touched.name].lock]:
                held[touched.name] = touched
    locks = [statement.lock for _, statement in group if statement.lock]
    rows, size = size_of(tuple(held.values()), facts)
    return PlanStep(
        number=number,
        transactional=all(statement.transactional for _, statement in group),
        statements=tuple(index for index, _ in group),
        lines=(group[0][1].line, group[-1][1].end_line) if group else (0, 0),
        objects=tuple(held.values()),
        lock=max(locks, key=STRENGTH.__getitem__, default=None),
        rows=rows,
        bytes=size,
        blocks_seconds=seconds_blocked([statement for _, statement in group], facts),
    )


def _restore_point(analysis: Analysis, policy: Policy) -> str:
    """Why a restore point is needed; empty where it is not."""
    for statement in analysis.statements:
        for finding in statement.findings:
            if severity_of(finding, policy) in (DESTRUCTIVE, OPAQUE):
                return f"line {statement.line}: {finding.message}"
    return ""


def _losses(analysis: Analysis, facts: CatalogFacts | None, policy: Policy) -> Iterator[Loss]:
    for statement in analysis.statements:
        destroys = [finding for finding in statement.findings if severity_of(finding, policy) == DESTRUCTIVE]
        if destroys:
            rows, size = size_of(tuple(touched for touched in statement.objects if not touched.beside), facts)
            yield Loss(statement.line, "; ".join(finding.message for finding in destroys), rows, size)


def _refusals(analysis: Analysis) -> Iterator[str]:
    for statement in analysis.statements:
        for rule_id in dict.fromkeys(finding.rule for finding in statement.findings):
            if rule_id in REFUSED:
                yield f"line {statement.line} {REFUSED[rule_id]} ({rule_id})"
