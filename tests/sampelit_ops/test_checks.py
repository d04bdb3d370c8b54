"""The guard: a product database pasted as DATABASE_URL is refused before anything is written (ops.E002)."""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from sampelit_ops.checks import portal_database_is_ours
from tests import portal_database


@pytest.fixture
def pasted():
    portal_database.server.create_database("pasted_product")
    yield portal_database.server.dsn("pasted_product")
    portal_database.server.drop_database("pasted_product")


MARKS = ["CREATE TABLE algorithm_audit_trail (id int)", "CREATE SCHEMA auth", "CREATE SCHEMA supabase_migrations"]


def test_migrate_and_the_worker_refuse_it(pasted):
    with psycopg.connect(pasted, autocommit=True) as product:
        product.execute(MARKS[0])

    for command in (["migrate"], ["run_worker"]):
        done = subprocess.run(
            [sys.executable, settings.BASE_DIR / "manage.py", *command],
            env={**os.environ, "DATABASE_URL": pasted},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode != 0
        assert "ops.E002" in done.stderr
        assert "Nothing was written there" in done.stderr

    with psycopg.connect(pasted) as product:
        tables = product.execute("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'django%'").fetchone()
    assert tables == (0,)


@pytest.mark.parametrize("statement", MARKS)
@pytest.mark.django_db
def test_each_mark_of_the_product_is_known(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)

    assert [found.id for found in portal_database_is_ours(None, ["default"])] == ["ops.E002"]


@pytest.mark.django_db
def test_our_own_database_passes():
    assert portal_database_is_ours(None, ["default"]) == []
