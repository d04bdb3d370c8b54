"""From the request to the table's end: in batches, each row once, recorded once; paused, stopped, gone on; undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User

from migrations_registry.apply import failpoints
from migrations_registry.backfill import steps, walk
from migrations_registry.drift import detect as drift_detect
from migrations_registry.kinds.backfill import hold
from migrations_registry.models import Application, MigrationFile
from operations.engine.cancel import cancel
from operations.engine.request import request as request_operation
from operations.engine.run import run_operation
from operations.models import Environment, Operation
from providers import postgres
from providers.errors import Refused
from providers.postgres.batches.marks import Mark, ensure_marks, forget, newest_mark, put_mark
from tests.migrations_registry.applying import POOLS, Act, add_supabase, finish, history, rows
from tests.migrations_registry.backfill.conftest import FILL

pytestmark = pytest.mark.django_db(transaction=True)
FILLED = "SELECT count(*), min(filled), max(filled) FROM orders WHERE cents = price * 100"
PLACES = ("batch.begun", "batch.executed", "batch.measured", "batch.before_commit", "batch.committed")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice ends with its second batch."""
    monkeypatch.setattr(steps, "SLICE_SECONDS", 0)


@pytest.fixture
def ask(orders: None, baselined: Environment, ana: User, fill: MigrationFile) -> Callable[..., Operation]:
    def ask(kind: str = "migrations.backfill", **parameters: Any) -> Operation:
        parameters = parameters or {"file": fill.sha256}
        return request_operation(kind, by=ana, environment=baselined, parameters=parameters, reason="test")

    return ask


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.armed.clear()


def claim_once(operation: Operation) -> Operation:
    run_operation(operation.pk, "test", POOLS, end_process=lambda: None)
    operation.refresh_from_db()
    return operation


def test_each_row_is_filled_once_and_the_file_is_recorded(
    fill: MigrationFile, baselined: Environment, act: Act, dsns: dict[str, str]
) -> None:
    operation = act("migrations.backfill", file=fill.sha256)

    assert operation.status == "succeeded", operation.error
    assert rows(dsns["admin"], FILLED) == [(2000, 1, 1)]
    assert history(dsns)[-1] == "20260102000000 change_2"
    application = Application.objects.get()
    assert application.status == "applied"
    (step,) = application.steps
    assert len(step["xids"]) > 3, "in one batch"
    assert step["effects"]["did"] == [f"updated 2,000 rows of public.orders in {len(step['xids'])} batches"]
    assert rows(dsns["admin"], "SELECT count(*) FROM supabase_migrations.sampelit_ops_marks") == [(0,)]
    assert drift_detect.look(baselined) is None


@pytest.mark.parametrize("place", PLACES)
def test_a_connection_that_is_cut_anywhere_costs_no_row_and_doubles_none(
    place: str, ask: Callable[..., Operation], dsns: dict[str, str]
) -> None:
    met: list[str] = []

    def cut() -> None:
        met.append(place)
        if len(met) == 3:
            with psycopg.connect(dsns["admin"], autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity"
                    " WHERE application_name = 'sampelit-ops' AND state LIKE 'idle%' AND datname = current_database()"
                )

    failpoints.armed[place] = cut

    operation = finish(ask())

    assert len(met) > 3
    assert operation.status == "succeeded", operation.error
    assert rows(dsns["admin"], FILLED) == [(2000, 1, 1)]


def test_a_slice_gives_its_worker_back_and_its_tries_are_counted_anew(
    short: None, ask: Callable[..., Operation], dsns: dict[str, str]
) -> None:
    operation = claim_once(ask())

    assert operation.status == "running"
    assert operation.lease_owner == ""
    assert operation.due_at is None
    assert operation.steps.get(name="backfill").attempt == 0
    assert operation.progress["unit"] == "keys"
    assert 0 < rows(dsns["admin"], FILLED)[0][0] < 2000


