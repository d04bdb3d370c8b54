"""Restores as operations: scratch, schema, database, a comparison, and live tables with maintenance and drain."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg
import pytest
from django.contrib.auth.models import Permission, User

from backups.archive.reader import load
from backups.models import Restore, Run
from backups.restore import in_place, preview
from backups.restore.kind import comparison
from operations.engine import kinds
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.engine.specs import StepSpec
from operations.models import Environment, Operation
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.storage.factory import open_store
from tests import portal_database
from tests.backups.test_operation import ask, ended, production  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
POOLS = frozenset({"export", "prove", "urgent"})


@pytest.fixture
def spoilt(production: Environment, sampelit_copy, monkeypatch) -> dict[str, str]:  # noqa: F811
    """The environment reads and restores a copy that the test may change."""
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", sampelit_copy["export"])
    monkeypatch.setenv("SAMPELIT_PRODUCTION_RESTORE_DSN", sampelit_copy["admin"])
    return sampelit_copy


@pytest.fixture
def run(spoilt, ask) -> Run:  # noqa: F811
    return Run.objects.get(pk=ended(ask()).result["run"])


@pytest.fixture
def restore(production: Environment) -> Callable[..., Operation]:  # noqa: F811
    user = User.objects.create_user("rita", password="long enough password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="request_restore"))
    Environment.objects.filter(pk=production.pk).update(protected=False, votes_destructive=0)
    production.refresh_from_db()

    def restore(run: Run, target: str, **more: str) -> Operation:
        by = User.objects.get(pk=user.pk)
        values = {"run": run.pk, "target": target, **more}
        operation = request("backups.restore", by=by, environment=production, parameters=values, reason="test")
        run_operation(operation.pk, "test", POOLS, end_process=lambda: None)
        operation.refresh_from_db()
        return operation

    return restore


@pytest.fixture
def maintenance(monkeypatch) -> list[str]:
    """Fake steps of deployments: what they were asked, in order."""
    asked: list[str] = []
    monkeypatch.setitem(
        kinds.registry.factories, "maintenance_on", StepSpec("maintenance_on", lambda ctx: asked.append("on"))
    )
    monkeypatch.setitem(
        kinds.registry.factories, "maintenance_off", StepSpec("maintenance_off", lambda ctx: asked.append("off"))
    )
    return asked


def rows(dsn: str, query: str) -> list[tuple]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query).fetchall()


def test_into_scratch_makes_a_new_database(run: Run, restore, spoilt) -> None:
    operation = restore(run, "scratch")

    assert (operation.status, operation.error) == ("succeeded", "")
    scratch = psycopg.conninfo.make_conninfo(spoilt["admin"], dbname=operation.result["database"])
    assert rows(scratch, "SELECT count(*) FROM algorithm_audit_trail") == [(600,)]
    assert Restore.objects.get(operation=operation).status == "succeeded"
    portal_database.server.drop_database(operation.result["database"])


def test_into_a_new_schema_beside_the_live_tables(run: Run, restore, spoilt) -> None:
    operation = restore(run, "schema:came_back")

    assert (operation.status, operation.error) == ("succeeded", "")
    query = "SELECT count(*) FROM {}.algorithm_audit_trail"
    assert rows(spoilt["admin"], query.format("came_back")) == rows(spoilt["admin"], query.format("public"))
    assert restore(run, "schema:came_back").status == "failed"


def test_into_an_empty_database_only_one_chain(run: Run, restore, spoilt, empty_database, monkeypatch) -> None:
    monkeypatch.setenv("OPS_RESTORE_MINE_DSN", empty_database)
    [(chain,)] = rows(spoilt["admin"], "SELECT min(experiment_id::text) FROM algorithm_audit_trail")

    unknown = restore(run, "database:OPS_RESTORE_MINE_DSN", chain="not-an-experiment")
    operation = restore(run, "database:OPS_RESTORE_MINE_DSN", chain=chain)

    assert "holds no chain of experiment not-an-experiment (4 others). Nothing was written" in unknown.error
    assert (operation.status, operation.error) == ("succeeded", "")
    [(kept,)] = rows(empty_database, "SELECT count(*) FROM algorithm_audit_trail")
    assert operation.result["rows"] == run.rows - 600 + kept
    assert rows(empty_database, "SELECT DISTINCT experiment_id::text FROM algorithm_audit_trail") == [(chain,)]


def test_a_comparison_counts_what_would_change_and_writes_nothing(run: Run, restore, spoilt) -> None:
    spoil(spoilt)
    before = rows(spoilt["admin"], "SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM algorithm_audit_trail t")

    operation = restore(run, "compare")

    difference = operation.result["difference"]
    assert difference["public.algorithm_audit_trail"] == {"added": 4, "changed": 3, "missing": 0}
    assert difference["public.users"]["missing"] == 1
    assert before == rows(
        spoilt["admin"], "SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM algorithm_audit_trail t"
    )


def spoil(dsns: dict[str, str]) -> None:
    with psycopg.connect(dsns["admin"]) as connection:
        connection.execute(
            "DELETE FROM algorithm_audit_trail t USING (SELECT experiment_id, max(sequence_number) AS last"
            " FROM algorithm_audit_trail GROUP BY 1) e WHERE t.experiment_id = e.experiment_id"
            " AND t.sequence_number = e.last"
        )
        connection.execute(
            "UPDATE algorithm_audit_trail SET conversion_value = 1234.5 WHERE id IN"
            " (SELECT id FROM algorithm_audit_trail ORDER BY id LIMIT 3)"
        )
        connection.execute("INSERT INTO users (email, password_hash, full_name) VALUES ('new@example.com', 'x', 'New')")
        connection.execute("UPDATE users SET full_name = 'Overwritten' WHERE email <> 'new@example.com'")


def test_onto_live_tables_makes_them_equal_and_keeps_the_present(run: Run, restore, spoilt, maintenance) -> None:
    spoil(spoilt)
    signed_up(spoilt, "one@example.com")
    with psycopg.connect(spoilt["admin"]) as connection:
        connection.execute("ALTER TABLE users ENABLE ALWAYS TRIGGER users_updated")
    triggers = "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
    before = rows(spoilt["admin"], triggers)
    restore(run, "compare")

    operation = restore(run, "live")

    assert (operation.status, operation.error) == ("succeeded", "")
    assert maintenance == ["on", "off"]
    assert restore(run, "compare").result["difference"]["public.algorithm_audit_trail"]["changed"] == 0
    assert rows(spoilt["admin"], "SELECT count(*) FROM users WHERE email = 'new@example.com'") == [(0,)]
    present = Run.objects.get(pk=operation.result["present"])
    assert present.status == "suspect"  # a faithful copy of what was broken
    assert "the last proven run held" in present.reason
    assert present.rows == run.rows - 4 + 2
    assert rows(spoilt["admin"], triggers) == before
    assert rows(spoilt["admin"], "SELECT count(*) FROM user_onboarding WHERE current_step = 'welcome'") == [(0,)]


def test_only_live_tables_need_the_steps_that_send_people_away(run: Run, restore, spoilt) -> None:
    operation = restore(run, "compare")

    skipped = set(operation.steps.filter(status="skipped").values_list("name", flat=True))
    assert skipped == {"maintenance_on", "drain", "present_copy", "present_prove", "maintenance_off"}


def signed_up(dsns: dict[str, str], email: str) -> None:
    """A new user whose row in a table outside the policy goes when the user goes."""
    with psycopg.connect(dsns["admin"]) as connection:
        connection.execute(
            "WITH u AS (INSERT INTO users (email, password_hash, full_name) VALUES (%s, 'x', 'N') RETURNING id)"
            " INSERT INTO user_onboarding (user_id) SELECT id FROM u",
            [email],
        )


def test_rows_of_other_tables_that_go_along_are_told_and_no_more_than_that_go(
    run: Run, restore, spoilt, maintenance
) -> None:
    signed_up(spoilt, "one@example.com")
    compared = restore(run, "compare")
    told = [line.text for line in preview.lines(compared.result["difference"])]
    signed_up(spoilt, "two@example.com")

    operation = restore(run, "live")

    assert compared.result["difference"]["public.users"]["along"] == {"public.user_onboarding": 1}
    assert any("public.user_onboarding is not restored, but 1 of its rows are deleted" in text for text in told)
    assert (operation.status, maintenance) == ("failed", [])
    assert "more of them would go along than people approved: public.user_onboarding: 2 rows" in operation.error


def test_the_writing_session_looks_again_for_rows_that_would_go_along(run: Run, restore, spoilt) -> None:
    signed_up(spoilt, "late@example.com")
    manifest = load(open_store(run.store_url), run.pk, None)

    with pytest.raises(ProviderError, match=r"public\.user_onboarding: 1 rows"):
        in_place.apply(manifest, open_store(run.store_url), (), spoilt["admin"])
    assert rows(spoilt["admin"], "SELECT count(*) FROM users WHERE email = 'late@example.com'") == [(1,)]


def test_a_role_that_may_not_write_is_told_before_anybody_is_sent_away(
    run: Run, restore, spoilt, maintenance, monkeypatch
) -> None:
    restore(run, "compare")
    monkeypatch.setenv("SAMPELIT_PRODUCTION_RESTORE_DSN", spoilt["export"])

    operation = restore(run, "live")

    assert (operation.status, maintenance) == ("failed", [])
    assert "public.users. GRANT sampelit_owner TO sampelit_export" in operation.error


def test_onto_live_tables_needs_a_comparison_first(run: Run, restore, maintenance) -> None:
    with pytest.raises(Refused, match="Nobody has compared this run"):
        restore(run, "live")


def test_onto_live_tables_needs_maintenance_mode(run: Run, restore, monkeypatch) -> None:
    monkeypatch.setattr(kinds.registry, "factories", {})

    with pytest.raises(Refused, match="no installed part provides the step maintenance_on"):
        restore(run, "live")


def test_a_failing_restore_leaves_the_live_tables_as_they_were(run, restore, spoilt, maintenance) -> None:
    spoil(spoilt)
    restore(run, "compare")
    with psycopg.connect(spoilt["admin"]) as connection:
        connection.execute("ALTER TABLE algorithm_audit_trail ADD CONSTRAINT veto CHECK (false) NOT VALID")

    operation = restore(run, "live")

    assert operation.status == "failed"
    assert "rolled back" in operation.error
    assert maintenance == ["on", "off"]
    assert rows(spoilt["admin"], "SELECT count(*) FROM users WHERE email = 'new@example.com'") == [(1,)]
    assert Restore.objects.get(operation=operation).status == "failed"


def test_votes_bind_the_difference_that_was_seen(run: Run, restore, spoilt, maintenance) -> None:
    spoil(spoilt)
    restore(run, "compare")
    kind = kinds.get("backups.restore")
    values = {"run": run.pk, "target": "live"}
    seen = kind.content(run.policy.environment, values)
    Restore.objects.filter(pk=comparison(run, "").pk).update(report={"public.users": {"added": 1}})

    assert kind.content(run.policy.environment, values) != seen
    assert kind.assess(run.policy.environment, values) == "destructive"


@pytest.mark.parametrize(
    "target", ["", "nowhere", "database:secret", "database:postgresql://a:b@c/d", "schema:Bad Name"]
)
def test_a_bad_target_is_refused(run: Run, restore, target: str) -> None:
    with pytest.raises(Refused, match="Nothing was requested"):
        restore(run, target)


def test_drain_waits_for_writers_and_names_them(sampelit_copy) -> None:
    stop = threading.Event()

    def write() -> None:
        with psycopg.connect(sampelit_copy["admin"], autocommit=True, application_name="the-writer") as connection:
            with connection.transaction():
                connection.execute("UPDATE users SET updated_at = now()")
                stop.wait(20)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with postgres.connect(sampelit_copy["export"]) as connection:
            with pytest.raises(ProviderError, match="did not stop within") as caught:
                postgres.drain(connection, ["public.users"], quiet_seconds=0.6, deadline_seconds=1.5)
            assert "the-writer" in caught.value.message
            stop.set()
            writer.join()
            postgres.drain(connection, ["public.users"], quiet_seconds=0.6, deadline_seconds=20)
    finally:
        stop.set()
        writer.join()


def test_verifying_again_turns_a_damaged_run_red(run: Run, production) -> None:  # noqa: F811
    from providers.storage.factory import open_store

    store = open_store(run.store_url)
    store.delete(run.segments.first().key)
    user = User.objects.create_user("audrey", password="long enough password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="verify_run"))

    operation = request(
        "backups.verify", by=User.objects.get(pk=user.pk), environment=production, parameters={"run": run.pk}
    )
    run_operation(operation.pk, "test", POOLS, end_process=lambda: None)

    run.refresh_from_db()
    operation.refresh_from_db()
    assert (operation.status, run.status) == ("failed", "failed")
    assert "is missing from the store" in run.reason
