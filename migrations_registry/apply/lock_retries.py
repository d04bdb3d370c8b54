"""Giving way: a try that did not get its lock is journaled with who held it, and the next one comes later.

In: an attempt and the error. Out: the longest wait in Application, behind which others queued; or a sentence.
"""

from __future__ import annotations

import random
import time
from typing import Any

import psycopg
from psycopg import errors

from migrations_registry.apply.attempt import Attempt
from providers import postgres
from providers.errors import ProviderError
from providers.postgres.connection import Connection, in_full
from providers.postgres.driver_errors import first_line
from providers.postgres.migrate import session as migrate_session
from providers.postgres.migrate.session import Limits

TRIES = 12
ITS_OWN_FAULT = (psycopg.ProgrammingError, psycopg.DataError, psycopg.IntegrityError, psycopg.NotSupportedError)
SLEEP_MOST = 10.0


def statement_error(error: psycopg.Error, what: str, limits: Limits) -> ProviderError:
    """One sentence about an error of a file's own statement. What would fail the same way again is not tried again."""
    if isinstance(error, errors.QueryCanceled):
        return ProviderError(
            f"{what} ran into its limit of {limits.statement_ms // 60_000} minutes. Do less in one statement (rows in "
            "batches, an index concurrently), then request it again."
        )
    if isinstance(error, errors.DiskFull):
        return ProviderError(
            f"{what} filled the disk: {first_line(error)} Enlarge the disk or free space on it, then request it again."
        )
    if isinstance(error, errors.InsufficientPrivilege):
        return ProviderError(f"{what} stopped: {in_full(error)} Grant it to the migration role, then request it again.")
    if isinstance(error, ITS_OWN_FAULT):
        return ProviderError(
            f"{what} stopped: {in_full(error)} Correct the data, or the file: its new content is a new revision."
        )
    return postgres.explain(error, what)


def give_way(
    attempt: Attempt, connection: Connection, step: dict[str, Any], number: int, error: psycopg.Error, waited: float
) -> None:
    """Journal the wait and sleep, growing and with jitter, so that those who queued behind us get through."""
    waited_ms = int(waited * 1000)
    if waited_ms > attempt.row.longest_wait_ms:
        attempt.row.longest_wait_ms = waited_ms
        attempt.save("longest_wait_ms")
    who = ", ".join(migrate_session.blockers(connection, step["tables"])) or "nobody any more"
    attempt.ctx.log(f"step {step['number']}: {first_line(error)} Waited {waited_ms} ms; on its tables: {who}")
    until = time.monotonic() + min(0.05 * 2**number, SLEEP_MOST) * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
    while time.monotonic() < until:
        attempt.ctx.check()
        time.sleep(min(0.2, max(0.0, until - time.monotonic())))
