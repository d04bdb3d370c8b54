"""Before the first change: each thing that would make an application fail or hurt is a refusal that says what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
import pytest

from migrations_registry.apply import preflight, target_checks
from migrations_registry.models import Application
from operations.models import Environment
from providers import postgres
from providers.postgres.migrate.session import writable
from tests.migrations_registry.applying import Act, add_supabase, history

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_around_the_target_refuses(
    baselined: Environment, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six refusals on one target; none of them leaves an attempt or a change."""
    file = add_supabase(2, "CREATE INDEX CONCURRENTLY users_company ON users (company)")

    def refused() -> str:
        operation = act("migrations.apply", file=file.sha256)
        assert operation.status == "failed"
        return operation.error

    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {admin.info.dbname} SET default_transaction_read_only = on")
        assert "set read-only (default_transaction_read_only)" in refused()
        admin.execute(f"ALTER DATABASE {admin.info.dbname} RESET default_transaction_read_only")
        with psycopg.connect(dsns["app"]) as late:
            late.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            late.execute("SELECT count(*) FROM leads")
            monkeypatch.setattr(target_checks, "LATE_SECONDS", 0)
            assert "would wait for sampelit_app" in refused()
            monkeypatch.setattr(target_checks, "LATE_SECONDS", 60)
        admin.execute("CREATE INDEX users_company ON users (company)")
        admin.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_company'::regclass")
        with monkeypatch.context() as patch:
            patch.setattr(preflight, "compare", lambda *_: [])  # an index of somebody else is drift as well
            assert "public.users_company on public.users is invalid and not ours" in refused()
        assert "index public.users_company added" in refused()
        admin.execute("DROP INDEX users_company")
    real = postgres.facts
    for odd, why in (({"session_mode": False}, "pooler in transaction mode"), ({"version": 140020}, "is too old")):
        with monkeypatch.context() as patch:
            patch.setattr(postgres, "facts", lambda connection, odd=odd: replace(real(connection), **odd))
            assert why in refused()
    assert not Application.objects.exists()
    assert len(history(dsns)) == 1


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((True, True, "ops", False), "it is a replica"),
        ((False, False, "ops", False), "the role ops may not create anything in schema public"),
        ((False, True, "ops", True), "it is set read-only (default_transaction_read_only), as managed services do"),
        ((False, True, "ops", False), ""),
    ],
)
def test_why_a_server_takes_no_writes(answer: tuple[Any, ...], why: str) -> None:
    class Server:
        def execute(self, _: str) -> Server:
            return self

        def fetchone(self) -> tuple[Any, ...]:
            return answer

    assert writable(Server()).startswith(why)  # type: ignore[arg-type]


def test_a_long_transaction_on_a_touched_table(
    baselined: Environment, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "LONGEST_TRANSACTION_SECONDS", 0)
    with psycopg.connect(dsns["app"]) as late, psycopg.connect(dsns["admin"], autocommit=True) as admin:
        late.execute("SELECT count(*) FROM leads")
        admin.execute("SELECT pg_sleep(1.1)")
        operation = act("migrations.apply", file=add_supabase(2, "ALTER TABLE leads ADD COLUMN extra text").sha256)
    assert "A transaction has held public.leads for" in operation.error


def test_the_disk(baselined: Environment, act: Act, monkeypatch: pytest.MonkeyPatch, dsns: dict[str, str]) -> None:
    """Without a provider it is said that nobody knows; a provider's figure that is too small refuses."""
    text = "ALTER TABLE leads ADD COLUMN token uuid DEFAULT gen_random_uuid()"
    file = add_supabase(2, text)
    monkeypatch.setattr(target_checks, "free_bytes", lambda _: 1000)
    operation = act("migrations.apply", file=file.sha256)
    assert "0 MB are free. Nothing was changed. Enlarge the disk" in operation.error
    monkeypatch.setattr(target_checks, "free_bytes", lambda _: None)
    operation = act("migrations.apply", file=file.sha256)
    assert operation.status == "succeeded", operation.error
    assert "how much is free, the database cannot tell" in operation.log
