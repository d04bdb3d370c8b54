"""How tests with real transactions clean up: delete only from tables that have rows, and keep what migrations made.

Django's flush truncates every table and then makes all permissions anew, about 0.3 s a test; this takes a few
milliseconds. Triggers and foreign keys do not fire (session_replication_role), so the append-only ledger empties too.
"""

from __future__ import annotations

from shutil import rmtree
from typing import Any
from weakref import WeakSet

import pytest
from django.conf import settings
from django.core.management.commands import flush
from django.db import connections

KEPT = {"django_migrations", "django_content_type", "auth_permission"}
_prepared: WeakSet[Any] = WeakSet()


def empty(self: flush.Command, **options: Any) -> None:
    """What `flush` does while tests run."""
    connection = connections[options["database"]]
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        if connection.connection not in _prepared:  # planned once a connection: it takes longer than to look
            tables = connection.introspection.table_names(cursor)
            asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {quote(name)})" for name in tables)
            cursor.execute(f"PREPARE filled AS {asked}")
            _prepared.add(connection.connection)
        cursor.execute("EXECUTE filled")
        filled = [name for (name,) in cursor.fetchall() if name not in KEPT]
        statements = "; ".join(f"DELETE FROM {quote(name)}" for name in filled)
        if "ledger_head" in filled:
            statements += f"; INSERT INTO ledger_head (id, sequence, sha256) VALUES (1, 0, '{'0' * 64}')"
        if statements:
            cursor.execute(f"BEGIN; SET LOCAL session_replication_role = replica; {statements}; COMMIT")
    rmtree(settings.DATA_DIR / "backups" / "ledger", ignore_errors=True)  # checkpoints of the ledger just emptied


@pytest.fixture(scope="session", autouse=True)
def fast_flush() -> None:
    flush.Command.handle = empty  # type: ignore[method-assign]
