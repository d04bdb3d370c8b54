"""What arrived in a database against what the snapshot held: counts and digests, of segments or of whole tables.

In: a Builder whose tables hold the rows. Out: its `problems` grow, or `amber` where rows lie in other partitions.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from backups.archive.builder import Builder
from backups.archive.manifest import Segment, Table
from backups.archive.subset import hashed_columns
from providers import postgres
from providers.postgres.connection import UNKNOWN_NAME
from providers.postgres.copy.row_digests import evidence_of_all, whole_tree
from providers.postgres.error_facts import facts_of, is_of_the_server
from providers.postgres.restore.held_checks import THROUGH_ROOT


class Comparer(Builder):
    """Compares."""

    def compare(self, table: Table, loads: dict[str, Segment]) -> None:
        """Counts and digests per segment and for the table, as they now are in the database."""
        try:
            evidence = self._evidence_by_load(table)
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
        """Count and digest of whole tables, asked for together, for loads that share one transaction."""
        through = set[str]()
        asked = [((table.schema, table.name), hashed_columns(table)) for table in tables]
        for table, each, found in zip(tables, asked, evidence_of_all(self.connection, asked), strict=True):
            if found == postgres.Evidence(table.rows, table.digest):
                continue
            wanted = {t.qualified: postgres.Evidence(t.rows, t.digest) for t in self.manifest.tables}
            if root := whole_tree(self.connection, *each, wanted, through):
                through.add(root)
                self.amber[root] = f"{root}: {THROUGH_ROOT}."
            else:
                self.problems.append(f"{table.qualified}: what arrived differs from the snapshot ({found.rows} rows).")

    def _compare(self, name: str, segment: Segment, evidence: postgres.Evidence) -> None:
        if evidence.rows != segment.rows:
            self.problems.append(f"{name}: {evidence.rows} rows arrived, the snapshot had {segment.rows}.")
        elif evidence.digest != segment.digest:
            self.problems.append(f"{name}: a row differs from the snapshot (row digest {evidence.digest}).")
