"""The file's own statements: transactions with limits and whole retries, lone statements observed in the catalogue.

In: an attempt and a guarded session. Out: journaled steps; the history row commits with the last transaction.
"""

from __future__ import annotations

import random
import time
from typing import Any

import psycopg

from migrations_registry import drift, history
from migrations_registry.apply import restore_point
from migrations_registry.apply.journal import DONE, STARTED, Attempt
from migrations_registry.observing import expected, missing
from operations.engine.claim import write
from providers import postgres
from providers.errors import ProviderError
from providers.postgres import applying
from providers.postgres.applying import Limits
from providers.postgres.connection import Connection, first_line, pin
from providers.postgres.history import read_history, write_history

TRIES = 12
LADDER_MS = (200, 500, 1000, 2000)
STATEMENT_MS = 15 * 60 * 1000
ALONE = Limits(lock_ms=60_000, statement_ms=3 * 3600 * 1000)
SLEEP_MOST = 10.0


def run_steps(attempt: Attempt, connection: Connection) -> None:
    """Every step that is not done yet, in order; the last transaction also records the file."""
    last = attempt.row.steps[-1]
    for step in attempt.row.steps:
        attempt.ctx.check()
        if step["status"] != DONE:
            run = _transaction if step["transactional"] else _alone
            run(attempt, connection, step, step is last)
        attempt.ctx.progress(step["number"], len(attempt.row.steps), "steps")


def _transaction(attempt: Attempt, connection: Connection, step: dict[str, Any], last: bool) -> None:
    """Whole-transaction retries on 55P03, 40P01 and 40001; every other error ends it with nothing changed."""
    if step["status"] == STARTED and _was_committed(attempt, connection, step, last):
        attempt.note(step, status=DONE)
        return
    for number in range(TRIES):
        limits = Limits(LADDER_MS[min(number, len(LADDER_MS) - 1)], STATEMENT_MS)
        began = time.monotonic()
        try:
            _once(attempt, connection, step, limits, last)
        except applying.RETRYABLE as error:
            connection.execute("ROLLBACK")
            _give_way(attempt, connection, step, number, error, time.monotonic() - began)
            continue
        except psycopg.OperationalError as error:
            if not connection.closed:
                connection.execute("ROLLBACK")
                raise postgres.explain(error, f"Step {step['number']}, of which nothing was kept,") from None
            raise ProviderError("The connection was lost; what became of the transaction is looked up.", True) from None
        except BaseException as error:
            if not connection.closed:
                connection.execute("ROLLBACK")
            if isinstance(error, psycopg.Error):
                raise postgres.explain(error, f"Step {step['number']}, of which nothing was kept,") from None
            raise
        attempt.note(step, status=DONE, seconds=round(time.monotonic() - began, 3))
        return
    who = ", ".join(applying.blockers(connection, step["tables"])) or "nobody any more"
    raise ProviderError(
        f"Step {step['number']} did not get its locks in {TRIES} tries; nothing of it was changed. Now on its tables: "
        f"{who}. Request it again at a quieter time."
    )


def _once(attempt: Attempt, connection: Connection, step: dict[str, Any], limits: Limits, last: bool) -> None:
    """One transaction: id journaled, limits set, restore point compared, statements, history row, COMMIT."""
    xid = applying.begin(connection, limits)
    attempt.note(step, status=STARTED, xid=xid, attempts=step["attempts"] + 1)
    if step["number"] == 1 and restore_point.needed(attempt.ctx):
        restore_point.refuse_if_written(connection, attempt)
    applying.as_product_sees_it(connection, limits, local=True)
    for statement in attempt.statements(step):
        attempt.ctx.check()
        applying.run(connection, statement)
    if last:
        connection.execute("SET LOCAL ROLE NONE")
        write_history(connection, history.row_of(attempt.file))
    attempt.ctx.check()
    write(attempt.ctx.lease, fence=attempt.ctx.fence)
    connection.execute("COMMIT")
    pin(connection, read_only=False)


