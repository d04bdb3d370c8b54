"""From baseline to applied: exactly the stored bytes, once, with history; what cannot be ends with nothing changed."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User

from backups.models import Incident, ProviderBackup, Run
from migrations_registry.apply import failpoints, late_rows_copy, restore_point, transactions
from migrations_registry.drift import detect as drift_detect
from migrations_registry.models import Application, RulePolicy, SchemaFingerprint, StreamBaseline
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import Environment
from providers.errors import ProviderError, Refused
from providers.http.errors import PlanTooLow
from providers.postgres.locked_session import guarded_session
from providers.supabase import RestorePoint
from tests.migrations_registry.applying import POOLS, SCHEMA, Act, add, add_supabase, finish, history, rows

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_baseline_writes_history_and_runs_nothing(act: Act, production: Environment, dsns: dict[str, str]) -> None:
    add(*SCHEMA, ("database/schema/schema_never.sql", "CREATE TABLE never (id integer)"))
    operation = act("migrations.baseline", stream="schema")
    assert operation.status == "succeeded", operation.error
    assert [line.split()[1] for line in history(dsns)] == ["schema_core"]
    assert rows(dsns["admin"], "SELECT to_regclass('never')") == [(None,)]
    assert StreamBaseline.objects.get().proposal[1]["state"] == "not applied"
    assert drift_detect.look(production) is None


def test_what_is_half_there_needs_a_persons_word(act: Act, production: Environment) -> None:
    add(("database/schema/schema_odd.sql", "CREATE TABLE users (id uuid); CREATE TABLE never (id integer)"))
    with pytest.raises(Refused, match=r"schema_odd.sql is partly \(missing: table public.never"):
        act("migrations.baseline", stream="schema")
    assert act("migrations.baseline", stream="schema", as_not_applied="schema_odd.sql").status == "succeeded"


def test_without_a_baseline_nothing_is_applied(act: Act, production: Environment, dsns: dict[str, str]) -> None:
    file = add_supabase(1, "CREATE TABLE fresh (id integer)")
    operation = act("migrations.apply", file=file.sha256)
    assert (operation.status, "not baselined" in operation.error) == ("failed", True)
    assert rows(dsns["admin"], "SELECT to_regclass('fresh')") == [(None,)]


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


def test_a_concurrent_index_runs_alone(baselined: Environment, act: Act, dsns: dict[str, str]) -> None:
    file = add_supabase(
        2,
        "-- outside any transaction\nCREATE INDEX CONCURRENTLY users_company ON users (company);",
    )
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


def test_a_lock_that_comes_free_is_waited_for(
    baselined: Environment, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = add_supabase(2, "ALTER TABLE users ADD COLUMN extra text")
    real = transactions.give_way
    with psycopg.connect(dsns["app"]) as other:
        other.execute("SELECT count(*) FROM users")
        monkeypatch.setattr(transactions, "give_way", lambda *given: (other.rollback(), real(*given)))
        operation = act("migrations.apply", file=file.sha256)
    assert operation.status == "succeeded", operation.error
    assert Application.objects.get().steps[0]["attempts"] == 2


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
    third = add_supabase(3, "CREATE TABLE third (id integer)")
    assert "change_2.sql comes first" in act("migrations.apply", file=third.sha256).error


def test_a_read_only_role_is_told(
    baselined: Environment, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", dsns["export_limited"])
    operation = act("migrations.apply", file=add_supabase(2, "CREATE TABLE fresh (id integer)").sha256)
    assert operation.status == "failed"
    assert "may not create anything in schema public. Nothing was changed." in operation.error


def test_the_providers_restore_point_lies_beside_ours(
    baselined: Environment, act: Act, dsns: dict[str, str], backups: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked once, before our copy; whatever it answers, ours is proven."""
    answers: list[Any] = [RestorePoint("apply-x", "AVAILABLE"), PlanTooLow("Your plan has no restore points.")]

    class Backups:
        def create_point(self, ref: str, name: str) -> RestorePoint:
            assert (ref, len(name)) == ("abcdefghijklmnopqrst", 18)
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    Environment.objects.update(supabase_ref="abcdefghijklmnopqrst")
    monkeypatch.setattr(restore_point, "configured", lambda: True)
    monkeypatch.setattr(restore_point, "supabase", lambda **_: SimpleNamespace(backups=Backups()))
    log: list[str] = []
    known = SimpleNamespace(pk="0" * 26, result={})
    context = SimpleNamespace(
        operation=known,
        environment=Environment.objects.get(),
        state={},
        log=log.append,
        save_state=lambda: None,
        result=known.result.update,
    )
    restore_point.mark(context)  # type: ignore[arg-type]
    restore_point.mark(context)  # type: ignore[arg-type]
    assert log == ["Supabase's own restore point apply-x is available, beside ours."]
    assert ProviderBackup.objects.get().external_id == "apply-x"

    operation = act("migrations.apply", file=add_supabase(2, "ALTER TABLE leads DROP COLUMN message").sha256)
    assert operation.status == "succeeded", operation.error
    assert answers == []
    assert "Supabase gives no restore point of its own (Your plan has no restore points.)" in operation.log
    run = Run.objects.get(pk=operation.result["restore_point"])
    assert (run.status, run.tables) == ("proven", ["public.leads"])


