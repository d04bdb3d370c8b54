"""The world of a random walk: a real Sampelit database and the model's state, changed together, a step at a time.

In: a database name and a seed. Out: steps that write both; `kept` are earlier copies of the database, for recoveries.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from sandbox import database
from sandbox.chain import decision_hash
from tests import portal_database
from tests.backups.walk_model import UNSET, Assigned, Decision, State
from tests.backups.walk_rows import read

AUDIT = (
    "INSERT INTO algorithm_audit_trail (id, experiment_id, visitor_id, selected_variant_id, assignment_id,"
    " decision_timestamp, segment_key, context_hash, sequence_number, previous_hash, decision_hash, algorithm_version)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'thompson-2.3.0')"
)
ASSIGNED = (
    "INSERT INTO assignments (id, experiment_id, user_id, assigned_at, variant_assignments) VALUES (%s, %s, %s, %s, %s)"
)
SET = "UPDATE algorithm_audit_trail SET {} WHERE id = %s"
CONVERSION = "conversion_observed = %s, conversion_timestamp = %s, conversion_value = %s"


@dataclass
class Kept:
    database: str
    tick: int
    at: datetime
    state: State


@dataclass
class World:
    """`name` is the production database; `late` is a transaction that is open, with the rows it will bring."""

    name: str
    rng: random.Random
    state: State = field(default_factory=State)
    kept: list[Kept] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    late: tuple[psycopg.Connection[Any], dict[str, Decision], dict[str, Assigned]] | None = None
    clock: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(minutes=10))

    def __post_init__(self) -> None:
        self.names.add(self.name)
        self.connection = self._connect()
        self.state = read(self.connection)

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(portal_database.server.dsn(self.name), autocommit=True)

    def dsn(self, role: str) -> str:
        return database.dsns(portal_database.server, self.name)[role]

    def _new(self) -> str:
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    def _decide(self, connection: psycopg.Connection[Any], chain: str) -> tuple[str, Decision]:
        self.clock += timedelta(microseconds=self.rng.choice([1_000_000, 1_234_567]))
        rows, (key, assignment) = self.state.chain(chain), (self._new(), self._new())
        last = rows[-1][1] if rows else None
        variant = self.rng.choice(
            [one for element in self.state.experiments[chain] for one in self.state.variants[element]]
        )
        visitor, segment = f"visitor-{self._new()}", self.rng.choice(["default", "móvil"])
        sequence, previous = (last.sequence + 1, last.hash) if last else (1, None)
        made = decision_hash(visitor, UUID(variant), segment, self.clock, previous, sequence)
        row = Decision(chain, visitor, variant, assignment, self.clock, segment, "c" * 64, sequence, previous, made)
        connection.execute(ASSIGNED, [assignment, chain, visitor, self.clock, Jsonb({"picked": variant})])
        connection.execute(AUDIT, [key, *row[:10]])
        return key, row

    def _free(self) -> list[str]:
        """Experiments that no open transaction writes to, and that show something."""
        taken = {row.chain for row in self.late[1].values()} if self.late else set()
        return sorted(chain for chain, own in self.state.experiments.items() if own and chain not in taken)

    def _rows(self, wanted: Any = lambda row: True) -> list[str]:
        free = set(self._free())
        return sorted(key for key, row in self.state.audit.items() if row.chain in free and wanted(row))

    def _change(self, key: str, **values: Any) -> None:
        names = {
            "conversion": CONVERSION,
            "visitor": "visitor_id = %s",
            "context": "context_hash = %s",
            "hash": "decision_hash = %s",
        }
        given = [one for name, value in values.items() for one in (value if name == "conversion" else [value])]
        self.connection.execute(SET.format(", ".join(names[name] for name in values)), [*given, key])
        self.state.audit[key] = self.state.audit[key]._replace(**values)

    def insert(self) -> None:
        for _ in range(self.rng.randrange(1, 6)):
            key, row = self._decide(self.connection, self.rng.choice(self._free()))
            self.state.audit[key] = row
            self.state.assignments[row.assignment] = Assigned(row.chain, row.visitor, row.at)

    def late_begin(self) -> None:
        """A transaction writes one decision and stays open, over exports as well."""
        if self.late is None:
            connection = psycopg.connect(portal_database.server.dsn(self.name))
            key, row = self._decide(connection, self.rng.choice(self._free()))
            self.late = connection, {key: row}, {row.assignment: Assigned(row.chain, row.visitor, row.at)}

    def late_end(self, commit: bool = True) -> None:
        if self.late is None:
            return
        connection, rows, assigned = self.late
        self.late = None
        if commit:
            connection.commit()
            self.state.audit |= rows
            self.state.assignments |= assigned
        connection.close()

    def convert(self) -> None:
        """Legal: from unset to set, once."""
        for key in self.rng.sample(found := self._rows(lambda row: row.conversion == UNSET), min(2, len(found))):
            self._change(key, conversion=(True, self.clock, self.rng.randrange(5, 250)))

    def convert_again(self) -> None:
        if found := self._rows(lambda row: row.conversion != UNSET):
            key = self.rng.choice(found)
            other = (True, self.state.audit[key].conversion[1], (self.state.audit[key].conversion[2] or 0) + 1)
            self._change(key, conversion=self.rng.choice([UNSET, other]))

    def edit(self) -> None:
        """Illegal: a column without a hash, a hashed one, or the last row with its hash computed anew."""
        kind, key = self.rng.choice(["context", "visitor", "forged"]), self.rng.choice(self._rows())
        if kind == "forged":
            key, row = self.state.chain(self.state.audit[key].chain)[-1]
            row = row._replace(visitor=f"forged-{self._new()}")
            self._change(key, visitor=row.visitor, hash=row.computed())
        else:
            self._change(key, **{kind: self._new()})

    def delete(self) -> None:
        """Illegal: the end of a chain, or a row out of it; its assignment may go along."""
        rows = self.state.chain(self.state.audit[self.rng.choice(self._rows())].chain)
        cut = rows[-self.rng.randrange(1, 3) :] if self.rng.random() < 0.5 else [self.rng.choice(rows)]
        for key, row in cut:
            self.connection.execute("DELETE FROM algorithm_audit_trail WHERE id = %s", [key])
            del self.state.audit[key]
            if self.rng.random() < 0.5:
                self.connection.execute("DELETE FROM assignments WHERE id = %s", [row.assignment])
                self.state.assignments.pop(row.assignment, None)

    def cascade(self) -> None:
        if len(free := self._free()) > 2:
            chain = self.rng.choice(free)
            self.connection.execute("DELETE FROM experiments WHERE id = %s", [chain])
            self.state.drop(chain)

    def schema(self) -> None:
        self.late_end()
        self.state.added += 1
        name = f"note{self.state.added}"
        self.connection.execute(f"ALTER TABLE algorithm_audit_trail ADD COLUMN {name} text DEFAULT 'new'")

    def keep(self, tick: int) -> None:
        """Supabase's copy of this moment."""
        self.late_end()
        self.connection.close()
        name = f"{self.name[:30]}_{tick}"
        database.copy_of(portal_database.server, self.name, name)
        self.names.add(name)
        self.kept.append(Kept(name, tick, datetime.now(UTC), self.state.copy()))
        self.connection = self._connect()

    def recover(self, to: Kept) -> None:
        """The database is what it was; an open transaction is lost."""
        self.late_end(commit=False)
        self.connection.close()
        portal_database.server.drop_database(self.name)
        database.copy_of(portal_database.server, to.database, self.name)
        self.state = to.state.copy()
        self.connection = self._connect()

    def clone(self, tick: int) -> None:
        """The project moves to a clone of itself; nothing else changes."""
        self.keep(tick)
        self.connection.close()
        self.name = f"{self.kept.pop().database}"
        self.connection = self._connect()

    def close(self) -> None:
        self.late_end(commit=False)
        self.connection.close()
        for name in self.names:
            portal_database.server.drop_database(name)
