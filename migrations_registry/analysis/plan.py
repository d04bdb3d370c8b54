"""From an analysis to steps: what runs together, what runs alone, how long it blocks, what must happen first.

Pure. Estimates come from live facts and are shown, never part of the digest (DESIGN 4).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.model import DESTRUCTIVE, OPAQUE, SH, STRENGTH, Analysis, Statement, Touched
from migrations_registry.analysis.risk import DEFAULT_POLICY, Policy, severity_of

_SCAN_BYTES_PER_SECOND, _REWRITE_BYTES_PER_SECOND, _BRIEF_SECONDS = 150 * 1024 * 1024, 40 * 1024 * 1024, 0.2
# A file with one of these cannot be applied by the runner at all.
REFUSED = {
    "MP-UNPARSED": "holds text that PostgreSQL's grammar refuses",
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
class PlanStep:
    """Statements that run in one transaction, or the one that must run outside any."""

    number: int
    transactional: bool
    statements: tuple[int, ...]
    lines: tuple[int, int]
    objects: tuple[Touched, ...]
    lock: str | None
    rows: int | None
    bytes: int | None
    blocks_seconds: float | None

    @property
    def title(self) -> str:
        """How a list of steps names it."""
        first, last = self.lines
        where = f"line {first}" if first == last else f"lines {first}–{last}"
        return f"Transaction: {where}" if self.transactional else f"Alone, outside a transaction: {where}"


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
        maintenance=_maintenance(steps, facts, policy),
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
    yield from [together] if together else []


def _step(number: int, group: list[tuple[int, Statement]], facts: CatalogFacts | None) -> PlanStep:
    held: dict[tuple[str, str], Touched] = {}
    for _, statement in group:
        for touched in statement.objects:
            if touched.name not in held or STRENGTH[touched.lock] > STRENGTH[held[touched.name].lock]:
                held[touched.name] = touched
    locks = [statement.lock for _, statement in group if statement.lock]
    rows, size = _size(tuple(held.values()), facts)
    return PlanStep(
        number=number,
        transactional=group[0][1].transactional,
        statements=tuple(index for index, _ in group),
        lines=(group[0][1].line, group[-1][1].end_line),
        objects=tuple(held.values()),
        lock=max(locks, key=STRENGTH.__getitem__, default=None),
        rows=rows,
        bytes=size,
        blocks_seconds=_seconds([statement for _, statement in group], facts),
    )


def _size(objects: tuple[Touched, ...], facts: CatalogFacts | None) -> tuple[int | None, int | None]:
    """Rows and bytes of the existing relations, or None where nobody knows."""
    if facts is None:
        return None, None
    known = [facts.tables[touched.name] for touched in objects if not touched.is_new and touched.name in facts.tables]
    return sum(table.rows for table in known), sum(table.bytes for table in known)


def _seconds(statements: list[Statement], facts: CatalogFacts | None) -> float | None:
    """How long others wait, from the first blocking lock to the end of the step; None without sizes."""
    total, blocking = 0.0, False
    for statement in statements:
        blocking |= statement.lock is not None and STRENGTH[statement.lock] >= STRENGTH[SH]
        slow = any(finding.scan or finding.rewrite for finding in statement.findings)
        if not blocking:
            continue
        if facts is None and slow:
            return None
        _, size = _size(statement.objects, facts)
        rewrites = any(finding.rewrite for finding in statement.findings)
        rate = _REWRITE_BYTES_PER_SECOND if rewrites else _SCAN_BYTES_PER_SECOND
        total += (size or 0) / rate if slow else 0.0
    return round(total + _BRIEF_SECONDS, 1) if blocking else 0.0


def _maintenance(steps: tuple[PlanStep, ...], facts: CatalogFacts | None, policy: Policy) -> str:
    """Why maintenance mode is needed; empty where it is not."""
    for step in steps:
        if step.blocks_seconds is not None and step.blocks_seconds > policy.maintenance_seconds:
            about, limit = f"{step.blocks_seconds:g} s", f"{policy.maintenance_seconds} s"
            return f"step {step.number} blocks others for about {about} (limit {limit})"
        if step.blocks_seconds is None and facts is None:
            return f"step {step.number} works through rows under a blocking lock and nobody knows how many"
    return ""


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
            rows, size = _size(statement.objects, facts)
            yield Loss(statement.line, "; ".join(finding.message for finding in destroys), rows, size)


def _refusals(analysis: Analysis) -> Iterator[str]:
    if not any(not statement.is_frame for statement in analysis.statements):
        yield "the file holds no statement"
    for statement in analysis.statements:
        for rule_id in dict.fromkeys(finding.rule for finding in statement.findings):
            if rule_id in REFUSED:
                yield f"line {statement.line} {REFUSED[rule_id]} ({rule_id})"
