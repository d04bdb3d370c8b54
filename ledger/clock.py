"""The database's clock, by which all processes agree what is due, fresh or over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from django.db import connection

_asked: ContextVar[list[datetime] | None] = ContextVar("asked", default=None)


def clock_timestamp() -> datetime:
    """Now, asked for each time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def database_time() -> datetime:
    """Now; within `one_moment` when it was first asked for there."""
    asked = _asked.get()
    if asked is None:
        return clock_timestamp()
    if not asked:
        asked.append(clock_timestamp())
    return asked[0]


@contextmanager
def one_moment() -> Iterator[None]:
    """What is judged inside is judged at one time, for which the database is asked once; other threads ask anew."""
    token = _asked.set([])
    try:
        yield
    finally:
        _asked.reset(token)
