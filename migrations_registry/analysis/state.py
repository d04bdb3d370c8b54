"""What is known at one point of a file: transaction, new tables, functions, settings, and the statement's findings.

Rules read it, call `see` to report, and note what later statements need to know.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from migrations_registry.analysis.facts import CatalogFacts, Hook, Programs, TableFacts
from migrations_registry.analysis.model import STRENGTH, Finding, Name, Rule, Touched
from migrations_registry.analysis.parsing.identities import Identities, Token
from migrations_registry.analysis.parsing.nodes import relation
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.routines import Routine, Waiting
from migrations_registry.analysis.scope import Scope

EVERY = ("*", "*")  # GRANT … ON ALL TABLES IN SCHEMA


@dataclass(slots=True)
class State:
    """One file's knowledge, advanced statement by statement."""

    pg_version: int = 17
    assume_in_transaction: bool = False
    facts: CatalogFacts | None = None
    changes_nothing: bool = False  # the whole file only reads
    harmless_transactions: bool = False
    exposed: bool = False  # the file is written for Supabase: API roles, auth functions or row security appear in it
    uses: set[tuple[str, Name]] = field(default_factory=set)  # relations with grants or policies; types of new columns
    served: set[tuple[Name, str]] = field(default_factory=set)  # CHECKs, unique indexes that others replace now
    in_transaction: bool = False
    transaction: int = 0
    created: dict[Name, int] = field(default_factory=dict)  # new relation → transaction that made it
    perhaps_created: set[Name] = field(default_factory=set)  # IF NOT EXISTS, or in a branch that may not be taken
    referred: dict[Name, bool] = field(default_factory=dict)  # rules/ties.py
    tied: dict[Name, Name] = field(default_factory=dict)
    shown: dict[Name, Node] = field(default_factory=dict)
    dropped: set[Name] = field(default_factory=set)
    created_columns: set[tuple[Name, str]] = field(default_factory=set)
    secured: set[Name] = field(default_factory=set)  # functions that the file withdraws from the public
    secured_tables: set[Token] = field(default_factory=set)  # row security, now or further down; nobody's rights
    identities: Identities = field(default_factory=Identities)
    filled: set[Name] = field(default_factory=set)  # relations into which the file has put rows
    required_columns: set[tuple[Name, str]] = field(default_factory=set)
    scope: Scope = field(default_factory=Scope)
    routines: dict[str, list[Routine]] = field(default_factory=dict)  # bare name → all that the file creates, anywhere
    made_names: set[Name] = field(default_factory=set)  # routines and operators that it has certainly made
    made_types: dict[Name, int] = field(default_factory=dict)  # type → transaction that made it
    column_types: dict[tuple[Name, str], str] = field(default_factory=dict)  # of columns that the file makes
    retyped: dict[tuple[Name, str], str] = field(default_factory=dict)  # older column → its type as the file leaves it
    plain_domains: dict[Name, Node] = field(default_factory=dict)  # domain that the file makes → the type it stands for
    time_zone_set: bool = False
    plain_types: set[Name] = field(default_factory=set)  # no domains, says the file, wherever it makes them
    other_names: dict[str, set[str]] = field(default_factory=dict)  # routine → names under which it was known before
    following: list[Routine] = field(default_factory=list)
    unfolding: list[str] = field(default_factory=list)  # names of aggregates whose functions are being judged
    waiting: dict[Name, list[Waiting]] = field(default_factory=dict)
    relatives: dict[Name, set[Name]] = field(default_factory=dict)  # relation → those whose hooks run with its own
    is_later: bool = False  # what is judged now runs some other day
    calm: set[Hook] = field(default_factory=set)  # what the database runs by itself and was found harmless
    prepared: dict[str, tuple[str, Node]] = field(default_factory=dict)
    constrained_domains: set[Name] = field(default_factory=set)
    unproven: dict[tuple[Name, str], tuple[int, str | None]] = field(default_factory=dict)
    proven_not_null: set[tuple[Name, str]] = field(default_factory=set)
    checks: dict[tuple[Name, str], Node] = field(default_factory=dict)  # what the file's CHECKs say, by their names
    valid_checks: set[tuple[Name, str]] = field(default_factory=set)
    index_columns: dict[Name, tuple[str, ...]] = field(default_factory=dict)  # of indexes that the file builds
    references: dict[tuple[Name, str], tuple[Name, tuple[str, ...]]] = field(default_factory=dict)  # key → parent, own
    default_partitions: dict[Name, Name | None] = field(default_factory=dict)  # as the file leaves them
    partition_keys: dict[Name, tuple[str, ...]] = field(default_factory=dict)  # of tables that the file makes
    enum_values: dict[str, tuple[Name, int]] = field(default_factory=dict)  # new value → enum, transaction
    locked: dict[Name, str] = field(default_factory=dict)  # existing relations locked in this transaction
    hidden: list[str] = field(default_factory=list)
    loops: int = 0  # of PL/pgSQL, around what is judged now
    counted: bool = False  # the file sets a sequence's counter
    lock_timeout_set: bool = False
    last_settings: set[int] = field(default_factory=set)  # ids of the nodes behind which nothing but settings follows
    slow: bool = False  # this transaction already worked through rows under a lock
    backfilled: set[Name] = field(default_factory=set)  # older relations whose rows this transaction has filled
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
        message = f"{' in '.join(reversed(self.hidden))}: {message}" if self.hidden else message
        now = not self.is_later
        self.findings.append(
            Finding(
                rule.id,
                severity or rule.severity,
                (lock or rule.lock) if now else None,
                rule.rewrite and now,
                (rule.scan if scan is None else scan) and now,
                message,
                rule.safe_form.format(**words) if words and "{" in rule.safe_form else rule.safe_form,
            )
        )

    def is_new(self, name: Name) -> bool:
        """The file itself made this relation, so nobody waits for it and it holds only what the file put there."""
        return name in self.created or name[0] == "pg_temp"

    def is_private(self, name: Name) -> bool:
        """Nobody else can have put rows there: temporary, or made in the transaction that is still open."""
        return name[0] == "pg_temp" or (self.in_transaction and self.created.get(name) == self.transaction)

    def made(self, node: Node, *, surely: bool = True, on_commit: str = "") -> None:
        """A statement made the relation of this RangeVar; not `surely`: another one may have been there."""
        name = relation(node)
        if name[0] == "pg_temp":
            self.scope.temporary[name[1]] = on_commit == "ONCOMMIT_DROP"
        if surely or name[0] == "pg_temp":
            self.created[name] = self.transaction
        else:
            self.perhaps_created.add(name)

    def gone(self, name: Name) -> None:
        """A relation was dropped, or has another name now."""
        self.created.pop(name, None)
        if name[0] == "pg_temp":
            self.scope.temporary.pop(name[1], None)

    def is_new_relation(self, node: Node) -> bool:
        """`is_new` of a RangeVar."""
        return self.is_new(relation(node))

    @property
    def programs(self) -> Programs | None:
        """What the live catalog says of functions and of what runs them."""
        return self.facts.programs if self.facts else None

    def table(self, name: Name) -> TableFacts | None:
        """Live facts of a table, if an environment was given and knows it."""
        return self.facts.tables.get(name) if self.facts else None

    def relate(self, one: Name, other: Name) -> None:
        """What `other` runs, `one` does too: a partition, an heir, a view over it, its new name, a column's domain."""
        self.relatives.setdefault(one, set()).add(other)

    def touch(self, name: Name, lock: str, *, beside: bool = False, is_new: bool = False) -> None:
        """Note that the current statement locks a relation; `is_new`: it was, before the statement took it away."""
        before = self.touched.get(name)
        if not self.is_later and (before is None or STRENGTH[lock] > STRENGTH[before.lock]):
            self.touched[name] = Touched(name, lock, is_new or self.is_new(name), beside)

    def begin(self) -> None:
        """A transaction starts."""
        self.transaction += 1
        self.in_transaction = True
        self._forget()

    def end(self) -> None:
        """The transaction is over; its locks are released."""
        self.in_transaction = False
        self.transaction += 1
        self.scope.committed()
        self._forget()

    def _forget(self) -> None:
        self.locked.clear()
        self.slow, self.backfilled = False, set()

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

    @contextmanager
    def without_own(self, *, later: bool) -> Iterator[None]:
        """What the file makes counts as everything else does; `later`: as what is judged here runs some other day."""
        before = dict(self.created), dict(self.scope.temporary), self.is_later, self.in_transaction
        self.is_later = later or self.is_later
        self.created, self.scope.temporary, self.in_transaction = {}, {}, True
        try:
            yield
        finally:
            self.created, self.scope.temporary, self.is_later, self.in_transaction = before
