"""What is known at one point of a file: transaction, new tables, functions, settings, and the statement's findings.

Rules read it, call `see` to report, and note what later statements need to know.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from migrations_registry.analysis.facts import CatalogFacts, TableFacts
from migrations_registry.analysis.model import STRENGTH, Finding, Name, Rule, Touched
from migrations_registry.analysis.parsing.nodes import relation
from migrations_registry.analysis.parsing.parser import Node


@dataclass(slots=True)
class FileFunction:
    """A function or procedure that the file creates: its language, body, whole text and volatility."""

    language: str
    body: str
    statement: str
    volatility: str
    atomic: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class State:
    """One file's knowledge, advanced statement by statement."""

    pg_version: int = 17
    assume_in_transaction: bool = False
    facts: CatalogFacts | None = None
    changes_nothing: bool = False  # the whole file only reads
    harmless_transactions: bool = False
    exposed: bool = False  # the file is written for Supabase: API roles, auth functions or row security appear in it
    in_transaction: bool = False
    transaction: int = 0
    created: dict[Name, int] = field(default_factory=dict)  # new relation → transaction that made it
    perhaps_created: set[Name] = field(default_factory=set)  # CREATE TABLE IF NOT EXISTS
    dropped: set[Name] = field(default_factory=set)
    created_columns: set[tuple[Name, str]] = field(default_factory=set)
    secured: set[Name] = field(default_factory=set)
    required_columns: set[tuple[Name, str]] = field(default_factory=set)
    functions: dict[str, FileFunction] = field(default_factory=dict)
    prepared: dict[str, tuple[str, Node]] = field(default_factory=dict)
    constrained_domains: set[Name] = field(default_factory=set)
    unproven: dict[tuple[Name, str], tuple[int, str | None]] = field(default_factory=dict)
    proven_not_null: set[tuple[Name, str]] = field(default_factory=set)
    enum_values: dict[str, int] = field(default_factory=dict)
    locked: dict[Name, str] = field(default_factory=dict)  # existing relations locked in this transaction
    hidden: list[str] = field(default_factory=list)
    lock_timeout_set: bool = False
    slow: bool = False  # this transaction already worked through rows under a lock
    backfilled: bool = False  # this transaction already filled rows
    findings: list[Finding] = field(default_factory=list)
    touched: dict[Name, Touched] = field(default_factory=dict)
    source: str = ""
    judged: list[tuple[str, Node]] = field(default_factory=list)  # the statement's own nodes and all hidden ones
    replaced: set[tuple[str, Name, str]] = field(default_factory=set)  # triggers and policies the file creates again

    def see(
        self,
        rule: Rule,
        severity: str | None = None,
        scan: bool | None = None,
        lock: str | None = None,
        /,
        **words: object,
    ) -> None:
        """Report a rule for the current statement; `words` fill its message."""
        message = rule.message.format(**words) if words else rule.message
        if self.hidden:
            message = f"{' in '.join(reversed(self.hidden))}: {message}"
        self.findings.append(
            Finding(
                rule.id,
                severity or rule.severity,
                lock or rule.lock,
                rule.rewrite,
                rule.scan if scan is None else scan,
                message,
                rule.safe_form.format(**words) if words and "{" in rule.safe_form else rule.safe_form,
            )
        )

    def is_new(self, name: Name) -> bool:
        """The file itself made this relation, so nobody waits for it and it holds only what the file put there."""
        return name in self.created or name[0] == "pg_temp" or ("pg_temp", name[1]) in self.created

    def is_private(self, name: Name) -> bool:
        """Nobody else can have put rows there: temporary, or made in the transaction that is still open."""
        if name[0] == "pg_temp" or ("pg_temp", name[1]) in self.created:
            return True
        return self.in_transaction and self.created.get(name) == self.transaction

    def is_new_relation(self, node: Node) -> bool:
        """`is_new` of a RangeVar."""
        return self.is_new(relation(node))

    def table(self, name: Name) -> TableFacts | None:
        """Live facts of a table, if an environment was given and knows it."""
        return self.facts.tables.get(name) if self.facts else None

    def touch(self, name: Name, lock: str) -> None:
        """Note that the current statement locks a relation."""
        before = self.touched.get(name)
        if before is None or STRENGTH[lock] > STRENGTH[before.lock]:
            self.touched[name] = Touched(name, lock, self.is_new(name))

    def begin(self) -> None:
        """A transaction starts."""
        self.transaction += 1
        self.in_transaction = True
        self._forget()

    def end(self) -> None:
        """The transaction is over; its locks are released."""
        self.in_transaction = False
        self.transaction += 1
        self._forget()

    def _forget(self) -> None:
        if self.locked:
            self.locked.clear()
        self.slow = self.backfilled = False

    @contextmanager
    def inside(self, place: str) -> Iterator[None]:
        """Findings in this block say where the statement was hidden; a DO or a function is always one transaction."""
        before = self.in_transaction
        self.hidden.append(place)
        self.in_transaction = True
        try:
            yield
        finally:
            self.hidden.pop()
            self.in_transaction = before
