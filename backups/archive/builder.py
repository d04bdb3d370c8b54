"""Making a run's schema in a database, small statements together, in order; what cannot be made is told by name.

In: a manifest, a connection that may write. Out: tables ready for rows; afterwards keys, indexes, rights; sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import psycopg

from backups.archive.manifest import Manifest, Segment, Statement
from backups.archive.subset import batches
from backups.progress import Tally, Watch, nothing
from providers.errors import ProviderError
from providers.postgres.connection import Connection, path_query, set_path
from providers.postgres.error_facts import CHECKED, Problem, is_of_the_server, problem_of
from providers.postgres.restore.held_checks import NOT_VALID, THERE, HeldCheck, put_on, take_off
from providers.postgres.schema.surroundings import sorts_otherwise
from providers.storage.base import Store

EXISTING = {
    "schema": "SELECT FROM pg_namespace WHERE nspname = %s",
    "extension": "SELECT FROM pg_extension WHERE extname = %s",
}
TODAY = " It asks for more than the row, such as the time, a setting or a table: what passed once need not pass again."
MAY_NOT = " Let the target's role create there (GRANT CREATE ON SCHEMA …), or name the owner in the variable."


@dataclass
class Builder:
    """Makes what the manifest says; `problems` grows, nothing is raised, so that one report names them all.

    `beat_seconds` above 0: the session has an idle limit, so it is spoken to while an object is on its way.
    `denied`: what to say of a thing that the session's role may not make. `lenient`: what cannot be made here is no
    problem of the copy: `amber` says of which table something could not be rebuilt, and why. `apart`: no
    restore either, so rows stay in their own partition. `made`: needs no making. `before_batch`: told what comes.
    """

    manifest: Manifest
    store: Store
    connection: Connection
    identities: Sequence[str]
    watch: Watch
    beat_seconds: float = 0
    denied: str = MAY_NOT
    lenient: bool = False
    apart: bool = False
    problems: list[str] = field(default_factory=list)
    rows: int = 0
    bytes: int = 0
    again: list[Statement] = field(default_factory=list)
    held: list[HeldCheck] = field(default_factory=list)
    amber: dict[str, str] = field(default_factory=dict)
    lost: list[Statement] = field(default_factory=list)
    refused: dict[Segment, ProviderError] = field(default_factory=dict)
    stand_ins: list[str] = field(default_factory=list)
    looked_in: list[str] = field(default_factory=list)
    made: set[Statement] = field(default_factory=set)
    before_batch: Callable[[Sequence[Statement]], None] = nothing
    tally: Tally = field(init=False)

    def __post_init__(self) -> None:
        self.tally = Tally(self.manifest.raw_bytes, len(self.manifest.tables))

    @cached_property
    def schemas(self) -> list[str]:
        """Where the run's own functions may find what they name without a schema."""
        return ["public", *sorted({item.name for item in self.manifest.statements if item.kind == "schema"})]

    def build(self, phase: str, everything: bool = False) -> list[str]:
        """Run the phase's statements; needed ones that fail are problems, others are answered as notes.

        What fails before the rows is tried again after them: a function may use a table or another function.
        """
        notes: list[str] = []
        self.connection.execute("SET check_function_bodies = off")
        again, self.again = self.again, []
        wanted = (s for s in self.manifest.statements if s.phase == phase and (s.needed or everything))
        statements = [item for item in wanted if item not in self.made]
        for item, problem in self._made([*again, *statements], notes):
            if problem and phase == "before" and not item.needed:
                self.again.append(item)
            elif problem and ((text := self._amber_of(item, problem)) or not item.needed):
                self.lost.append(item)
                notes.append(text or problem.text)
            elif problem:
                self.problems.append(problem.text)
        notes += self.put_checks_on()
        self.look_in()
        if phase == "before" and not self.problems:
            self.take_off()
        return notes

    def _made(self, statements: Sequence[Statement], notes: list[str]) -> Iterator[tuple[Statement, Problem | None]]:
        """Each with why it could not be made; a batch that fails left nothing and is made one by one."""
        for batch in batches(self.manifest, statements):
            self.watch.check()
            self.before_batch(batch)
            if self.held and batch[0].kind != "sequence_value":
                notes += self.put_checks_on()
            done = len(batch) > 1 and self.try_together(batch)
            yield from ((item, None if done else self._run(item)) for item in batch)

    def try_together(self, batch: Sequence[Statement]) -> bool:
        """All of them in one round trip, or none."""
        texts, path = [], self.looked_in
        for item in batch:
            if (wanted := self.path_of(item.table)) != path:
                path = wanted
                texts.append(path_query(path).as_string(self.connection))
            texts.append(item.sql)
        try:
            with self.connection.transaction():
                self.connection.execute("\n;\n".join(texts).encode())
        except psycopg.Error:
            if self.connection.closed:
                raise
            return False
        self.looked_in = path
        return True

    def _amber_of(self, item: Statement, problem: Problem) -> str:
        """What is said where rows break it, which are compared anyway, or where it only could not be made here. Empty
        where neither: the audit's rows break nothing."""
        keys = {lost.table for lost in self.lost if lost.table and lost.kind in ("primary_key", "unique", "index")}
        of_rows = item.phase == "after" and (problem.of_the_rows or item.references in keys)
        audit = any(table.qualified == item.table for table in self.manifest.audit_tables)
        text = problem.text
        if (of_rows and audit) or not (of_rows or (self.lenient and item.needed)):
            return ""
        if of_rows and item.kind == "foreign_key" and not item.sql.endswith(NOT_VALID):
            make = partial(self.connection.execute, (item.sql + NOT_VALID).encode())
            text += THERE * (self._tried(item.name, item.table, make) is None)
        self.amber.setdefault(f"{item.table} {item.name}" if of_rows else item.table or item.name, text)
        return text

    def _run(self, item: Statement) -> Problem | None:
        if (there := EXISTING.get(item.kind)) and self.connection.execute(there, [item.name]).rowcount:
            return None
        what = f"The {item.kind.replace('_', ' ')} {item.name}"
        problem = self._tried(what, item.table, lambda: self.connection.execute(item.sql.encode()))
        if problem and self.lenient and item.kind == "collation":
            return self._stand_in(item, problem)
        return problem

    def _stand_in(self, item: Statement, problem: Problem) -> Problem | None:
        """In a drill the order of bytes does for a collation that its server has not: only order is not checked."""
        name, _, _ = item.sql.partition(" (provider")
        failed = self._tried(item.name, "", lambda: self.connection.execute(f'{name} FROM "C"'.encode()))
        if not failed:
            self.stand_ins.append(f"{problem.text} Order and comparison of text that has it were not checked.")
        return problem if failed else None

    def _tried(self, what: str, table: str, make: Callable[[], object]) -> Problem | None:
        try:
            self.look_in(self.path_of(table))
            with self.connection.transaction():
                make()
        except psycopg.Error as error:
            if is_of_the_server(error):
                raise  # it says nothing about the copy
            return problem_of(error, f"{what} could not be rebuilt", self.manifest.names, self.denied)
        return None

    def look_in(self, schemas: Sequence[str] = ()) -> None:
        """Functions that name no schema find what is in these; without any only the system's are looked in."""
        if list(schemas) != self.looked_in:
            self.looked_in = list(schemas)
            set_path(self.connection, schemas)

    def path_of(self, table: str) -> list[str]:
        return list(dict.fromkeys([table.partition(".")[0], *self.schemas])) if table else self.schemas

    def other_order(self) -> bool:
        return bool(self.stand_ins) or sorts_otherwise(self.connection, self.manifest.surroundings.order)

    def take_off(self, nested: bool = False) -> bool:
        """Whether there were CHECKs that rows need not pass again: they are off until `put_checks_on`."""
        self.look_in()
        tables = {item.table for item in self.manifest.statements if item.kind == "table"}
        self.held += (found := take_off(self.connection, sorted(tables), nested, self.other_order()))
        return bool(found)

    def put_checks_on(self) -> list[str]:
        """One that rows do not pass asks for more than the row: it is there again, and told, but not held by them."""
        notes: list[str] = []
        held, self.held = self.held, []
        for check in held:
            what, owner = f"The check {check}", ".".join(check.owner)
            problem = self._tried(what, owner, partial(put_on, self.connection, check))
            if problem:
                notes.append(f"{problem.text}{THERE}{TODAY if problem.state == CHECKED else ''}")
                self.amber[what] = notes[-1]
                self.lost += [Statement("after", "check", f"{of}.{check.name}", "", False) for of in check.holders]
                again = self._tried(what, owner, partial(put_on, self.connection, check, not_valid=True))
                self.problems += [again.text] if again else []
        return notes
