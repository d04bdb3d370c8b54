"""What applying costs the users of a database: seconds of waiting, bytes of disk; and so whether it needs maintenance.

Pure. Sizes come from live facts; without them the cautious answer is given.
"""

from __future__ import annotations

from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.model import (
    DESTRUCTIVE,
    OPAQUE,
    SH,
    STRENGTH,
    Analysis,
    Finding,
    PlanStep,
    Statement,
    Touched,
)
from migrations_registry.analysis.risk import Policy, severity_of

SCAN_BYTES_PER_SECOND, REWRITE_BYTES_PER_SECOND, _BRIEF_SECONDS = 150 * 1024 * 1024, 40 * 1024 * 1024, 0.2


def sized(size: int) -> str:
    """As people say it."""
    for unit, many in (("TB", 2**40), ("GB", 2**30), ("MB", 2**20)):
        if size >= many:
            return f"{size / many:.{0 if size >= 10 * many else 1}f} {unit}"
    return f"{max(size, 1024) // 1024} kB"


def lasting(seconds: float) -> str:
    """As people say it."""
    if seconds < 1:
        return "less than a second"
    for unit, many in (("h", 3600), ("min", 60)):
        if seconds >= 2 * many:
            return f"about {seconds / many:.0f} {unit}"
    return f"about {seconds:.0f} s"


def size_of(objects: tuple[Touched, ...], facts: CatalogFacts | None) -> tuple[int | None, int | None]:
    """Rows and bytes of the existing relations, or None where nobody knows."""
    if facts is None:
        return None, None
    known = [facts.tables[touched.name] for touched in objects if not touched.is_new and touched.name in facts.tables]
    return sum(table.rows for table in known), sum(table.bytes for table in known)


def _work_seconds(objects: tuple[Touched, ...], facts: CatalogFacts | None, *, rewrites: bool) -> float:
    size = size_of(objects, facts)[1] or 0
    return size / (REWRITE_BYTES_PER_SECOND if rewrites else SCAN_BYTES_PER_SECOND)


def _works(finding: Finding) -> bool:
    """Whether it goes through rows; TRUNCATE only begins an empty file."""
    return (finding.scan or finding.rewrite) and finding.rule != "MD-TRUNCATE"


def with_duration(finding: Finding, objects: tuple[Touched, ...], facts: CatalogFacts | None) -> Finding:
    """How long it takes and for how much, where a finding says that rows are read or written and sizes are known."""
    size = size_of(objects, facts)[1]
    if not size or not _works(finding) or (finding.severity == DESTRUCTIVE and not finding.rewrite):
        return finding
    seconds = _work_seconds(objects, facts, rewrites=finding.rewrite)
    verb = "written" if finding.rewrite else "read"
    return finding._replace(message=f"{finding.message} ({lasting(seconds)}: {sized(size)} to be {verb})")


def seconds_blocked(statements: list[Statement], facts: CatalogFacts | None) -> float | None:
    """How long others wait, from the first blocking lock to the end of the step; None without sizes."""
    total, blocking = 0.0, False
    for statement in statements:
        blocking |= statement.lock is not None and STRENGTH[statement.lock] >= STRENGTH[SH]
        slow = any(map(_works, statement.findings))
        if not blocking:
            continue
        if facts is None and slow:
            return None
        rewrites = any(finding.rewrite and _works(finding) for finding in statement.findings)
        total += _work_seconds(statement.objects, facts, rewrites=rewrites) if slow else 0.0
    return round(total + _BRIEF_SECONDS, 1) if blocking else 0.0


def too_long(steps: tuple[PlanStep, ...], facts: CatalogFacts | None, policy: Policy) -> str:
    """Why maintenance mode is needed; empty where it is not."""
    for step in steps:
        if step.blocks_seconds is not None and step.blocks_seconds > policy.maintenance_seconds:
            about, limit = f"{step.blocks_seconds:g} s", f"{policy.maintenance_seconds} s"
            return f"step {step.number} blocks others for about {about} (limit {limit})"
        if step.blocks_seconds is None and facts is None:
            return f"step {step.number} works through rows under a blocking lock and nobody knows how many"
    return ""


def unwatched(analysis: Analysis, policy: Policy) -> str:
    """A statement outside transactions holds no lock before it destroys, so nobody may be able to write."""
    for statement in analysis.statements:
        alone = not statement.transactional and not statement.is_frame
        if alone and any(severity_of(finding, policy) in (DESTRUCTIVE, OPAQUE) for finding in statement.findings):
            return f"line {statement.line} destroys outside a transaction, where no lock keeps others from writing"
    return ""


def rewritten_bytes(analysis: Analysis, facts: CatalogFacts | None) -> int | None:
    """Bytes of existing relations that a statement writes anew, so that both copies lie on the disk; None: unknown."""
    rewritten = {
        touched
        for statement in analysis.statements
        if any(finding.rewrite and _works(finding) for finding in statement.findings)
        for touched in statement.objects
        if not touched.is_new
    }
    return size_of(tuple(rewritten), facts)[1]


def comparison(size_bytes: int, policy: Policy) -> str:
    """Why comparing what is destroyed with its restore point needs maintenance mode; empty where it does not."""
    seconds, limit = round(size_bytes / SCAN_BYTES_PER_SECOND, 1), policy.maintenance_seconds
    if seconds <= limit:
        return ""
    return (
        f"comparing {size_bytes // 2**20:,} MB with their restore point would keep writers waiting for about "
        f"{seconds:g} s (limit {limit} s)"
    )