def test_what_was_written_after_the_restore_point_comes_back(
    baselined: Environment, act: Act, dsns: dict[str, str], backups: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late() -> None:
        with psycopg.connect(dsns["app"], autocommit=True) as app:
            app.execute("INSERT INTO leads (email, message) VALUES ('late@example.com', 'do not lose me')")

    monkeypatch.setitem(failpoints.armed, "restore_point.proven", late)
    operation = act("migrations.apply", file=add_supabase(2, "ALTER TABLE leads DROP COLUMN message").sha256)
    assert operation.status == "succeeded", operation.error
    assert Application.objects.get().steps[0]["kept"]["rows"] == 1

    monkeypatch.setenv("SAMPELIT_PRODUCTION_RESTORE_DSN", dsns["admin"])
    restored = act("backups.restore", run=operation.result["restore_point"], target="schema:back")
    assert restored.status == "succeeded", restored.error
    late_rows = "SELECT message FROM back.leads WHERE email = 'late@example.com'"
    assert rows(dsns["admin"], late_rows) == [("do not lose me",)]
    assert "1 rows of back.leads, written after the run" in " ".join(restored.result["notes"])


def test_an_empty_table_may_be_dropped(
    baselined: Environment, act: Act, dsns: dict[str, str], backups: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = act("migrations.apply", file=add_supabase(2, "CREATE TABLE hollow (id integer)").sha256)

    def late() -> None:
        rows(dsns["admin"], "INSERT INTO hollow VALUES (7) RETURNING id")

    monkeypatch.setitem(failpoints.armed, "restore_point.proven", late)
    operation = act("migrations.apply", file=add_supabase(3, "DROP TABLE hollow").sha256)
    assert (made.status, operation.status) == ("succeeded", "succeeded"), operation.error
    assert Application.objects.latest("pk").steps[0]["kept"]["rows"] == 1
    assert not Incident.objects.exists()


def test_too_busy_to_be_kept_in_time_changes_nothing(
    baselined: Environment, act: Act, dsns: dict[str, str], backups: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    RulePolicy.objects.create(version=1, created_by="ana", maintenance_seconds=1)
    real = late_rows_copy.counts
    monkeypatch.setattr(
        late_rows_copy, "counts", lambda on, *rest: (on.execute("SELECT pg_sleep(5)"), real(on, *rest))[1]
    )
    operation = act("migrations.apply", file=add_supabase(2, "ALTER TABLE leads DROP COLUMN message").sha256)
    assert operation.status == "failed"
    assert "took longer than 1 s. The transaction was rolled back, nothing was changed" in operation.error
    assert rows(dsns["admin"], "SELECT count(message) > 0 FROM leads") == [(True,)]
    assert len(history(dsns)) == 1


def test_a_blocked_change_never_queues_readers_longer_than_its_limit(
    baselined: Environment, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Visitors decide and a reader reads while somebody holds the table and the change keeps asking for it."""
    monkeypatch.setattr(transactions, "LADDER_MS", (200,))
    slowest, stop = [0.0], threading.Event()

    def read() -> None:
        with psycopg.connect(dsns["app"], autocommit=True) as reader:
            while not stop.is_set():
                began = time.monotonic()
                reader.execute("SELECT count(*) FROM experiments")
                slowest[0] = max(slowest[0], time.monotonic() - began)

    reader = threading.Thread(target=read)
    file = add_supabase(2, "ALTER TABLE experiments ADD COLUMN extra text")
    with psycopg.connect(dsns["app"]) as holder:
        holder.execute("SELECT count(*) FROM experiments")
        reader.start()
        began = time.monotonic()
        operation = act("migrations.apply", file=file.sha256)
        took = time.monotonic() - began
        stop.set()
        reader.join()
    row = Application.objects.get()
    assert "did not get its locks in 4 tries" in operation.error
    assert "sampelit_app" in operation.error
    assert len(history(dsns)) == 1
    assert 190 <= row.longest_wait_ms < 1000
    assert slowest[0] * 1000 < row.longest_wait_ms + 500
    assert slowest[0] < took / 2
    assert row.steps[0]["attempts"] == 4


def test_two_appliers_at_once_one_wins(
    baselined: Environment, act: Act, ana: User, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The portal's exclusive key first; behind it the lock that the writing backend itself holds on the target."""
    files = [add_supabase(2, "CREATE TABLE fresh (id integer)"), add_supabase(3, "CREATE TABLE second (id integer)")]
    first, second = (
        request("migrations.apply", by=ana, environment=baselined, parameters={"file": file.sha256}) for file in files
    )
    states: list[str | None] = []

    def meanwhile() -> None:
        states.append(run_operation(second.pk, "other", POOLS, end_process=lambda: None))
        with pytest.raises(ProviderError, match="Another session of the portal still holds 'schema:production'"):
            with guarded_session(dsns["migration"], "schema:production", lease_seconds=2, wait_seconds=0.1):
                pass

    monkeypatch.setitem(failpoints.armed, "transaction.executed", meanwhile)
    assert finish(first).status == "succeeded"
    assert states == [None]
    failpoints.armed.clear()
    assert finish(second).status == "succeeded"
    assert len(history(dsns)) == 3


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