def test_paused_it_rests_until_it_may_go_on(short: None, ask: Callable[..., Operation], dsns: dict[str, str]) -> None:
    operation = claim_once(ask())

    paused = finish(ask("migrations.pause", backfill=operation.pk, state="paused"))
    before = rows(dsns["admin"], FILLED)
    Operation.objects.filter(pk=operation.pk).update(due_at=None)
    claim_once(operation)

    assert paused.status == "succeeded", paused.error
    assert rows(dsns["admin"], FILLED) == before
    assert operation.progress["note"] == "paused by ana"
    assert operation.due_at is not None

    resumed = finish(ask("migrations.pause", backfill=operation.pk, state="running"))
    operation.refresh_from_db()

    assert resumed.status == "succeeded", resumed.error
    assert operation.due_at is None
    claim_once(operation)
    assert rows(dsns["admin"], FILLED) > before


def test_a_freeze_that_begins_meanwhile_holds_it(
    short: None, ask: Callable[..., Operation], baselined: Environment, dsns: dict[str, str]
) -> None:
    operation = claim_once(ask())
    before = rows(dsns["admin"], FILLED)
    Environment.objects.filter(pk=baselined.pk).update(frozen_until="2999-01-01T00:00Z", freeze_reason="a launch")

    claim_once(operation)

    assert rows(dsns["admin"], FILLED) == before
    assert operation.progress["note"] == f"{baselined} is frozen: a launch"


def test_cancelled_it_is_partly_applied_and_the_next_request_goes_on(
    short: None, ask: Callable[..., Operation], fill: MigrationFile, ana: User, dsns: dict[str, str]
) -> None:
    operation = claim_once(ask())
    cancel(operation, by=ana)
    operation = finish(operation)

    assert operation.status == "cancelled"
    assert Application.objects.get().status == "partly"
    done = rows(dsns["admin"], FILLED)[0][0]
    assert 0 < done < 2000
    assert "request migrations.backfill" in finish(ask("migrations.apply", file=fill.sha256)).error
    assert rows(dsns["admin"], FILLED)[0][0] == done

    steps.SLICE_SECONDS = 60
    again = finish(ask())

    assert again.status == "succeeded", again.error
    assert rows(dsns["admin"], FILLED) == [(2000, 1, 1)]


