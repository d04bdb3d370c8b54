"""Restores as operations: scratch, schema, database, a comparison, and live tables with maintenance and drain."""

from __future__ import annotations

import threading

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
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.storage.factory import open_store
from tests import portal_database
from tests.backups.conftest import RESTORING
from tests.backups.restoring import rows, signed_up, spoil

pytestmark = pytest.mark.django_db(transaction=True)


def test_into_scratch_makes_a_new_database(earlier_run: Run, restore_operation, spoilt) -> None:
    operation = restore_operation(earlier_run, "scratch")

    assert (operation.status, operation.error) == ("succeeded", "")
    scratch = psycopg.conninfo.make_conninfo(spoilt["admin"], dbname=operation.result["database"])
    assert rows(scratch, "SELECT count(*) FROM algorithm_audit_trail") == [(600,)]
    assert Restore.objects.get(operation=operation).status == "succeeded"
    portal_database.server.drop_database(operation.result["database"])


def test_into_a_new_schema_beside_the_live_tables(earlier_run: Run, restore_operation, spoilt) -> None:
    operation = restore_operation(earlier_run, "schema:came_back")

    assert (operation.status, operation.error) == ("succeeded", "")
    query = "SELECT count(*) FROM {}.algorithm_audit_trail"
    assert rows(spoilt["admin"], query.format("came_back")) == rows(spoilt["admin"], query.format("public"))
    assert restore_operation(earlier_run, "schema:came_back").status == "failed"


def test_into_an_empty_database_only_one_chain(
    earlier_run: Run, restore_operation, spoilt, empty_database, monkeypatch
) -> None:
    monkeypatch.setenv("OPS_RESTORE_MINE_DSN", empty_database)
    [(chain,)] = rows(spoilt["admin"], "SELECT min(experiment_id::text) FROM algorithm_audit_trail")

    unknown = restore_operation(earlier_run, "database:OPS_RESTORE_MINE_DSN", chain="not-an-experiment")
    operation = restore_operation(earlier_run, "database:OPS_RESTORE_MINE_DSN", chain=chain)

    assert "holds no chain of experiment not-an-experiment (4 others). Nothing was written" in unknown.error
    assert (operation.status, operation.error) == ("succeeded", "")
    [(kept,)] = rows(empty_database, "SELECT count(*) FROM algorithm_audit_trail")
    assert operation.result["rows"] == earlier_run.rows - 600 + kept
    assert rows(empty_database, "SELECT DISTINCT experiment_id::text FROM algorithm_audit_trail") == [(chain,)]


def test_a_comparison_counts_what_would_change_and_writes_nothing(earlier_run: Run, restore_operation, spoilt) -> None:
    spoil(spoilt)
    before = rows(spoilt["admin"], "SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM algorithm_audit_trail t")

    operation = restore_operation(earlier_run, "compare")

    difference = operation.result["difference"]
    assert difference["public.algorithm_audit_trail"] == {"added": 4, "changed": 3, "missing": 0}
    assert difference["public.users"]["missing"] == 1
    assert before == rows(
        spoilt["admin"], "SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM algorithm_audit_trail t"
    )


def test_onto_live_tables_makes_them_equal_and_keeps_the_present(
    earlier_run: Run, restore_operation, spoilt, maintenance
) -> None:
    spoil(spoilt)
    signed_up(spoilt, "one@example.com")
    with psycopg.connect(spoilt["admin"]) as connection:
        connection.execute("ALTER TABLE users ENABLE ALWAYS TRIGGER users_updated")
    triggers = "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
    before = rows(spoilt["admin"], triggers)
    restore_operation(earlier_run, "compare")

    operation = restore_operation(earlier_run, "live")

    assert (operation.status, operation.error) == ("succeeded", "")
    assert maintenance == ["on", "off"]
    assert (
        restore_operation(earlier_run, "compare").result["difference"]["public.algorithm_audit_trail"]["changed"] == 0
    )
    assert rows(spoilt["admin"], "SELECT count(*) FROM users WHERE email = 'new@example.com'") == [(0,)]
    present = Run.objects.get(pk=operation.result["present"])
    assert present.status == "suspect"  # a faithful copy of what was broken
    assert "the last proven run held" in present.reason
    assert present.rows == earlier_run.rows - 4 + 2
    assert rows(spoilt["admin"], triggers) == before
    assert rows(spoilt["admin"], "SELECT count(*) FROM user_onboarding WHERE current_step = 'welcome'") == [(0,)]


def test_only_live_tables_need_the_steps_that_send_people_away(earlier_run: Run, restore_operation, spoilt) -> None:
    operation = restore_operation(earlier_run, "compare")

    skipped = set(operation.steps.filter(status="skipped").values_list("name", flat=True))
    assert skipped == {"maintenance_on", "drain", "present_copy", "present_prove", "maintenance_off"}