def _give_way(
    attempt: Attempt, connection: Connection, step: dict[str, Any], number: int, error: psycopg.Error, waited: float
) -> None:
    """Journal the wait and sleep, growing and with jitter, so that those who queued behind us get through."""
    waited_ms = int(waited * 1000)
    if waited_ms > attempt.row.longest_wait_ms:
        attempt.row.longest_wait_ms = waited_ms
        attempt.save("longest_wait_ms")
    who = ", ".join(applying.blockers(connection, step["tables"])) or "nobody any more"
    attempt.ctx.log(f"step {step['number']}: {first_line(error)} Waited {waited_ms} ms; on its tables: {who}")
    until = time.monotonic() + min(0.05 * 2**number, SLEEP_MOST) * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
    while time.monotonic() < until:
        attempt.ctx.check()
        time.sleep(min(0.2, max(0.0, until - time.monotonic())))


def _was_committed(attempt: Attempt, connection: Connection, step: dict[str, Any], last: bool) -> bool:
    """What became of the transaction that an earlier attempt began: only the server knows."""
    until = time.monotonic() + 60
    while (state := applying.transaction_state(connection, step["xid"])) == "in progress":
        attempt.ctx.check()
        if time.monotonic() > until:
            raise ProviderError("The earlier transaction is still in progress; nothing more was done.", retryable=True)
        time.sleep(0.2)
    if state == "":
        raise ProviderError(
            f"The server no longer knows transaction {step['xid']}. Nothing more was done; look at the catalogue and "
            "baseline the stream again."
        )
    attempt.ctx.log(f"step {step['number']}: transaction {step['xid']} {state}")
    return state == "committed" and _left_its_trace(attempt, connection, step, last)


def _left_its_trace(attempt: Attempt, connection: Connection, step: dict[str, Any], last: bool) -> bool:
    """A server that crashed may give an id that was never written to somebody else: the catalogue must agree."""
    if last:
        return history.version_of(attempt.file) in {row.version for row in read_history(connection)}
    wanted = expected(b";\n".join(attempt.statements(step)))
    return not missing(wanted, drift.read(attempt.row.environment))


def _alone(attempt: Attempt, connection: Connection, step: dict[str, Any], last: bool) -> None:
    """One statement outside transactions: what an earlier attempt left is observed and cleaned, never assumed."""
    (statement,) = attempt.statements(step)
    wanted = expected(statement)
    began_before = step["status"] == STARTED
    if not (began_before and wanted.expectations and not missing(wanted, drift.read(attempt.row.environment))):
        for number in range(TRIES):
            if began_before or number:
                _clean(connection, statement)
            attempt.note(step, status=STARTED, attempts=step["attempts"] + 1)
            try:
                applying.as_product_sees_it(connection, ALONE, local=False)
                applying.run(connection, statement)
                break
            except applying.RETRYABLE as error:
                pin(connection, read_only=False)
                _give_way(attempt, connection, step, number, error, 0)
            except psycopg.Error as error:
                raise _failed_alone(connection, statement, step, error) from None
        else:
            raise ProviderError(f"Step {step['number']} did not get its locks in {TRIES} tries. Request it again.")
        pin(connection, read_only=False)
    if last:
        with connection.transaction():
            write_history(connection, history.row_of(attempt.file))
    attempt.note(step, status=DONE)


def _failed_alone(
    connection: Connection, statement: bytes, step: dict[str, Any], error: psycopg.Error
) -> ProviderError:
    if not connection.closed:
        pin(connection, read_only=False)
        _clean(connection, statement)
    return postgres.explain(error, f"Step {step['number']} (outside a transaction; its leftovers were removed)")


def _clean(connection: Connection, statement: bytes) -> None:
    """Drop the invalid index that this statement's earlier try left."""
    for one in expected(statement).expectations:
        schema, _, name = one.name.partition(".")
        if one.kind == "index" and one.present and applying.is_invalid_index(connection, schema, name):
            applying.drop_index(connection, schema, name)
