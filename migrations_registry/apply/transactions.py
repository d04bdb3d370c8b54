"""The file's own statements: its transactions with limits and whole retries, between those that run alone.

In: an attempt and a guarded session. Out: journaled steps; the history row commits with the last transaction.
"""

from __future__ import annotations

import time
from typing import Any

import psycopg

from migrations_registry.apply import effects_guard
from migrations_registry.apply.attempt import DONE, PENDING, STARTED, Attempt
from migrations_registry.apply.failpoints import failpoint
from migrations_registry.apply.late_rows import copy_late_rows
from migrations_registry.apply.lock_retries import TRIES, give_way, statement_error
from migrations_registry.apply.measured import MoreThanApproved
from migrations_registry.apply.non_transactional import run_alone
from migrations_registry.history import states as history_states
from operations.engine.claim import write
from providers import postgres
from providers.errors import ProviderError
from providers.postgres.batches.marks import Mark, ensure_marks, newest_mark, put_mark
from providers.postgres.connection import Connection, pin
from providers.postgres.migrate import session as migrate_session
from providers.postgres.migrate.history import read_history, write_history
from providers.postgres.migrate.session import Limits

LADDER_MS = (200, 500, 1000, 2000)
STATEMENT_MS = 15 * 60 * 1000


def run_steps(attempt: Attempt, connection: Connection) -> None:
    """Every step that is not done yet, in order; the last transaction also records the file."""
    attempt.server = postgres.facts(connection)
    last = attempt.row.steps[-1]
    if any(step["transactional"] and step is not last and step["status"] != DONE for step in attempt.row.steps):
        ensure_marks(connection)
    for step in attempt.row.steps:
        attempt.ctx.check()
        if step["status"] != DONE:
            run = _transaction if step["transactional"] else run_alone
            run(attempt, connection, step, step is last)
            failpoint("step.done")
        attempt.ctx.progress(step["number"], len(attempt.row.steps), "steps")


def _transaction(attempt: Attempt, connection: Connection, step: dict[str, Any], last: bool) -> None:
    """Whole-transaction retries on 55P03, 40P01 and 40001; every other error ends it with nothing changed."""
    if step["status"] == STARTED and _was_committed(attempt, connection, step, last):
        attempt.note(step, status=DONE)
        return
    for number in range(TRIES):
        limits = Limits(LADDER_MS[min(number, len(LADDER_MS) - 1)], STATEMENT_MS)
        began = attempt.asked_at = time.monotonic()
        try:
            _once(attempt, connection, step, limits, last)
        except migrate_session.RETRYABLE as error:
            _roll_back(attempt, connection, step)
            give_way(attempt, connection, step, number, error, time.monotonic() - attempt.asked_at)
            continue
        except psycopg.OperationalError as error:
            if not connection.closed:
                _roll_back(attempt, connection, step)
                raise statement_error(error, f"Step {step['number']}, of which nothing was kept,", limits) from None
            raise ProviderError("The connection was lost; what became of the transaction is looked up.", True) from None
        except MoreThanApproved as surplus:
            _roll_back(attempt, connection, step)
            effects_guard.tell(attempt, step, surplus)
            raise
        except Exception as error:
            if not connection.closed:
                _roll_back(attempt, connection, step)
            if isinstance(error, psycopg.Error):
                raise statement_error(error, f"Step {step['number']}, of which nothing was kept,", limits) from None
            raise
        attempt.note(step, status=DONE, seconds=round(time.monotonic() - began, 3))
        return
    who = ", ".join(migrate_session.blockers(connection, step["tables"])) or "nobody any more"
    raise ProviderError(
        f"Step {step['number']} did not get its locks in {TRIES} tries; nothing of it was changed. Now on its tables: "
        f"{who}. Request it again at a quieter time."
    )


def _roll_back(attempt: Attempt, connection: Connection, step: dict[str, Any]) -> None:
    """The server said that nothing of it is left, so nobody needs to ask what became of it."""
    connection.execute("ROLLBACK")
    attempt.note(step, status=PENDING)


def _once(attempt: Attempt, connection: Connection, step: dict[str, Any], limits: Limits, last: bool) -> None:
    """One transaction: id journaled, restore point compared, statements, history row, effects compared, COMMIT."""
    xid = migrate_session.begin(connection, limits)
    failpoint("transaction.begun")
    attempt.note(step, status=STARTED, xid=xid, attempts=step["attempts"] + 1)
    failpoint("transaction.journaled")
    guard = effects_guard.begin(attempt, connection, step, last=last, marked=not last)
    attempt.begin()
    copy_late_rows(attempt, connection, step)
    failpoint("transaction.kept")
    migrate_session.as_product_sees_it(connection, limits, local=True)
    for at, statement in zip(step["statements"], attempt.statements(step), strict=True):
        attempt.ctx.check()
        attempt.asked_at = time.monotonic()
        guard.tags[at] = attempt.run(connection, step, statement)
    failpoint("transaction.executed")
    connection.execute("SET LOCAL ROLE NONE")
    if last:
        write_history(connection, history_states.row_of(attempt.file))
    else:
        put_mark(connection, attempt.row.operation, step["number"], Mark(1, is_last=True))
    failpoint("transaction.recorded")
    effects_guard.check(attempt, connection, step, guard)
    failpoint("transaction.measured")
    attempt.ctx.check()
    write(attempt.ctx.lease, fence=attempt.ctx.fence)
    failpoint("transaction.before_commit")
    connection.execute("COMMIT")
    failpoint("transaction.committed")
    pin(connection, read_only=False)


def _was_committed(attempt: Attempt, connection: Connection, step: dict[str, Any], last: bool) -> bool:
    """What became of the transaction that an earlier attempt began: only what committed with it tells."""
    until = time.monotonic() + 60
    while migrate_session.transaction_state(connection, step["xid"]) == "in progress":
        attempt.ctx.check()
        if time.monotonic() > until:
            raise ProviderError("The earlier transaction is still in progress; nothing more was done.", retryable=True)
        time.sleep(0.2)
    committed = left_its_trace(attempt, connection, step, last)
    state = "committed" if committed else "aborted"
    attempt.ctx.log(f"step {step['number']}: transaction {step['xid']} {state}")
    return committed


def left_its_trace(attempt: Attempt, connection: Connection, step: dict[str, Any], last: bool) -> bool:
    """Whether the row is there that commits with the step. An id may be somebody else's after a crash, and what the
    catalogue holds may be there anyhow, or be gone again: neither is asked."""
    if last:
        return history_states.version_of(attempt.file) in {row.version for row in read_history(connection)}
    return newest_mark(connection, attempt.row.operation, step["number"]) is not None