def test_rows_of_other_tables_that_go_along_are_told_and_no_more_than_that_go(
    earlier_run: Run, restore_operation, spoilt, maintenance
) -> None:
    signed_up(spoilt, "one@example.com")
    compared = restore_operation(earlier_run, "compare")
    told = [line.text for line in preview.lines(compared.result["difference"])]
    signed_up(spoilt, "two@example.com")

    operation = restore_operation(earlier_run, "live")

    assert compared.result["difference"]["public.users"]["along"] == {"public.user_onboarding": 1}
    assert any("public.user_onboarding is not restored, but 1 of its rows are deleted" in text for text in told)
    assert (operation.status, maintenance) == ("failed", [])
    assert "more of them would go along than people approved: public.user_onboarding: 2 rows" in operation.error


def test_the_writing_session_looks_again_for_rows_that_would_go_along(
    earlier_run: Run, restore_operation, spoilt
) -> None:
    signed_up(spoilt, "late@example.com")
    manifest = load(open_store(earlier_run.store_url), earlier_run.pk, None)

    with pytest.raises(ProviderError, match=r"public\.user_onboarding: 1 rows"):
        in_place.apply(manifest, open_store(earlier_run.store_url), (), spoilt["admin"])
    assert rows(spoilt["admin"], "SELECT count(*) FROM users WHERE email = 'late@example.com'") == [(1,)]


def test_a_role_that_may_not_write_is_told_before_anybody_is_sent_away(
    earlier_run: Run, restore_operation, spoilt, maintenance, monkeypatch
) -> None:
    restore_operation(earlier_run, "compare")
    monkeypatch.setenv("SAMPELIT_PRODUCTION_RESTORE_DSN", spoilt["export"])

    operation = restore_operation(earlier_run, "live")

    assert (operation.status, maintenance) == ("failed", [])
    assert "public.users. GRANT sampelit_owner TO sampelit_export" in operation.error


def test_onto_live_tables_needs_a_comparison_first(earlier_run: Run, restore_operation, maintenance) -> None:
    with pytest.raises(Refused, match="Nobody has compared this run"):
        restore_operation(earlier_run, "live")


def test_onto_live_tables_needs_maintenance_mode(earlier_run: Run, restore_operation, monkeypatch) -> None:
    monkeypatch.setattr(kinds.registry, "factories", {})

    with pytest.raises(Refused, match="no installed part provides the step maintenance_on"):
        restore_operation(earlier_run, "live")


def test_a_failing_restore_leaves_the_live_tables_as_they_were(
    earlier_run, restore_operation, spoilt, maintenance
) -> None:
    spoil(spoilt)
    restore_operation(earlier_run, "compare")
    with psycopg.connect(spoilt["admin"]) as connection:
        connection.execute("ALTER TABLE algorithm_audit_trail ADD CONSTRAINT veto CHECK (false) NOT VALID")

    operation = restore_operation(earlier_run, "live")

    assert operation.status == "failed"
    assert "rolled back" in operation.error
    assert maintenance == ["on", "off"]
    assert rows(spoilt["admin"], "SELECT count(*) FROM users WHERE email = 'new@example.com'") == [(1,)]
    assert Restore.objects.get(operation=operation).status == "failed"


def test_votes_bind_the_difference_that_was_seen(earlier_run: Run, restore_operation, spoilt, maintenance) -> None:
    spoil(spoilt)
    restore_operation(earlier_run, "compare")
    kind = kinds.get("backups.restore")
    values = {"run": earlier_run.pk, "target": "live"}
    seen = kind.content(earlier_run.policy.environment, values)
    Restore.objects.filter(pk=comparison(earlier_run, "").pk).update(report={"public.users": {"added": 1}})

    assert kind.content(earlier_run.policy.environment, values) != seen
    assert kind.assess(earlier_run.policy.environment, values) == "destructive"


@pytest.mark.parametrize(
    "target", ["", "nowhere", "database:secret", "database:postgresql://a:b@c/d", "schema:Bad Name"]
)
def test_a_bad_target_is_refused(earlier_run: Run, restore_operation, target: str) -> None:
    with pytest.raises(Refused, match="Nothing was requested"):
        restore_operation(earlier_run, target)


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


def test_verifying_again_turns_a_damaged_run_red(earlier_run: Run, production) -> None:
    from providers.storage.factory import open_store

    store = open_store(earlier_run.store_url)
    store.delete(earlier_run.segments.first().key)
    user = User.objects.create_user("audrey", password="long enough password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="verify_run"))

    operation = request(
        "backups.verify", by=User.objects.get(pk=user.pk), environment=production, parameters={"run": earlier_run.pk}
    )
    run_operation(operation.pk, "test", RESTORING, end_process=lambda: None)

    earlier_run.refresh_from_db()
    operation.refresh_from_db()
    assert (operation.status, earlier_run.status) == ("failed", "failed")
    assert "is missing from the store" in earlier_run.reason
