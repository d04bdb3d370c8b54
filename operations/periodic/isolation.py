"""One row at a time: what is wrong with one is noted by its name and stops no other.

A provider that does not answer, and a database that is gone, concern all of them: they pass.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError

from providers.errors import ProviderError
from providers.http.errors import Misshapen

logger = logging.getLogger(__name__)


@contextmanager
def each(name: str, failed: list[str]) -> Iterator[None]:
    """Do something with one row; `failed` takes its name and what went wrong."""
    try:
        yield
    except Exception as error:
        waiting_helps = isinstance(error, ProviderError) and error.retryable and not isinstance(error, Misshapen)
        if waiting_helps or isinstance(error, OperationalError | InterfaceError):
            raise
        logger.warning("%s failed: %s", name, error)
        failed.append(f"{name}: {error}")


class SomeFailed(Exception):
    """What failed of many, each named; the others were done."""


def tell(failed: list[str]) -> None:
    """Raise what failed, after everything else was done: the job that called is shown as failing."""
    if failed:
        raise SomeFailed(f"{len(failed)} failed, the others were done: " + "; ".join(failed)[:400])
