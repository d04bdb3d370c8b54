"""From baseline to applied: exactly the stored bytes, once, with history; what cannot be ends with nothing changed."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from migrations_registry.apply import failpoints, transactions
from migrations_registry.drift import detect as drift_detect
from migrations_registry.models import Application, SchemaFingerprint
from operations.models import Environment
from tests.migrations_registry.applying import Act, add_supabase, history, rows

pytestmark = pytest.mark.django_db(transaction=True)


def test_applied_once_recorded_once_and_no_drift(baselined: Environment, act: Act, dsns: dict[str, str]) -> None:
    file = add_supabase(2, "-- ünïcode ✓\nCREATE TABLE fresh (id integer);\nALTER TABLE fresh ADD COLUMN note text;")
    operation = act("migrations.apply", file=file.sha256)
    assert operation.status == "succeeded", operation.error
    assert history(dsns) == ["20260101000000 change_1", "20260102000000 change_2"]
    assert Application.objects.get().status == "applied"
    assert drift_detect.look(baselined) is None
    assert "change_2.sql applied" in SchemaFingerprint.objects.exclude(trusted_at=None).first().trusted_because
    again = act("migrations.apply", file=file.sha256)
    assert "there is nothing to do" in again.error


def test_a_failing_statement_leaves_nothing(baselined: Environment, act: Act, dsns: dict[str, str]) -> None:
    file = add_supabase(2, "CREATE TABLE fresh (id integer); INSERT INTO fresh SELECT 1 / 0")
    operation = act("migrations.apply", file=file.sha256)
    assert operation.status == "failed"
    assert (
        "Step 1, of which nothing was kept, stopped: division by zero. Correct the data, or the file" in operation.error
    )
    assert rows(dsns["admin"], "SELECT to_regclass('fresh')") == [(None,)]
    assert len(history(dsns)) == 1
    assert Application.objects.get().status == "failed"
    assert drift_detect.look(baselined) is None


def test_savepoints_of_the_file_stay_its_own(baselined: Environment, act: Act, dsns: dict[str, str]) -> None:
    text = "BEGIN; SAVEPOINT a; CREATE TABLE fresh (id int PRIMARY KEY); RELEASE a; SAVEPOINT b; COMMIT;"
    operation = act("migrations.apply", file=add_supabase(2, text).sha256)
    assert operation.status == "succeeded", operation.error
    assert rows(dsns["admin"], "SELECT to_regclass('fresh')::text") == [("fresh",)]


def test_a_concurrent_index_runs_alone(baselined: Environment, act: Act, dsns: dict[str, str]) -> None:
    file = add_supabase(2, "-- outside any transaction\nCREATE INDEX CONCURRENTLY users_company ON users (company);")
    operation = act("migrations.apply", file=file.sha256)
    assert operation.status == "succeeded", operation.error
    assert [step["status"] for step in Application.objects.get().steps] == ["done"]
    assert len(history(dsns)) == 2


def test_an_index_that_fails_leaves_no_invalid_one(baselined: Environment, act: Act, dsns: dict[str, str]) -> None:
    file = add_supabase(2, "CREATE UNIQUE INDEX CONCURRENTLY users_role ON users (is_active)")
    operation = act("migrations.apply", file=file.sha256)
    assert operation.status == "failed"
    assert rows(dsns["admin"], "SELECT to_regclass('users_role')") == [(None,)]
    assert len(history(dsns)) == 1


@pytest.fixture
def lost_answer(monkeypatch: pytest.MonkeyPatch, dsns: dict[str, str]) -> list[str]:
    """The first COMMIT reaches the server, its answer never comes back."""
    sent: list[str] = []
    real = transactions.write_history

    def write_then_lose(connection: Any, row: Any) -> None:
        real(connection, row)
        if not sent:
            sent.append("lost")
            connection.execute("COMMIT")
            rows(dsns["admin"], f"SELECT pg_terminate_backend({connection.info.backend_pid}, 5000)")

    monkeypatch.setattr(transactions, "write_history", write_then_lose)
    return sent


def test_an_answer_lost_after_commit_is_looked_up(
    baselined: Environment, act: Act, dsns: dict[str, str], lost_answer: list[str]
) -> None:
    file = add_supabase(2, "CREATE TABLE fresh (id integer); INSERT INTO fresh VALUES (1)")
    operation = act("migrations.apply", file=file.sha256)
    assert operation.status == "succeeded", operation.error
    assert lost_answer == ["lost"]
    assert rows(dsns["admin"], "SELECT count(*) FROM fresh") == [(1,)]
    assert len(history(dsns)) == 2
    assert "committed" in operation.log


def test_a_connection_lost_before_commit_is_tried_again(
    baselined: Environment, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []
    real = transactions.write_history

    def die_once(connection: Any, row: Any) -> None:
        if not killed:
            killed.append(1)
            rows(dsns["admin"], f"SELECT pg_terminate_backend({connection.info.backend_pid}, 5000)")
        real(connection, row)

    monkeypatch.setattr(transactions, "write_history", die_once)
    file = add_supabase(2, "CREATE TABLE fresh (id integer); INSERT INTO fresh VALUES (1)")
    operation = act("migrations.apply", file=file.sha256)
    assert operation.status == "succeeded", operation.error
    assert rows(dsns["admin"], "SELECT count(*) FROM fresh") == [(1,)]
    assert "aborted" in operation.log


def test_drift_stops_it(baselined: Environment, act: Act, dsns: dict[str, str]) -> None:
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute("ALTER TABLE users DISABLE ROW LEVEL SECURITY")
    operation = act("migrations.apply", file=add_supabase(2, "CREATE TABLE fresh (id integer)").sha256)
    assert "row security public.users changed" in operation.error


def test_files_are_applied_in_order(baselined: Environment, act: Act) -> None:
    add_supabase(2, "CREATE TABLE second (id integer)")
    third = add_supabase(3, "COMMENT ON TABLE users IS 'third'")
    assert "change_2.sql comes first" in act("migrations.apply", file=third.sha256).error
    aside = act("migrations.apply", file=third.sha256, out_of_order="yes")
    assert (aside.status, aside.risk) == ("succeeded", "sensitive"), aside.error


def test_two_files_of_the_same_content_are_applied_each_once(
    baselined: Environment, act: Act, dsns: dict[str, str]
) -> None:
    text = "INSERT INTO ticks DEFAULT VALUES"
    first = add_supabase(2, "CREATE TABLE ticks (id serial)")
    assert act("migrations.apply", file=first.sha256).status == "succeeded"
    twins = [add_supabase(number, text) for number in (3, 4)]
    assert twins[0].sha256 == twins[1].sha256

    for _ in twins:
        operation = act("migrations.apply", file=twins[0].sha256)
        assert operation.status == "succeeded", operation.error

    assert history(dsns)[-2:] == ["20260103000000 change_3", "20260104000000 change_4"]
    assert rows(dsns["admin"], "SELECT count(*) FROM ticks") == [(2,)]
    assert "nothing to do" in act("migrations.apply", file=twins[0].sha256).error


def test_what_the_server_says_beside_its_message_is_shown_but_no_row(
    baselined: Environment, act: Act, dsns: dict[str, str]
) -> None:
    twice = add_supabase(2, "CREATE TABLE k (a int PRIMARY KEY); INSERT INTO k VALUES (4), (4)")
    assert "Key (a)=(4) already exists." in act("migrations.apply", file=twice.sha256).error

    null = add_supabase(2, "CREATE TABLE k (a int NOT NULL, b text); INSERT INTO k VALUES (NULL, 'private')")
    said = act("migrations.apply", file=null.sha256).error
    assert 'null value in column "a"' in said
    assert "private" not in said

    typo = add_supabase(2, "CREATE TABLE k (amount int); SELECT amuont FROM k")
    assert "Perhaps you meant" in act("migrations.apply", file=typo.sha256).error


def test_a_read_only_role_is_told(
    baselined: Environment, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", dsns["export_limited"])
    operation = act("migrations.apply", file=add_supabase(2, "CREATE TABLE fresh (id integer)").sha256)
    assert operation.status == "failed"
    assert "may not create anything in schema public. Nothing was changed." in operation.error


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (psycopg.errors.DiskFull("could not extend file"), "filled the disk: could not extend file. Enlarge the disk"),
        (psycopg.errors.QueryCanceled("statement timeout"), "ran into its limit of 15 minutes. Do less in one"),
    ],
)
def test_what_would_fail_again_is_not_tried_again(
    error: Exception, why: str, baselined: Environment, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[int] = []

    def fail() -> None:
        met.append(1)
        raise error

    monkeypatch.setitem(failpoints.armed, "transaction.executed", fail)
    operation = act("migrations.apply", file=add_supabase(2, "CREATE TABLE fresh (id integer)").sha256)
    assert (operation.status, len(met)) == ("failed", 1)
    assert "Step 1, of which nothing was kept, " + why in operation.error
    assert rows(dsns["admin"], "SELECT to_regclass('fresh')") == [(None,)]
    assert Application.objects.get().status == "failed"
