"""Whoever asks for something shares its environment's row until the end; whoever writes there waits for none of them.

Both write the ledger last: waiting for each other's row and for the ledger's head would be a deadlock.
"""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from operations.databases import _remember_address
from operations.models import Environment
from tests import portal_database

ROOT = Path(__file__).resolve().parents[2]
APPS = ("backups", "deployments", "migrations_registry", "operations", "sampelit_ops")
WHOLE = re.compile(
    r"(?:Environment\.objects|_default_manager)(?:\s*\.\w+\([^()]*\))*?\s*\.select_for_update\((?!no_key=True)"
)


@pytest.mark.django_db(transaction=True)
def test_a_new_address_waits_for_nobody_who_asks_for_something() -> None:
    production = Environment.objects.create(slug="production", name="P", kind="production")
    with psycopg.connect(portal_database.server.dsn(connection.settings_dict["NAME"])) as asking:
        asking.execute("SELECT FROM operations_environment WHERE id = %s FOR KEY SHARE", [production.pk])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '500ms'")
        try:
            _remember_address(production, "export", "10.0.0.1:5432/p")
        finally:
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")

    assert Environment.objects.get(pk=production.pk).addresses == {"export": ["10.0.0.1:5432/p"]}


def test_nobody_locks_an_environment_against_those_who_only_point_at_it() -> None:
    texts = {path: path.read_text() for app in APPS for path in (ROOT / app).rglob("*.py")}

    assert [path.name for path, text in texts.items() if WHOLE.search(text)] == []
    assert sum("select_for_update(no_key=True)" in text for text in texts.values()) >= 7
