"""Live traffic: visitors of the product. In: the app's DSN, decisions a second. Out: chained rows, some converted.

A decision holds its chain's lock, so chains never fork; an error (a migration, a restore) is told once and retried.
"""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from sandbox.chain import decision_hash
from sandbox.people import SEGMENTS, digest, visitor
from sandbox.seed import ALGORITHM, ASSIGNMENT, AUDIT

Connection = psycopg.Connection[Any]
CONVERSIONS = 0.12
HEAD = """
    SELECT sequence_number, decision_hash FROM algorithm_audit_trail
    WHERE experiment_id = %s ORDER BY sequence_number DESC LIMIT 1
"""
VARIANTS = """
    SELECT el.id, array_agg(v.id ORDER BY v.variant_order) FROM experiment_elements el
    JOIN element_variants v ON v.element_id = el.id WHERE el.experiment_id = %s AND v.is_active GROUP BY el.id
"""
UNCONVERTED = """
    SELECT id, assignment_id, decision_timestamp FROM algorithm_audit_trail
    WHERE NOT conversion_observed ORDER BY decision_timestamp DESC LIMIT 200
"""
CONVERT = """
    UPDATE algorithm_audit_trail SET conversion_observed = true, conversion_timestamp = %s, conversion_value = %s
    WHERE id = %s AND NOT conversion_observed
"""


def decide(connection: Connection, rng: random.Random, at: datetime | None = None) -> UUID | None:
    """One visitor is assigned and the decision is chained, in one transaction; None when no experiment is active."""
    with connection.transaction():
        active = connection.execute("SELECT id FROM experiments WHERE status = 'active' ORDER BY id").fetchall()
        if not active:
            return None
        (experiment,) = rng.choice(active)
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(experiment)])
        sequence, previous = connection.execute(HEAD, [experiment]).fetchone() or (0, None)
        picks = {element: rng.choice(ids) for element, ids in connection.execute(VARIANTS, [experiment])}
        when, who, segment = at or datetime.now(UTC), visitor(rng), rng.choice(SEGMENTS)
        selected, audit, assignment = next(iter(picks.values())), uuid4(), uuid4()
        hashed = decision_hash(who, selected, segment, when, previous, sequence + 1)
        shown = Jsonb({str(element): str(variant) for element, variant in picks.items()})
        _insert(
            connection, "assignments", ASSIGNMENT, [assignment, experiment, who, shown, Jsonb({}), when, None, None]
        )
        row = [audit, experiment, who, selected, assignment, when, segment, ALGORITHM, digest(rng), digest(rng)]
        _insert(
            connection,
            "algorithm_audit_trail",
            AUDIT,
            [*row, False, None, None, sequence + 1, previous, hashed, when],
        )
        count = "UPDATE element_variants SET total_allocations = total_allocations + 1 WHERE id = ANY(%s)"
        connection.execute(count, [list(picks.values())])
    return audit


def convert(connection: Connection, rng: random.Random, at: datetime | None = None) -> UUID | None:
    """One earlier visitor buys: the conversion columns are set once, here and on the assignment."""
    with connection.transaction():
        candidates = connection.execute(UNCONVERTED).fetchall()
        if not candidates:
            return None
        audit, assignment, decided = rng.choice(candidates)
        when, value = max(at or datetime.now(UTC), decided + timedelta(seconds=1)), round(rng.uniform(5, 250), 2)
        connection.execute(CONVERT, [when, value, audit])
        connection.execute(
            "UPDATE assignments SET converted_at = %s, conversion_value = %s WHERE id = %s", [when, value, assignment]
        )
    return UUID(str(audit))


def _insert(connection: Connection, table: str, columns: str, values: list[Any]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns.split()))
    marks = sql.SQL(", ").join([sql.Placeholder()] * len(values))
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})")
    connection.execute(statement.format(sql.Identifier(table), names, marks), values)


class Traffic:
    """A thread of visitors; `rate` (decisions a second) may be changed while it runs, 0 pauses.

    They come through the product: while `serving` says no (maintenance mode, a suspended service) nothing is decided.
    """

    def __init__(
        self, dsn: str, rate: float, seed: int | None = None, serving: Callable[[], bool] = lambda: True
    ) -> None:
        self.rate, self.serving = rate, serving
        self.decided = 0
        self._dsn, self._rng = dsn, random.Random(seed)  # noqa: S311
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        printed = ""
        while not self._stopped.is_set():
            try:
                with psycopg.connect(self._dsn, autocommit=True, options="-c synchronous_commit=off") as connection:
                    self._serve(connection)
            except psycopg.Error as error:
                if (now := f"{type(error).__name__}: {error}".strip()) != printed:
                    print(f"sandbox traffic: {now}", file=sys.stderr, flush=True)
                printed = now
                self._stopped.wait(1)

    def _serve(self, connection: Connection) -> None:
        while not self._stopped.wait(1 / self.rate if self.rate > 0 else 0.5):
            if self.rate > 0 and self.serving() and decide(connection, self._rng) is not None:
                self.decided += 1
                if self._rng.random() < CONVERSIONS:
                    convert(connection, self._rng)
