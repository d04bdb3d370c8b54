"""A schema with a restore point, a statement that destroys and writes in between, for tests of late rows."""

from __future__ import annotations

import random
from typing import Any

from psycopg import sql

from backups.archive import keys as archive_keys
from backups.archive.manifest import Manifest
from backups.export.exporter import ExportPlan, export
from backups.policy_spec import PolicySpec
from migrations_registry.analysis import analyse
from migrations_registry.analysis.data_loss import Destroyed, destroyed
from migrations_registry.analysis.parsing.parser import parse
from migrations_registry.apply import restore_point
from migrations_registry.apply.late_rows_copy import LateRowsCopy, Place
from operations.models.ulid import new_ulid
from providers import postgres
from providers.storage.base import Store

DESTROYING = (
    "ALTER TABLE {s}.parent DROP COLUMN value",
    "ALTER TABLE {s}.parent ALTER COLUMN value TYPE varchar(3) USING left(value, 3)",
    "DROP TABLE {s}.parent CASCADE",
    "TRUNCATE {s}.parent CASCADE",
    "DELETE FROM {s}.parent WHERE id > 3",
    "UPDATE {s}.plain SET value = 'gone'",
    "DROP SCHEMA {s} CASCADE",
    "DO $$ BEGIN DELETE FROM {s}.parent; DROP TABLE {s}.plain; END $$",
)
MADE = """
CREATE SCHEMA {s};
CREATE TABLE {s}.parent (id integer PRIMARY KEY, code text UNIQUE, value text);
CREATE TABLE {s}.child (id integer PRIMARY KEY, parent integer REFERENCES {s}.parent ON DELETE CASCADE, note text);
CREATE TABLE {s}.plain (value text);
INSERT INTO {s}.parent SELECT g, 'code' || g, 'value' || g FROM generate_series(1, 20) g;
INSERT INTO {s}.child SELECT g, g, 'note' || g FROM generate_series(1, 20) g;
INSERT INTO {s}.plain SELECT 'plain' || g FROM generate_series(1, 20) g
"""
WRITES = (
    "INSERT INTO {s}.parent SELECT max(id) + 1, 'new' || max(id), 'späť €' FROM {s}.parent",
    "UPDATE {s}.parent SET value = value || '!' WHERE id % 3 = 0",
    "UPDATE {s}.parent SET code = 'moved' || id WHERE id = (SELECT min(id) FROM {s}.parent)",
    "DELETE FROM {s}.parent WHERE id = (SELECT max(id) FROM {s}.parent)",
    "INSERT INTO {s}.child SELECT (SELECT max(id) + 1 FROM {s}.child), max(id), 'for a new one' FROM {s}.parent",
    "UPDATE {s}.child SET note = NULL WHERE id % 5 = 1",
    "INSERT INTO {s}.plain VALUES ('extra'), (NULL)",
    "UPDATE {s}.plain SET value = value || '?' WHERE value LIKE 'plain1%%'",
    # The code of a row that went comes back under another key: both cannot stand in one restored table.
    "WITH gone AS (DELETE FROM {s}.parent WHERE id = 7 RETURNING code)"
    " INSERT INTO {s}.parent SELECT 700, code, 'x' FROM gone",
)


class Case:
    """One schema, its restore point, what happened after it."""

    def __init__(self, dsn: str, store: Store, seed: int) -> None:
        self.dsn, self.store, self.chance = dsn, store, random.Random(seed)
        self.schema = f"case_{seed}"
        self.text = self.chance.choice(DESTROYING).format(s=self.schema)
        self.connection, self.other = postgres.connect(dsn, read_only=False), postgres.connect(dsn)
        self.connection.execute(MADE.format(s=self.schema))

    def close(self) -> None:
        self.connection.close()
        self.other.close()

    @property
    def what(self) -> Destroyed:
        data = self.text.encode()
        return destroyed(analyse(data, as_runner=True), parse(data), range(1))

    def copied(self) -> tuple[Manifest, dict[str, int]]:
        known = {
            table.qualified: table.oid
            for table in restore_point.tables_of(self.connection, self.what)
            if table.holds_rows
        }
        spec = PolicySpec("before", "production", tuple(sorted(known)))
        plan = ExportPlan(
            new_ulid(), self.dsn, self.store, recipients=archive_keys.recipients(), signer=archive_keys.signer()
        )
        return export(spec, plan), known

    def write(self) -> None:
        """Some transactions: committed, rolled back, with savepoints; and what rewrites or freezes row versions."""
        for _ in range(self.chance.randrange(6)):
            with self.connection.transaction(force_rollback=self.chance.random() < 0.2):
                self.connection.execute(self._write_of_any_kind())
                with self.connection.transaction():
                    self.connection.execute(self._write_of_any_kind())
        if self.chance.random() < 0.5:
            verb = self.chance.choice(["VACUUM (FREEZE)", "VACUUM (FULL)", "ANALYZE"])
            self.connection.execute(f"{verb} {self.schema}.parent")

    def _write_of_any_kind(self) -> str:
        return self.chance.choice(WRITES).format(s=self.schema)

    def late_rows_copy(self, manifest: Manifest, limit: float = 30) -> LateRowsCopy:
        return LateRowsCopy(self.connection, self.other, manifest, self.store, Place("operation", 1, 1, 1), limit)

    def truth(self, known: dict[str, int]) -> dict[str, list[Any]]:
        return {name: self.rows(name) for name in known}

    def rows(self, name: str) -> list[Any]:
        query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(*name.split(".", 1)))
        return self.connection.execute(query).fetchall()
