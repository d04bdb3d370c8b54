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


DOORS = """
from sampelit_ops.command_line import execute
from sampelit_ops.demo.launcher import _prepare
lines = ("migrate", "tick", "ops list", "run_worker")
commands = [lambda line=line: execute(["manage.py", *line.split()]) for line in lines]
for enter in (*commands, lambda: _prepare(""), lambda: __import__("sampelit_ops.wsgi")):
    try:
        enter()
        print("LET IN")
    except SystemExit as refusal:
        print(refusal)
"""


def test_every_door_refuses_it(pasted):
    with psycopg.connect(pasted, autocommit=True) as product:
        product.execute(MARKS[0])

    done = subprocess.run(
        [sys.executable, "-c", DOORS],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": pasted},
        capture_output=True,
        text=True,
        timeout=60,
    )

    lines = done.stdout.splitlines()
    assert len(lines) == 6, done.stderr
    assert all("ops.E002" in line and "Nothing was written there" in line for line in lines), lines
    with psycopg.connect(pasted) as product:
        tables = product.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (1,)


@pytest.mark.parametrize("statement", MARKS)
@pytest.mark.django_db
def test_each_mark_of_the_product_is_known(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)

    assert [error.id for error in portal_database_is_ours(None, ["default"])] == ["ops.E002"]


@pytest.mark.django_db
def test_our_own_database_passes():
    assert portal_database_is_ours(None, ["default"]) == []
