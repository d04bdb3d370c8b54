"""What the driver says when a statement fails, in one sentence for people. In: its error. Out: a ProviderError."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from providers.errors import ProviderError

_ADVICE: list[tuple[type[psycopg.Error], str]] = [
    (errors.InsufficientPrivilege, "Grant the role SELECT on it (or pg_read_all_data) and run again."),
    (errors.DiskFull, "Free space where the database keeps its files and run again."),
    (errors.TooManyConnections, "Close other sessions or raise the role's connection limit, then run again."),
    (errors.LockNotAvailable, "Another session holds a lock on it: end that one, or ask again at a quieter time."),
    (errors.ReadOnlySqlTransaction, "Use the primary server and a role that may write, then run again."),
    (errors.QueryCanceled, "Set the role's statement_timeout to 0 and run again."),
    (errors.IdleInTransactionSessionTimeout, "Its worker stood still for longer than its lease; it is tried again."),
    (errors.ObjectInUse, "An earlier attempt has not ended yet; it is tried again when that session is gone."),
    (errors.InvalidPassword, "Correct the password in the variable that holds the DSN."),
    (errors.InvalidCatalogName, "Correct the database name in the variable that holds the DSN."),
    (errors.UndefinedTable, "Check the table's name, or take it out of the policy."),
]


def first_line(error: psycopg.Error) -> str:
    """What Postgres (or libpq) said, as one sentence."""
    lines = (error.diag.message_primary or str(error)).strip().splitlines()
    text = lines[0].strip() if lines else "no answer"
    return text if text.endswith(".") else text + "."


def explain(error: psycopg.Error, doing: str) -> ProviderError:
    """Turn a driver's error into one sentence: what was being done, what Postgres said, what to do next."""
    advice = next((text for kind, text in _ADVICE if isinstance(error, kind)), "Look at the database's log.")
    if "row-level security" in first_line(error):
        advice = "Give the role BYPASSRLS (or use one that owns the table) and run again."
    retryable = isinstance(error, psycopg.OperationalError | errors.IdleInTransactionSessionTimeout)
    return ProviderError(f"{doing} stopped: {first_line(error)} {advice}", retryable=retryable)


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Raises ProviderError in place of the driver's error; `doing` was stopped by it."""
    try:
        yield
    except psycopg.Error as error:
        raise explain(error, doing) from None
