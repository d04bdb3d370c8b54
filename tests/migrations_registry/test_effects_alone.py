"""Statements outside of a transaction: asked about before, compared right after, as nothing takes them back."""

from __future__ import annotations

import psycopg
import pytest

from ledger.models import Entry
from ledger.registry import sentence_for
from migrations_registry.apply import failpoints
from migrations_registry.kinds.apply import ApplyMigration
from migrations_registry.models import Application
from operations.models import Environment
from tests.migrations_registry.applying import Act, add_supabase, rows

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_changes_beside_a_lone_statement_alarms(
    baselined: Environment, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be rolled back, so it is compared right after."""

    def beside() -> None:
        with psycopg.connect(dsns["admin"], autocommit=True) as admin:
            admin.execute("ALTER TABLE leads DISABLE ROW LEVEL SECURITY; CREATE TABLE public.beside (id int)")

    monkeypatch.setitem(failpoints.armed, "alone.executed", beside)
    file = add_supabase(2, "CREATE INDEX CONCURRENTLY users_company ON users (company)")
    act("migrations.apply", file=file.sha256)
    entry = Entry.objects.get(code="migrations_registry.more_than_approved")
    assert "created table public.beside" in entry.payload["changes"]
    assert not any("users_company" in phrase for phrase in entry.payload["changes"])
    assert "not rolled back, it ran outside of a transaction" in sentence_for(entry)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("ALTER ROLE lone CREATEDB", "role lone"),
        ("ALTER ROLE lone NOLOGIN", "role lone"),
        ("ALTER ROLE lone CONNECTION LIMIT 3", "role lone"),
        ("ALTER ROLE lone SET search_path = elsewhere", "role setting lone"),
        ("ALTER ROLE ALL SET statement_timeout = '7h'", "role setting every role"),
        ("GRANT pg_write_all_data TO lone", "membership lone of pg_write_all_data"),
        ("CREATE ROLE lone_2", "created role lone_2"),
        ("DROP ROLE lone", "dropped role lone"),
    ],
)
def test_roles_that_change_beside_a_lone_statement_alarm(
    change: str, told: str, baselined: Environment, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def execute(statement: str) -> None:
        with psycopg.connect(dsns["admin"], autocommit=True) as admin:
            admin.execute(statement)

    execute("CREATE ROLE lone LOGIN")
    monkeypatch.setitem(failpoints.armed, "alone.executed", lambda: execute(change))
    try:
        act(
            "migrations.apply",
            file=add_supabase(2, "CREATE INDEX CONCURRENTLY users_company ON users (company)").sha256,
        )
    finally:
        execute("ALTER ROLE ALL RESET statement_timeout")
        execute("DROP ROLE IF EXISTS lone")
        execute("DROP ROLE IF EXISTS lone_2")

    entry = Entry.objects.get(code="migrations_registry.more_than_approved")
    assert any(told in phrase for phrase in entry.payload["changes"]), entry.payload["changes"]


def test_a_lone_statement_says_what_it_did(baselined: Environment, act: Act, dsns: dict[str, str]) -> None:
    file = add_supabase(2, "CREATE INDEX CONCURRENTLY users_company ON users (company)")
    operation = act("migrations.apply", file=file.sha256)
    assert operation.status == "succeeded", operation.error
    assert Application.objects.get().steps[0]["effects"]["did"] == ["index public.users_company added"]
    assert not Entry.objects.filter(code="migrations_registry.more_than_approved").exists()


@pytest.mark.parametrize(
    "text",
    ["VACUUM users", "VACUUM (FULL, ANALYZE) users", "REINDEX TABLE CONCURRENTLY users"],
)
def test_every_kind_of_lone_statement_is_compared(
    text: str, baselined: Environment, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def beside() -> None:
        with psycopg.connect(dsns["admin"], autocommit=True) as admin:
            admin.execute("CREATE TABLE public.beside (id int)")

    monkeypatch.setitem(failpoints.armed, "alone.executed", beside)
    act("migrations.apply", file=add_supabase(2, text).sha256)
    entry = Entry.objects.get(code="migrations_registry.more_than_approved")
    assert "created table public.beside" in entry.payload["changes"]


def test_a_lone_rewrite_needs_its_votes_before_it_runs(
    precious: None, baselined: Environment, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ApplyMigration, "assess", lambda *_: "routine")
    file_of = "SELECT relfilenode FROM pg_class WHERE relname = 'precious'"
    before = rows(dsns["admin"], file_of)

    operation = act("migrations.apply", file=add_supabase(2, "VACUUM (FULL) precious").sha256)

    assert "what nobody was asked about: rewrote public.precious. It was not run" in operation.error
    assert rows(dsns["admin"], file_of) == before
