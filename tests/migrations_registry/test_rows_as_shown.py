"""How many rows a condition meets is counted when people are asked, shown, kept, and held against what happens."""

from __future__ import annotations

import psycopg
import pytest
from django.contrib.auth.models import User

from ledger.models import Entry
from migrations_registry.apply import failpoints
from migrations_registry.models import MigrationFile, Plan
from migrations_registry.services.planning import review
from operations.engine.request import request
from operations.models import Environment, Operation
from tests.migrations_registry.applying import Act, add_supabase, finish, rows

pytestmark = pytest.mark.django_db(transaction=True)
COUNT = "SELECT count(*) FROM public.notes"


@pytest.fixture
def notes(dsns: dict[str, str]) -> None:
    """A table of the migration's own role: 12 of its 30 rows are old."""
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute("CREATE TABLE public.notes (id serial PRIMARY KEY, state text)")
        admin.execute("INSERT INTO public.notes (state) SELECT 'old' FROM generate_series(1, 12)")
        admin.execute("INSERT INTO public.notes (state) SELECT 'new' FROM generate_series(1, 18)")
        admin.execute("ALTER TABLE public.notes OWNER TO sampelit_migration")


@pytest.fixture
def file(notes: None, baselined: Environment) -> MigrationFile:
    return add_supabase(2, "CREATE TABLE fresh (id integer);\nDELETE FROM notes WHERE state = 'old'")


def more_old_ones(dsns: dict[str, str], count: int) -> None:
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute("INSERT INTO public.notes (state) SELECT 'old' FROM generate_series(1, %s)", [count])


def asked(file: MigrationFile, by: User, environment: Environment) -> Operation:
    return request("migrations.apply", by=by, environment=environment, parameters={"file": file.sha256}, reason="test")


def test_what_people_were_shown_stays_while_they_decide(
    file: MigrationFile, baselined: Environment, dsns: dict[str, str], ana: User
) -> None:
    asked(file, ana, baselined)
    more_old_ones(dsns, 500)

    (count,) = review(file, baselined).row_counts

    assert (count.statement, count.verb, count.table, count.rows) == (1, "deleted", "public.notes", 12)
    assert Plan.objects.get(file=file).row_counts[0]["rows"] == 12


def test_many_more_rows_than_shown_are_refused_before_anything_begins(
    file: MigrationFile, baselined: Environment, dsns: dict[str, str], ana: User
) -> None:
    operation = asked(file, ana, baselined)
    more_old_ones(dsns, 500)

    finish(operation)

    assert operation.status == "failed"
    assert "deleted 512 rows of public.notes, 12 were declared. Nothing was changed" in operation.error
    assert rows(dsns["admin"], COUNT) == [(530,)]


def test_many_more_rows_at_the_last_moment_are_rolled_back(
    file: MigrationFile, act: Act, dsns: dict[str, str], backups: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(failpoints.armed, "apply.begun", lambda: more_old_ones(dsns, 500))

    operation = act("migrations.apply", file=file.sha256)

    assert operation.status == "failed"
    assert "It did more than was approved: deleted 512 rows of public.notes, 12 were declared" in operation.error
    assert rows(dsns["admin"], COUNT) == [(530,)]
    assert Entry.objects.filter(code="migrations_registry.more_than_approved").count() == 1


def test_a_few_more_rows_are_growth(
    file: MigrationFile, act: Act, dsns: dict[str, str], backups: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(failpoints.armed, "apply.begun", lambda: more_old_ones(dsns, 20))

    operation = act("migrations.apply", file=file.sha256)

    assert operation.status == "succeeded", operation.error
    assert rows(dsns["admin"], COUNT) == [(18,)]
