"""Fixtures shared by every room. Each room's own lie in its `conftest.py`."""

from __future__ import annotations

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The ledger's TRUNCATE trigger would break the teardown of transaction=True tests: off, once per session."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        if "ledger_entry" in connection.introspection.table_names(cursor):
            cursor.execute("ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_no_truncate")
