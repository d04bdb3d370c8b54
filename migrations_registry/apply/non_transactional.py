"""One statement outside transactions: journaled, and its state observed in the catalogue before and after each try.

In: an attempt and a guarded session. Out: the step done, its leftovers removed. That a name exists proves nothing: an
index may be invalid, made by somebody else, or still being built.
"""

from __future__ import annotations

from typing import Any

import psycopg

from migrations_registry.analysis.parsing.nodes import relation
from migrations_registry.analysis.parsing.parser import Raw, parse
from migrations_registry.apply import effects_guard
from migrations_registry.apply.attempt import DONE, STARTED, Attempt
from migrations_registry.apply.failpoints import failpoint
from migrations_registry.apply.lock_retries import TRIES, give_way, statement_error
from migrations_registry.history import states as history_states
from migrations_registry.observing import expected, missing
from providers.errors import ProviderError
from providers.postgres.connection import Connection, pin
from providers.postgres.migrate import session as migrate_session
from providers.postgres.migrate.history import read_history, write_history
from providers.postgres.migrate.interrupted_ddl import detaching, drop_index, finish_detaching, indexes
from providers.postgres.migrate.session import Limits

ALONE = Limits(lock_ms=60_000, statement_ms=3 * 3600 * 1000)
Name = tuple[str, str]


def run_alone(attempt: Attempt, connection: Connection, step: dict[str, Any], last: bool) -> None:
    """Run it unless the catalogue shows that an earlier try finished it; then the history row, where it is the last."""
    (statement,) = attempt.statements(step)
    begun = step["status"] == STARTED
    if step.get("before") is None:
        attempt.note(step, before=_indexes_now(connection, step))
    failpoint("alone.observed")
    if not (begun and _is_done(attempt, connection, step, statement)):
        effects_guard.ask_before_alone(attempt, step)
        seen = effects_guard.look_before_alone(attempt)
        _try(attempt, connection, step, statement, begun)
        effects_guard.check_alone(attempt, step, seen)
    if last:
        _record(attempt, connection)
    failpoint("alone.recorded")
    attempt.note(step, status=DONE)


def _try(attempt: Attempt, connection: Connection, step: dict[str, Any], statement: bytes, begun: bool) -> None:
    for number in range(TRIES):
        if begun or number:
            _clean(attempt, connection, step)
        attempt.note(step, status=STARTED, attempts=step["attempts"] + 1)
        try:
            failpoint("alone.journaled")
            _run(attempt, connection, step, statement)
            failpoint("alone.executed")
            return
        except migrate_session.RETRYABLE as error:
            pin(connection, read_only=False)
            give_way(attempt, connection, step, number, error, 0)
        except psycopg.Error as error:
            if connection.closed:
                raise ProviderError("The connection was lost; what the statement did is looked up.", True) from None
            pin(connection, read_only=False)
            _clean(attempt, connection, step)
            raise statement_error(
                error, f"Step {step['number']} (outside a transaction; its leftovers were removed)", ALONE
            ) from None
    raise ProviderError(f"Step {step['number']} did not get its locks in {TRIES} tries. Request it again.")


def _run(attempt: Attempt, connection: Connection, step: dict[str, Any], statement: bytes) -> None:
    """As it stands; a detachment that was begun is ended, because it cannot be begun twice."""
    table, partition = _detaches(statement)
    migrate_session.as_product_sees_it(connection, ALONE, local=False)
    if partition and detaching(connection, partition) == "pending":
        finish_detaching(connection, table, partition)
    else:
        attempt.begin()
        attempt.run(connection, step, statement)
    pin(connection, read_only=False)


def _record(attempt: Attempt, connection: Connection) -> None:
    """The history row, unless an earlier try wrote it before its journal could say so."""
    row = history_states.row_of(attempt.file)
    if row.version not in {recorded.version for recorded in read_history(connection)}:
        with connection.transaction():
            write_history(connection, row)


def _indexes_now(connection: Connection, step: dict[str, Any]) -> list[str]:
    return [index.name for index in indexes(connection, step["tables"])]


def _is_done(attempt: Attempt, connection: Connection, step: dict[str, Any], statement: bytes) -> bool:
    """Whether the catalogue holds what the statement makes: the named object, a new valid index, a partition gone."""
    _, partition = _detaches(statement)
    if partition:
        return detaching(connection, partition) == "detached"
    wanted = expected(statement)
    if wanted.expectations:
        return not missing(wanted, attempt.schema())
    if not _builds_unnamed(statement):
        return False
    return any(index.valid and index.name not in step["before"] for index in indexes(connection, step["tables"]))


def _clean(attempt: Attempt, connection: Connection, step: dict[str, Any]) -> None:
    """Drop every invalid index of the tables that was not there before: its own, `_ccnew`, `_ccold`."""
    for index in indexes(connection, step["tables"]):
        if index.valid or index.name in step["before"]:
            continue
        if index.busy:
            raise ProviderError(
                f"The index {index.name} is invalid and {index.busy} works on its table, so it may still be built. "
                "Nothing was dropped; it is tried again.",
                retryable=True,
            )
        drop_index(connection, index.name)
        attempt.ctx.log(f"step {step['number']}: dropped {index.name}, which an interrupted try had left invalid")


def _tree(statement: bytes) -> tuple[str, dict[str, Any]]:
    first = parse(statement)[0]
    return (first.kind, first.node) if isinstance(first, Raw) else ("", {})


def _builds_unnamed(statement: bytes) -> bool:
    kind, node = _tree(statement)
    return kind == "IndexStmt" and not node.get("idxname")


def _detaches(statement: bytes) -> tuple[Name, Name | None]:
    """(table, partition) of DETACH PARTITION … CONCURRENTLY."""
    kind, node = _tree(statement)
    for item in node["cmds"] if kind == "AlterTableStmt" else ():
        command = item["AlterTableCmd"]
        if command["subtype"] == "AT_DetachPartition":
            return relation(node["relation"]), relation(command["def"]["PartitionCmd"]["name"])
    return ("", ""), None
