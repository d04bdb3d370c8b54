"""Making a run's schema in a database, small statements together, in order, and comparing rows that came into it.

In: a manifest, a connection that may write. Out: tables ready for rows; afterwards keys, indexes, rights; sentences.
What cannot be made, and what arrived otherwise than the snapshot held it, is told by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import psycopg

from backups.archive.maker import Maker, text_of
from backups.archive.manifest import Segment, Statement, Table
from backups.archive.subset import batches, hashed_columns, questioned
from providers import postgres
from providers.postgres.connection import UNKNOWN_NAME, as_pg_restore, path_query
from providers.postgres.copy.row_digests import evidence_of_all, whole_tree
from providers.postgres.copy.unplanned import copied_again, is_of_stream
from providers.postgres.error_facts import CHECKED, DENIED, NO_KEY, Problem, facts_of, is_of_the_server
from providers.postgres.restore.held_checks import NOT_VALID, THERE, THROUGH_ROOT, put_on, take_off
from providers.postgres.schema.generations import COMPUTED
from providers.postgres.schema.model import parted, qualified

OTHERWISE = frozenset(["table", COMPUTED])
KEYS = frozenset(["primary_key", "unique", "index"])
TODAY = " It asks for more than the row, such as the time, a setting or a table: what passed once need not pass again."


class Builder(Maker):
    """Builds and compares."""

    def build(self, phase: str, everything: bool = False) -> list[str]:
        """Run the phase's statements; needed ones that fail are problems, others are answered as notes.

        What fails before the rows is tried again after them: a function may use a table or another function.
        """
        notes: list[str] = []
        as_pg_restore(self.connection)
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
        """Each with why it could not be made; a batch that fails left nothing and is made one by one. What rows need is
        made once more at the end: its code is called when it is made, and may read what comes later."""
        late: list[Statement] = []
        for batch in batches(self.manifest, statements):
            self.watch.check()
            self.before_batch(batch)
            if self.held and batch[0].kind != "sequence_value":
                notes += self.put_checks_on()
            done = len(batch) > 1 and self.try_together(batch)
            for item in batch:
                problem = None if done else self.run(item)
                if problem and item.phase == "before" and item.needed:
                    late.append(item)
                else:
                    yield item, problem
        yield from ((item, self.run(item) and self.run_without_code(item)) for item in late)

    def try_together(self, batch: Sequence[Statement]) -> bool:
        """All of them in one round trip, or none."""
        texts, path = [], self.looked_in
        for item in batch:
            if (wanted := self.path_of(item.table)) != path:
                path = wanted
                texts.append(path_query(path).as_string(self.connection))
            texts.append(text_of(item))
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
        no_key = problem.state == NO_KEY and any(lost.kind in KEYS for lost in self.lost)
        of_rows = item.phase == "after" and (problem.of_the_rows or no_key)
        audit = any(table.qualified == item.table for table in self.manifest.audit_tables)
        text = problem.text
        if (of_rows and audit) or not (of_rows or self._is_of_lost(item, problem) or (self.lenient and item.needed)):
            return ""
        if of_rows and item.kind == "foreign_key" and not item.sql.endswith(NOT_VALID):
            make = partial(self.connection.execute, (item.sql + NOT_VALID).encode())
            text += THERE * (self.tried(item.name, item.table, make) is None)
        self.amber.setdefault((item.table, item.name) if of_rows else (item.table or item.name, ""), text)
        return text

    def _is_of_lost(self, item: Statement, problem: Problem) -> bool:
        """A partitioned table whose code refuses to have it made has no rows: its partitions bring them, alone. Nor can
        what is made of columns that came plain be as it was: a primary key wants none of them empty."""
        if item.kind == "table" and problem.state != DENIED:
            return not any(table.qualified == item.table for table in self.manifest.tables)
        gone = {lost.table for lost in self.lost if lost.kind in OTHERWISE}
        return not gone.isdisjoint((item.table, item.references))

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
            what, owner = f"The check {check}", qualified(*check.owner)
            problem = self.tried(what, owner, partial(put_on, self.connection, check))
            if problem:
                notes.append(f"{problem.text}{THERE}{TODAY if problem.state == CHECKED else ''}")
                self.amber |= {(of, what): notes[-1] for of in check.holders or [owner]}
                self.lost += [Statement("after", "check", f"{of}.{check.name}", "", False, of) for of in check.holders]
                again = self.tried(what, owner, partial(put_on, self.connection, check, not_valid=True))
                self.problems += [again.text] if again else []
                self.not_valid += [] if again else [(*parted(of), check.name) for of in check.holders]
        return notes

    def compare(self, table: Table, loads: dict[str, Segment]) -> None:
        """Counts and digests per segment and for the table, as they now are in the database."""
        try:
            found = self._bytes_of(table)
            evidence = {key: found for key in loads if found} or self._evidence_by_load(table)
        except psycopg.Error as error:
            if self.connection.closed or is_of_the_server(error):
                raise
            self.problems.append(f"{table.qualified} could not be compared: {facts_of(error, self.manifest.names)}.")
            return
        for loader, segment in loads.items():
            self._compare(segment.key, segment, evidence.pop(loader, postgres.Evidence(0, "0")))
        for extra in evidence.values():
            self.problems.append(f"{table.qualified} holds {extra.rows} rows that no segment brought or that changed.")

    def _evidence_by_load(self, table: Table) -> dict[str, postgres.Evidence]:
        """An index's own function may name no schema: the planner looks into it."""
        key, columns = (table.schema, table.name), hashed_columns(table)
        try:
            return postgres.evidence_by_load(self.connection, key, columns)
        except UNKNOWN_NAME:
            self.look_in(self.path_of(table.qualified))
            try:
                return postgres.evidence_by_load(self.connection, key, columns)
            finally:
                self.look_in()

    def compare_whole(self, tables: Sequence[Table]) -> None:
        """Of whole tables, for loads that share one transaction; all partitions of a tree have their rows."""
        through = set[str]()
        for table, found in self.differing(tables):
            wanted = {t.qualified: postgres.Evidence(t.rows, t.digest) for t in self.manifest.tables}
            if root := whole_tree(self.connection, *questioned(table), wanted, through):
                through.add(root)
                self.amber[root, ""] = f"{root}: {THROUGH_ROOT}."
            else:
                self.problems.append(f"{table.qualified}: what arrived differs from the snapshot ({found.rows} rows).")

    def differing(self, tables: Sequence[Table]) -> list[tuple[Table, postgres.Evidence]]:
        """Those whose count and digest, asked for together, are not the run's, with what is found."""
        by_bytes = [(table, found) for table in tables if (found := self._bytes_of(table))]
        asked = [table for table in tables if table not in [each for each, _ in by_bytes]]
        answers = evidence_of_all(self.connection, list(map(questioned, asked))) if asked else []
        pairs = [*by_bytes, *zip(asked, answers, strict=True)]
        return [(table, each) for table, each in pairs if each != postgres.Evidence(table.rows, table.digest)]

    def _bytes_of(self, table: Table) -> postgres.Evidence | None:
        """What COPY gives of it here, where no query read it at its source."""
        named = tuple(column.name for column in table.columns)
        if not is_of_stream([(item.rows, item.digest, item.raw_sha256) for item in table.segments]):
            return None
        told = (text for text in self.manifest.not_covered if text.startswith(f"{table.qualified}: "))
        self.amber.setdefault((table.qualified, ""), next(told, f"{table.qualified}: its bytes were compared."))
        return copied_again(self.connection, (table.schema, table.name), named)

    def _compare(self, name: str, segment: Segment, evidence: postgres.Evidence) -> None:
        if evidence.rows != segment.rows:
            self.problems.append(f"{name}: {evidence.rows} rows arrived, the snapshot had {segment.rows}.")
        elif evidence.digest != segment.digest:
            self.problems.append(f"{name}: a row differs from the snapshot (row digest {evidence.digest}).")
