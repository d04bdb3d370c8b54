"""What may be told of an error that code of strangers raised, or wrote into. In: the error. Out: facts of ours.

A message, a DETAIL, a name and even a SQLSTATE are whatever that code likes (RAISE … USING; a cast of a file's
content): of a state its own name is told, of a name or a sentence only that it is one of those we knew before.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import psycopg
from psycopg import errors

from providers.errors import ProviderError

# Sentences of PostgreSQL without a blank that the code could fill.
SENTENCES = frozenset(
    [
        "permission denied to COPY to or from an external program",
        "permission denied to COPY from a file",
        "permission denied to COPY to a file",
        "must be superuser to create a base type",
        "only superuser can define a leakproof function",
        "canceling statement due to statement timeout",
        "out of shared memory",
    ]
)
NO_ROOM = (errors.DiskFull, errors.OutOfMemory, errors.IoError)
CHECKED = errors.CheckViolation.sqlstate
DENIED = errors.InsufficientPrivilege.sqlstate
NO_KEY = errors.InvalidForeignKey.sqlstate
RAISE = "exec_stmt_raise"  # where PL/pgSQL carries out its RAISE (pl_exec.c)
FREE = " Free space where that server keeps its files, and run again."
# Classes of SQLSTATE that rows, or code that they go through, answer with (PostgreSQL, Appendix A).
OF_ROWS = ("21", "22", "23", "38", "39", "54", "P0")
NAMED = ("constraint", "column", "table", "datatype")


@dataclass(frozen=True)
class Problem:
    """`of_the_rows`: rows break a rule, or code that they go through refuses them; nothing is missing."""

    text: str
    state: str

    @property
    def of_the_rows(self) -> bool:
        return self.state.startswith(OF_ROWS)


def facts_of(error: psycopg.Error, known: Collection[str] = ()) -> str:
    """For instance "check violation (23514), constraint sane, table users"."""
    names = [(kind, getattr(error.diag, f"{kind}_name")) for kind in NAMED]
    said = f": {error.diag.message_primary}" if error.diag.message_primary in SENTENCES else ""
    return ", ".join([_state(error) + said, *(f"{kind} {name}" for kind, name in names if name and name in known)])


def own_state(error: psycopg.Error) -> str:
    """Empty where PL/pgSQL raised it, whose state is whatever it likes."""
    return "" if error.diag.source_function == RAISE else error.sqlstate or ""


def is_of_the_server(error: psycopg.Error) -> bool:
    """Whether the server could not go on (no disk, no memory, gone): that says nothing about what it was given."""
    lost = error.sqlstate is None and isinstance(error, psycopg.OperationalError)
    return lost or (
        own_state(error) != "" and isinstance(error, (*NO_ROOM, errors.AdminShutdown, errors.CrashShutdown))
    )


def problem_of(error: psycopg.Error, what: str, known: Collection[str], denied: str) -> Problem:
    """`denied`: what to say where the role may not."""
    advice = denied if isinstance(error, errors.InsufficientPrivilege) else ""
    return Problem(f"{what}: {facts_of(error, known)}.{advice}", error.sqlstate or "")


def advice_for(error: psycopg.Error) -> str:
    return FREE if isinstance(error, errors.DiskFull) else ""


def explain_load(error: psycopg.Error, doing: str, known: Collection[str] = ()) -> ProviderError:
    """One sentence about a load that stopped; nothing of what its code says."""
    return ProviderError(
        f"{doing} stopped: {facts_of(error, known)}.{advice_for(error)}",
        retryable=isinstance(error, psycopg.OperationalError),
    )


def _state(error: psycopg.Error) -> str:
    if error.sqlstate is None:
        return "the server ended the connection"
    try:
        name = errors.lookup(error.sqlstate).__name__
    except KeyError:
        return "an error of its own code"
    return f"{re.sub('(?<=[a-z])(?=[A-Z])', ' ', name).rstrip('_').lower()} ({error.sqlstate})"
