"""The order of locks in whatever a block does: rows first, the ledger's head last.

In: a block. Out: an error that names each statement by which a transaction reaches for rows of another table while it
holds the head. Whoever has such a row and wants to write the ledger would wait for it for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext

LOCKS = re.compile(r'(?:UPDATE|DELETE FROM|SELECT .*? FROM) "(\w+)"(.*)', re.DOTALL)


@contextmanager
def ledger_last() -> Iterator[None]:
    """For a test with transactions of its own."""
    with CaptureQueriesContext(connection) as queries:
        yield
    statements = [str(query["sql"]) for query in queries]
    assert any('"ledger_head"' in statement for statement in statements)
    assert late(statements) == [], late(statements)


def late(statements: Iterable[str]) -> list[str]:
    found, held = list[str](), list[str]()
    for statement in statements:
        if statement in ("BEGIN", "COMMIT", "ROLLBACK"):
            held = []
        lock = LOCKS.match(statement)
        if lock is None or (statement.startswith("SELECT") and " FOR NO KEY UPDATE" not in lock[2]):
            continue
        if "ledger_head" in held and lock[1] not in held:
            found.append(statement[:120])
        held.append(lock[1])
    return found
