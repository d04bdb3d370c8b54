"""Batch after batch on one guarded session, as long as a slice lasts. A mark commits with each batch.

In: an attempt, its sessions, the statement and the key. Out: whether the table's end was reached. Only what the marks
say counts as done, so a worker that is killed anywhere goes on where the target says that it was.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg import errors

from migrations_registry.apply import effects_guard
from migrations_registry.apply.failpoints import failpoint
from migrations_registry.apply.lock_retries import statement_error
from migrations_registry.apply.measured import MoreThanApproved
from migrations_registry.backfill.attempt import BatchAttempt
from migrations_registry.backfill.old_values import MOST_ROWS, OldValues
from migrations_registry.backfill.pace import MEGABYTES_BEHIND, SECONDS_BEHIND, Pace
from migrations_registry.backfill.statement import Batched
from migrations_registry.effects.row_counts import RowCount, above_shown
from migrations_registry.history import states as history_states
from operations.engine.claim import write
from providers.errors import ProviderError, Refused
from providers.postgres.batches.keys import Key, Place, end_of_batch
from providers.postgres.batches.marks import Mark, put_mark
from providers.postgres.batches.replicas import Behind, behind
from providers.postgres.connection import Connection, pin
from providers.postgres.migrate import session as migrate_session
from providers.postgres.migrate.history import write_history
from providers.postgres.migrate.session import Limits

LIMITS = Limits(lock_ms=20, statement_ms=10_000)
GAVE_WAY = (*migrate_session.RETRYABLE, errors.QueryCanceled)
TOLD_SECONDS = 30.0


@dataclass
class Walk:
    """One slice. `end`: the greatest key when it began; `at`: the newest mark."""

    attempt: BatchAttempt
    connection: Connection
    statement: Batched
    key: Key
    end: Place
    at: Mark
    pace: Pace = field(default_factory=Pace)
    shown: Sequence[RowCount] = ()
    old: OldValues | None = None
    longest_held: float = 0
    _said_at: float = 0
    _asked: float = 0

    def batch(self) -> bool:
        """One more batch, or one that gave way; then the rest. Whether that was the last one."""
        self._wait_for_replicas()
        began = time.monotonic()
        place = self.at.key if self.at.batch else None
        up_to = end_of_batch(self.connection, self.key, place, self.pace.size, self.end)
        try:
            changing = self._transaction(place, up_to)
        except GAVE_WAY as error:
            self._roll_back()
            self._gave_way(error)
        except psycopg.OperationalError as error:
            if self.connection.closed:
                raise ProviderError("The connection was lost; its mark tells what became of the batch.", True) from None
            self._roll_back()
            raise statement_error(error, "The batch, of which nothing was kept,", LIMITS) from None
        except MoreThanApproved as surplus:
            self._roll_back()
            effects_guard.tell(self.attempt, self.attempt.step, surplus)
            raise self._told(surplus) from None
        except Exception as error:
            if not self.connection.closed:
                self._roll_back()
            if isinstance(error, psycopg.Error):
                raise statement_error(error, "The batch, of which nothing was kept,", LIMITS) from None
            raise
        else:
            self.pace.done(changing, time.monotonic() - began)
            if self.old and self.old.rows > MOST_ROWS:
                self.old.move(self.at.batch)
        if not self.at.is_last:
            self.attempt.rest(self.pace.rest)
        return self.at.is_last

    def _transaction(self, place: Place | None, up_to: Place) -> float:
        """Seconds for which it changed rows; they are held a little longer."""
        attempt, connection, step = self.attempt, self.connection, self.attempt.step
        last = up_to == self.end
        migrate_session.begin(connection, LIMITS, one_snapshot=self.old is not None)
        failpoint("batch.begun")
        guard = effects_guard.begin(attempt, connection, step, last=last, marked=True)
        if self.old:
            kept = self.old.keep(self.key.between(self.key.table[1], place, up_to))
            guard = guard.keeps(self.old.name, kept)
        migrate_session.as_product_sees_it(connection, LIMITS, local=True)
        text = self.statement.text(self.key.between(self.statement.alias, place, up_to).as_string(connection).encode())
        began = time.monotonic()
        rows = attempt.run(connection, step, text)
        changing = time.monotonic() - began
        failpoint("batch.executed")
        (at,) = step["statements"]
        guard.tags[at] = rows
        connection.execute("SET LOCAL ROLE NONE")
        walked = self.at.walked + self.pace.size
        mark = Mark(self.at.batch + 1, up_to, walked, self.at.rows + rows, last)
        put_mark(connection, step["marks"], step["number"], mark)
        if last:
            write_history(connection, history_states.row_of(attempt.file))
        self._no_more_than_shown(at, mark.rows)
        effects_guard.check(attempt, connection, step, guard)
        failpoint("batch.measured")
        attempt.ctx.check()
        write(attempt.ctx.lease, fence=attempt.ctx.fence)
        failpoint("batch.before_commit")
        connection.execute("COMMIT")
        failpoint("batch.committed")
        held = time.monotonic() - began
        if self.old:
            self.old.rows += kept
        self.at, attempt.walked = mark, walked
        pin(connection, read_only=False)
        self.longest_held = max(self.longest_held, held)
        return changing

    def _no_more_than_shown(self, statement: int, rows: int) -> None:
        """All batches together."""
        if surplus := above_shown({statement: rows}, self.shown):
            raise MoreThanApproved(surplus)

    def _told(self, surplus: MoreThanApproved) -> Refused:
        """What it says of its transaction is true of this batch alone."""
        own = surplus.reason.replace("nothing was changed", "nothing of this batch was changed")
        return Refused(f"{own} The {self.at.rows:,} rows of earlier batches stay changed.")

    def _roll_back(self) -> None:
        self.connection.execute("ROLLBACK")
        pin(self.connection, read_only=False)

    def _gave_way(self, error: psycopg.Error) -> None:
        """Somebody else is at these rows: they go first. Who, is said once in a while."""
        alone = self.pace.size == 1 and isinstance(error, errors.QueryCanceled)
        if alone:
            raise statement_error(error, "One single row, of which nothing was kept,", LIMITS)
        self.pace.gave_way()
        if self.pace.refusals > 3 and time.monotonic() - self._said_at > TOLD_SECONDS:
            self._said_at = time.monotonic()
            who = ", ".join(migrate_session.blockers(self.connection, [".".join(self.key.table)])) or "nobody any more"
            self.attempt.ctx.log(f"gave way {self.pace.refusals} times in a row behind {self.at.key}; there: {who}")

    def _wait_for_replicas(self) -> None:
        """Once a second. A replica that may not be looked at makes every rest longer, because nobody can tell."""
        if time.monotonic() - self._asked < 1:
            return
        while (lag := behind(self.connection)).seconds > SECONDS_BEHIND or lag.megabytes > MEGABYTES_BEHIND:
            self.attempt.rest(1, note=f"waits for a replica that is {_far(lag)} behind")
        self._asked = time.monotonic()
        if lag.hidden:
            self.attempt.rest(self.pace.rest, note="replicas cannot be seen (grant pg_monitor): half as fast")


def _far(lag: Behind) -> str:
    return f"{lag.seconds:.0f} s and {lag.megabytes:.0f} MB"
