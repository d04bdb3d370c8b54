"""The words of the analysis: severities, PostgreSQL's table locks, rules, findings, statements, a file's analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from migrations_registry.analysis.version import ruleset

DESTRUCTIVE, BLOCKING, REWRITE, DATA = "destructive", "blocking", "rewrite", "data"
COMPATIBILITY, SECURITY, OPAQUE = "compatibility", "security", "opaque"
EXECUTION, CONVENTION = "execution", "convention"
SEVERITIES = (DESTRUCTIVE, OPAQUE, SECURITY, REWRITE, BLOCKING, DATA, COMPATIBILITY, EXECUTION, CONVENTION)

# PostgreSQL 17, chapter 13.3.1, weakest first.
AS, RS, RX, SUE = "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE"
SH, SRE, EX, AX = "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"
LOCKS = (AS, RS, RX, SUE, SH, SRE, EX, AX)
STRENGTH = {lock: strength for strength, lock in enumerate(LOCKS)}

Name = tuple[str, str]


def qualified(name: Name) -> str:
    """schema.name, a schema with a dot in quotes, as providers/postgres writes it: `"a.b".c` and `a."b.c"` differ."""
    schema = name[0]
    plain = "." not in schema and not schema.startswith('"')
    return f"{schema if plain else quoted(schema)}.{name[1]}"


def label(name: Name) -> str:
    """The name as a person writes it: public is left out where the rest cannot mean something else."""
    return name[1] if name[0] == "public" and "." not in name[1] else qualified(name)


def quoted(name: str) -> str:
    """As SQL writes it, whatever it is called."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def who_waits(lock: str) -> str:
    """In words, with a place for the relation's name."""
    if lock == AX:
        return "nobody can read or write {}"
    if STRENGTH[lock] >= STRENGTH[SH]:
        return "writers of {} wait"
    return "other changes of the structure of {} wait" if lock == SUE else "only who changes the same rows of {} waits"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the catalogue. `bad` samples must find it, `good` ones must not; both run on the proof schema."""

    id: str
    severity: str
    message: str
    safe_form: str
    lock: str | None = None
    rewrite: bool = False
    scan: bool = False
    versions: str = ""
    bad: tuple[str, ...] = ()
    good: tuple[str, ...] = ()


class Finding(NamedTuple):
    """What one rule says about one statement; a tuple, because those are made fastest and a file holds many."""

    rule: str
    severity: str
    lock: str | None
    rewrite: bool
    scan: bool
    message: str
    safe_form: str


@dataclass(frozen=True, slots=True)
class Touched:
    """A relation that a statement locks, and how; `is_new` when the same file made it, `beside` when it only waits."""

    name: Name
    lock: str
    is_new: bool = False
    beside: bool = False

    @property
    def label(self) -> str:
        """The name as a person writes it."""
        return label(self.name)

    @property
    def waits(self) -> str:
        """Who waits at it until the transaction ends, with PostgreSQL's name for the lock."""
        return f"{who_waits(self.lock).format(self.label)} ({self.lock})"


class Statement(NamedTuple):
    """One statement of a file: its bytes, lines (1-based), findings and the relations it locks."""

    kind: str
    start: int
    end: int
    line: int
    end_line: int
    sql: str
    findings: tuple[Finding, ...]
    objects: tuple[Touched, ...]
    transactional: bool
    is_frame: bool = False  # BEGIN or COMMIT around the whole file: the runner supplies its own

    @property
    def lock(self) -> str | None:
        """The strongest lock on something that existed before the file."""
        held = [touched.lock for touched in self.objects if not touched.is_new]
        held += [finding.lock for finding in self.findings if finding.lock]
        return max(held, key=STRENGTH.__getitem__, default=None)


@dataclass(frozen=True, slots=True)
class Analysis:
    """A file's statements in order, and its risk."""

    statements: tuple[Statement, ...]
    risk: str

    @property
    def ruleset(self) -> str:
        """The version of the rules that judged it, which costs a look at all their sources."""
        return ruleset()

    @property
    def findings(self) -> list[Finding]:
        """All findings, in file order."""
        return [finding for statement in self.statements for finding in statement.findings]


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
        if not self.statements:
            return "No statement: only its row in the migration history is written"
        where = f"line {first}" if first == last else f"lines {first}–{last}"
        return f"Transaction: {where}" if self.transactional else f"Alone, outside a transaction: {where}"
