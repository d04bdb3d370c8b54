"""Django's PostgreSQL backend, which locks rows against writers, not against those who only point at them.

A foreign key is checked at COMMIT, when its writer holds the ledger's head. Whoever held the row that it points at
whole (FOR UPDATE) and waited for the head would end in a deadlock with it. No key changes here, so each lock, that of
Django's own `update_or_create` too, is FOR NO KEY UPDATE (PostgreSQL 17, 13.3.2). A DELETE takes the whole row itself.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base, operations


class DatabaseOperations(operations.DatabaseOperations):
    def for_update_sql(self, *given: Any, **options: Any) -> str:
        return super().for_update_sql(*given, **options | {"no_key": True})


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations
