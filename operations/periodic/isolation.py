"""One row at a time: what is wrong with one is noted by its name and stops no other.

A provider that all rows ask and that answers none of several in a row, or says to wait, and a database that is gone
concern all of them: they pass.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

from providers.errors import ProviderError
from providers.http.errors import RateLimited, is_silence
from providers.redact import redact

logger = logging.getLogger(__name__)
SILENT = 3  # rows in a row that the provider did not answer for: it is no business of theirs
Row = TypeVar("Row")
Done = TypeVar("Done")


class Failed(list[str]):
    """What failed of many, a line each."""

    silent = 0


@contextmanager
def each(row: object, failed: Failed, *, alone: bool = False) -> Iterator[None]:
    """Do something with one row (or its name); `failed` takes its name and what went wrong.

    `alone`: the row asks a server of its own, so an outage there is only its own business."""
    try:
        yield
        failed.silent = 0
    except Exception as error:
        failed.silent = failed.silent + 1 if is_silence(error) and not alone else 0
        if failed.silent >= SILENT or (failed.silent and isinstance(error, RateLimited)) or _database_is_gone(error):
            raise
        line = redact(f"{_name(row)}: {error}")
        logger.warning("%s failed, the others go on", line, exc_info=alone and not isinstance(error, ProviderError))
        failed.append(line)


def one_by_one(rows: Iterable[Row], act: Callable[[Row], Done]) -> list[Done]:
    """Act on every row; what the acts answered. Raises SomeFailed after the last one if any failed."""
    failed, done = Failed(), list[Done]()
    for row in rows:
        with each(row, failed, alone=True):
            done.append(act(row))
    tell(failed)
    return done


def in_turn(*acts: Callable[[], object]) -> None:
    """Several duties of one job, of which none is the others' business. Raises SomeFailed after the last one."""
    one_by_one(acts, lambda act: act())


class SomeFailed(Exception):
    """What failed of many, each named; the others were done."""


def tell(failed: list[str]) -> None:
    """Raise what failed, after everything else was done: the job that called is shown as failing."""
    if failed:
        raise SomeFailed(f"{len(failed)} failed, the others were done: " + "; ".join(failed)[:400])


def _database_is_gone(error: Exception) -> bool:
    """A lock or a statement that took too long concerns one row; a connection that ended concerns all."""
    held = connection.connection
    return isinstance(error, OperationalError | InterfaceError) and (held is None or held.closed)


def _name(row: object) -> str:
    try:
        return str(getattr(row, "__name__", row))
    except Exception:
        return f"{type(row).__name__} {getattr(row, 'pk', '?')}"