def test_a_row_that_somebody_holds_is_waited_for_without_holding_others(
    ask: Callable[..., Operation], dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gave_way: list[int] = []
    real = walk.Walk._gave_way

    def count(self: Any, error: Any) -> None:
        real(self, error)
        gave_way.append(self.pace.size)
        if len(gave_way) == 4:
            holder.execute("ROLLBACK")

    monkeypatch.setattr(walk.Walk, "_gave_way", count)
    with psycopg.connect(dsns["admin"], autocommit=True) as holder:
        holder.execute("BEGIN")
        holder.execute("UPDATE orders SET note = 'held' WHERE id = 60")

        operation = finish(ask())

    assert operation.status == "succeeded", operation.error
    assert len(gave_way) >= 4
    assert gave_way[3] < gave_way[0]
    assert rows(dsns["admin"], FILLED) == [(2000, 1, 1)]


def test_what_a_trigger_destroys_besides_is_rolled_back_and_earlier_batches_stay(
    ask: Callable[..., Operation], baselined: Environment, dsns: dict[str, str]
) -> None:
    """The guard measures each batch; the trigger's body changes after the third one."""
    batches: list[int] = []

    def sabotage() -> None:
        batches.append(1)
        if len(batches) == 3:
            with psycopg.connect(dsns["admin"], autocommit=True) as admin:
                admin.execute(
                    "CREATE TABLE public.precious AS SELECT 1 AS a;"
                    "ALTER TABLE public.precious OWNER TO sampelit_migration;"
                    "CREATE OR REPLACE FUNCTION count_fill() RETURNS trigger LANGUAGE plpgsql AS"
                    " 'BEGIN DELETE FROM public.precious; RETURN NEW; END';"
                )

    failpoints.armed["batch.committed"] = sabotage

    operation = finish(ask())

    done = rows(dsns["admin"], "SELECT count(*) FROM orders WHERE cents IS NOT NULL")[0][0]
    assert operation.status == "failed"
    assert "precious" in operation.error
    assert f"{done:,} rows of earlier batches stay changed" in operation.error
    assert 0 < done < 2000
    assert rows(dsns["admin"], "SELECT count(*) FROM precious") == [(1,)]
    assert Application.objects.get().status == "partly"


@pytest.mark.parametrize(
    ("table", "text", "said"),
    [
        ("CREATE TABLE bare (a integer)", "UPDATE bare SET a = 1 WHERE a IS NULL", "no primary key"),
        ("CREATE TABLE k (a integer PRIMARY KEY)", "UPDATE k SET a = a + 1", "by which public.k would be walked"),
    ],
)
def test_what_cannot_be_walked_is_left_as_it_is(
    table: str, text: str, said: str, dsns: dict[str, str], act: Act, backups: None, request: pytest.FixtureRequest
) -> None:
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute(table.encode())
        admin.execute(f"ALTER TABLE {table.split()[2]} OWNER TO sampelit_migration".encode())
    request.getfixturevalue("baselined")

    operation = act("migrations.backfill", file=add_supabase(2, text).sha256)

    assert operation.status == "failed"
    assert said in operation.error
    assert len(history(dsns)) == 1


def test_an_empty_table_is_recorded(orders: None, baselined: Environment, act: Act, dsns: dict[str, str]) -> None:
    rows(dsns["admin"], "DELETE FROM orders RETURNING id")

    operation = act("migrations.backfill", file=add_supabase(2, FILL).sha256)

    assert operation.status == "succeeded", operation.error
    assert len(history(dsns)) == 2


def test_overwritten_values_come_back_with_what_was_written_since_the_restore_point(
    orders: None,
    baselined: Environment,
    act: Act,
    backups: None,
    dsns: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also of rows that people changed between the restore point and their batch."""
    monkeypatch.setenv("SAMPELIT_PRODUCTION_RESTORE_DSN", dsns["admin"])
    rows(dsns["admin"], "UPDATE orders SET cents = 1 RETURNING id")
    file = add_supabase(2, "UPDATE orders SET cents = price * 100")

    def meanwhile() -> None:
        rows(dsns["admin"], "UPDATE orders SET cents = 7 WHERE id % 100 = 0 RETURNING id")
        failpoints.armed.clear()

    failpoints.armed["backfill.locked"] = meanwhile
    operation = act("migrations.backfill", file=file.sha256)
    assert operation.status == "succeeded", operation.error
    assert rows(dsns["admin"], "SELECT count(*) FROM orders WHERE cents = price * 100") == [(2000,)]
    assert (
        rows(
            dsns["admin"],
            "SELECT to_regclass(format('supabase_migrations.%I', relname)) FROM pg_class"
            " WHERE relname LIKE 'sampelit_ops_kept_%'",
        )
        == []
    )

    undone = act("migrations.undo", application=operation.pk)

    assert undone.status == "succeeded", undone.error
    found = rows(dsns["admin"], "SELECT cents, count(*) FROM orders GROUP BY cents ORDER BY cents")
    assert found == [(1, 1980), (7, 20)]


def test_stopped_and_gone_on_with_each_row_is_changed_once_and_an_undo_joins_both_restore_points(
    short: None,
    ask: Callable[..., Operation],
    ana: User,
    act: Act,
    backups: None,
    dsns: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second restore point holds the new values of the first part's rows, and what people wrote in between."""
    monkeypatch.setenv("SAMPELIT_PRODUCTION_RESTORE_DSN", dsns["admin"])
    file = add_supabase(3, "UPDATE orders SET price = price + 1")
    first = claim_once(ask("migrations.backfill", file=file.sha256, out_of_order="yes"))
    cancel(first, by=ana)
    first = finish(first)
    assert first.status == "cancelled", first.error
    ((done,),) = rows(dsns["admin"], "SELECT count(*) FROM orders WHERE price = id + 1")
    assert 0 < done < 2000
    rows(dsns["admin"], "UPDATE orders SET price = price + 1000 WHERE id IN (1, 1990) RETURNING id")

    monkeypatch.setattr(steps, "SLICE_SECONDS", 60)
    second = finish(ask("migrations.backfill", file=file.sha256, out_of_order="yes"))

    assert second.status == "succeeded", second.error
    assert rows(dsns["admin"], "SELECT DISTINCT price - id FROM orders ORDER BY 1") == [(1,), (1001,)]

    undone = act("migrations.undo", application=second.pk)

    assert undone.status == "succeeded", undone.error
    found = dict(rows(dsns["admin"], "SELECT price - id, count(*) FROM orders GROUP BY 1 ORDER BY 1"))
    assert found == {0: 1998, 1000: 1, 1001: 1}, "row 1 was changed by others since, row 1990 before its batch"


MORE_TABLES = {
    "partitions": (
        "CREATE TABLE t (id integer, v text, PRIMARY KEY (id, v)) PARTITION BY LIST (v);"
        "CREATE TABLE t_a PARTITION OF t DEFAULT; ALTER TABLE t ADD COLUMN n integer;"
        "INSERT INTO t SELECT g, 'x', g FROM generate_series(1, 50) g; ALTER TABLE t_a OWNER TO sampelit_migration;"
        "ALTER TABLE t OWNER TO sampelit_migration",
        "UPDATE t SET n = n + 1",
    ),
    "rows that follow by ON UPDATE": (
        "CREATE TABLE t (id integer PRIMARY KEY, code text UNIQUE);"
        "CREATE TABLE t_follows (id integer PRIMARY KEY, code text REFERENCES t (code) ON UPDATE CASCADE);"
        "INSERT INTO t SELECT g, 'c' || g FROM generate_series(1, 50) g; INSERT INTO t_follows SELECT id, code FROM t;"
        "ALTER TABLE t OWNER TO sampelit_migration; ALTER TABLE t_follows OWNER TO sampelit_migration",
        "UPDATE t SET code = upper(code)",
    ),
}


@pytest.mark.parametrize("case", MORE_TABLES)
def test_what_could_not_be_kept_row_by_row_is_not_walked(
    case: str, dsns: dict[str, str], act: Act, backups: None, request: pytest.FixtureRequest
) -> None:
    table, text = MORE_TABLES[case]
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute(table.encode())
        before = admin.execute("SELECT t::text FROM t ORDER BY 1").fetchall()
    request.getfixturevalue("baselined")

    operation = act("migrations.backfill", file=add_supabase(2, text).sha256)

    assert operation.status == "failed"
    assert "could not be kept row by row. Nothing was changed. Apply it as a migration" in operation.error
    assert rows(dsns["admin"], "SELECT t::text FROM t ORDER BY 1") == before


def test_a_pause_holds_the_running_backfill_that_it_names(ana: User, fill: MigrationFile) -> None:
    """Neither another one, nor one that has ended, nor one of another environment."""
    here, elsewhere = (Environment.objects.get_or_create(slug=slug, name=slug)[0] for slug in ("here", "elsewhere"))
    running, other, ended = (
        Application.objects.create(operation=f"{number:026}", file=fill, environment=here, status=status)
        for number, status in enumerate(("running", "running", "partly"))
    )

    def pausing(row: Application, place: Environment) -> Any:
        asked = SimpleNamespace(requested_by=ana)
        given = {"state": "paused", "backfill": row.operation}
        return SimpleNamespace(operation=asked, parameters=given, environment=place, result=lambda **_: None)

    for row, place in ((ended, here), (running, elsewhere)):
        with pytest.raises(Refused, match="Nothing was changed"):
            hold(pausing(row, place))
    with pytest.raises(Operation.DoesNotExist):  # only the rows are here; what was written is rolled back with it
        hold(pausing(running, here))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Operation.objects, "get", lambda **_: None)
        hold(pausing(running, here))

    paused = dict(Application.objects.values_list("operation", "paused_by"))
    assert paused == {running.operation: "ana", other.operation: "", ended.operation: ""}


def test_the_marks_of_one_operation_go_alone(baselined: Environment, dsns: dict[str, str]) -> None:
    with postgres.connect(dsns["migration"], read_only=False) as connection:
        ensure_marks(connection)
        for operation in ("a", "b"):
            put_mark(connection, operation, 0, Mark(1))

        forget(connection, "a")

        assert newest_mark(connection, "a", 0) is None
        assert newest_mark(connection, "b", 0) is not None
