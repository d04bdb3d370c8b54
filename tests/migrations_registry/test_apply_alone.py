"""Statements that run alone, between transactions: each step once, and what an interruption left is cleaned."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from migrations_registry.apply import failpoints
from migrations_registry.models import Application
from operations.models import Environment
from providers.errors import ProviderError
from tests.migrations_registry.applying import Act, add_supabase, history, rows

pytestmark = pytest.mark.django_db(transaction=True)
INVALID = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
Once = Callable[..., None]


@pytest.fixture
def once(dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Once:
    """At a failpoint, the first time: run statements as somebody else, then raise."""

    def arm(name: str, *statements: str, error: Exception | None = None) -> None:
        left = [1]

        def act() -> None:
            if left:
                left.clear()
                with psycopg.connect(dsns["admin"], autocommit=True) as admin:
                    for statement in statements:
                        admin.execute(statement)
                if error:
                    raise error

        monkeypatch.setitem(failpoints.armed, name, act)

    return arm


def test_a_mixed_file_runs_in_steps_and_resumes_where_it_stopped(
    baselined: Environment, act: Act, dsns: dict[str, str]
) -> None:
    text = (
        "CREATE TABLE fresh (id integer); INSERT INTO fresh VALUES (-1);"
        "CREATE INDEX CONCURRENTLY fresh_id ON fresh (id);"
        "ALTER TABLE fresh ADD CONSTRAINT positive CHECK (id > 0)"
    )
    file = add_supabase(2, text)
    operation = act("migrations.apply", file=file.sha256)
    assert operation.status == "failed"
    first = Application.objects.get()
    assert (first.status, [step["status"] for step in first.steps]) == ("partly", ["done", "done", "pending"])
    assert len(history(dsns)) == 1

    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute("UPDATE fresh SET id = 1")
    again = act("migrations.apply", file=file.sha256)
    assert again.status == "succeeded", again.error
    assert rows(dsns["admin"], "SELECT count(*), max(id) FROM fresh") == [(1, 1)]
    assert [step["attempts"] for step in Application.objects.get(status="applied").steps] == [1, 1, 1]
    assert history(dsns)[1:] == ["20260102000000 change_2"]


def test_what_ends_settles_its_own_earlier_tries_alone(
    baselined: Environment, act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, other = add_supabase(2, "CREATE TABLE fresh (id integer)"), add_supabase(3, "CREATE TABLE later (id integer)")
    elsewhere = Environment.objects.create(slug="elsewhere", name="Elsewhere")
    tries = [
        (file, baselined, "partly"),
        (file, baselined, "applied"),
        (other, baselined, "partly"),
        (file, elsewhere, "partly"),
    ]

    def settle_among_others() -> None:
        for number, (of, environment, status) in enumerate(tries):
            Application.objects.create(file=of, environment=environment, status=status, operation=f"earlier {number}")

    monkeypatch.setitem(failpoints.armed, "settle.begun", settle_among_others)

    act("migrations.apply", file=file.sha256)

    statuses = Application.objects.filter(operation__startswith="earlier").order_by("operation")
    assert list(statuses.values_list("status", flat=True)) == ["failed", "applied", "partly", "partly"]


def test_a_mixed_file_in_its_own_transaction_is_refused(baselined: Environment, act: Act) -> None:
    file = add_supabase(2, "BEGIN; CREATE INDEX CONCURRENTLY users_company ON users (company); COMMIT")
    with pytest.raises(Exception, match="runs a concurrent command inside a transaction"):
        act("migrations.apply", file=file.sha256)


def test_leftovers_of_a_rebuild_are_dropped_before_the_retry(
    baselined: Environment, act: Act, dsns: dict[str, str], once: Once
) -> None:
    once(
        "alone.journaled",
        "CREATE INDEX users_email_ccnew ON users (email)",
        "CREATE INDEX users_email_ccold1 ON users (email)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid::regclass::text LIKE 'users_email_cc%'",
        error=psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"),
    )
    operation = act("migrations.apply", file=add_supabase(2, "REINDEX TABLE CONCURRENTLY users").sha256)
    assert operation.status == "succeeded", operation.error
    assert rows(dsns["admin"], INVALID) == [(0,)]
    assert "dropped public.users_email_ccold1, which an interrupted try had left invalid" in operation.log


def test_an_index_without_a_name_is_not_built_twice(
    baselined: Environment, act: Act, dsns: dict[str, str], once: Once
) -> None:
    once("alone.executed", error=ProviderError("the worker went away", retryable=True))
    operation = act("migrations.apply", file=add_supabase(2, "CREATE INDEX CONCURRENTLY ON users (company)").sha256)
    assert operation.status == "succeeded", operation.error
    built = "SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%(company)' AND tablename = 'users'"
    assert rows(dsns["admin"], built) == [(1,)]
    assert len(history(dsns)) == 2


def test_a_detachment_that_was_begun_is_ended(
    baselined: Environment, act: Act, dsns: dict[str, str], once: Once
) -> None:
    made = "CREATE TABLE parts (id int) PARTITION BY LIST (id); CREATE TABLE part_1 PARTITION OF parts DEFAULT"
    assert act("migrations.apply", file=add_supabase(2, made).sha256).status == "succeeded"
    once("alone.journaled", "UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = 'part_1'::regclass")
    file = add_supabase(3, "ALTER TABLE parts DETACH PARTITION part_1 CONCURRENTLY")
    operation = act("migrations.apply", file=file.sha256)
    assert operation.status == "succeeded", operation.error
    assert rows(dsns["admin"], "SELECT count(*) FROM pg_inherits WHERE inhrelid = 'part_1'::regclass") == [(0,)]
