"""An applied file did what was approved and nothing more; what does more is rolled back, told, and leaves no trace."""

from __future__ import annotations

import psycopg
import pytest
from django.contrib.auth.models import User
from django.test import Client

from ledger.models import Entry
from ledger.registry import sentence_for
from migrations_registry.analysis import dispatch
from migrations_registry.analysis.calls.run import runs
from migrations_registry.analysis.state import State
from migrations_registry.drift import detect as drift_detect
from migrations_registry.kinds.apply import ApplyMigration
from migrations_registry.models import Application
from migrations_registry.services import planning
from operations.models import Environment, Notification
from providers.errors import Refused
from tests.migrations_registry.applying import Act, add_supabase, history, rows
from tests.stepping import accept_drift

pytestmark = pytest.mark.django_db(transaction=True)

ASSIGNMENTS = "SELECT count(*) FROM assignments"
# The file by which one person, without a vote, emptied the table of assignments.
HIDDEN = """
CREATE TABLE IF NOT EXISTS r (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz);
ALTER TABLE r ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN DELETE FROM assignments; RETURN NEW; END$$;
CREATE TRIGGER f AFTER INSERT ON r FOR EACH ROW EXECUTE FUNCTION f();
INSERT INTO r DEFAULT VALUES;
"""


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The analysis follows no call and nothing that is attached, as if it had never been taught to."""
    monkeypatch.setattr(dispatch, "AFTER", [handler for handler in dispatch.AFTER if handler is not runs])
    monkeypatch.setattr(planning, "_newest", None)  # the same file, judged with open eyes


def test_a_hidden_deletion_is_asked_about(baselined: Environment, act: Act) -> None:
    baselined.votes_destructive = 2
    baselined.save()
    operation = act("migrations.apply", file=add_supabase(2, HIDDEN).sha256)
    assert (operation.risk, operation.status, operation.approvals_required) == ("destructive", "awaiting_approval", 2)


def test_a_hidden_deletion_is_rolled_back_and_told(
    blind: None, baselined: Environment, act: Act, dsns: dict[str, str]
) -> None:
    ((before,),) = rows(dsns["admin"], ASSIGNMENTS)
    operation = act("migrations.apply", file=add_supabase(2, HIDDEN).sha256)
    assert operation.status == "failed"
    assert f"It did more than was approved: deleted {before:,} rows of public.assignments." in operation.error
    assert "The transaction was rolled back, nothing was changed" in operation.error
    assert rows(dsns["admin"], ASSIGNMENTS) == [(before,)]
    assert rows(dsns["admin"], "SELECT to_regclass('r'), to_regproc('f')") == [(None, None)]
    assert len(history(dsns)) == 1
    assert drift_detect.look(baselined) is None


def test_it_is_in_the_ledger_and_alarms(blind: None, baselined: Environment, act: Act, dsns: dict[str, str]) -> None:
    operation = act("migrations.apply", file=add_supabase(2, HIDDEN).sha256)
    entry = Entry.objects.get(code="migrations_registry.more_than_approved")
    assert entry.payload["operation"] == operation.pk
    assert str(entry.payload["changes"]).startswith("['deleted ")
    assert "did more than was approved on production: deleted" in sentence_for(entry)
    message = Notification.objects.filter(dedupe_key__startswith=f"effects:{operation.pk}").first()
    assert message is not None
    assert "did more than was approved" in message.subject
    (step,) = Application.objects.get().steps
    assert (step["status"], step["effects"]["surplus"][0][:8]) == ("pending", "deleted ")
    assert Application.objects.get().status == "failed"


def test_what_was_approved_is_journaled(baselined: Environment, act: Act, dsns: dict[str, str]) -> None:
    file = add_supabase(2, "CREATE TABLE fresh (id integer); UPDATE users SET company = 'x'; ANALYZE users")
    operation = act("migrations.apply", file=file.sha256)
    assert operation.status == "succeeded", operation.error
    (step,) = Application.objects.get().steps
    ((count,),) = rows(dsns["admin"], "SELECT count(*) FROM users")
    assert step["effects"]["did"] == [
        f"updated {count:,} rows of public.users",
        "inserted 1 row into supabase_migrations.schema_migrations",
        "created table public.fresh",
    ]
    assert step["effects"]["seconds"] < 30


def test_a_trigger_of_the_history_itself_is_seen(
    blind: None, baselined: Environment, act: Act, dsns: dict[str, str]
) -> None:
    """The row that records the file is written last; what it sets off is measured too."""
    text = (
        "CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN DELETE FROM public.assignments;"
        " RETURN NEW; END$$; CREATE TRIGGER f AFTER INSERT ON supabase_migrations.schema_migrations FOR EACH ROW"
        " EXECUTE FUNCTION public.f()"
    )
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute("ALTER TABLE supabase_migrations.schema_migrations OWNER TO sampelit_migration")
    operation = act("migrations.apply", file=add_supabase(2, text).sha256)
    assert "It did more than was approved: deleted" in operation.error
    assert len(history(dsns)) == 1


def test_names_that_the_driver_prepares_are_not_trusted(baselined: Environment, act: Act, dsns: dict[str, str]) -> None:
    """COMMIT and the guard's questions never run as something that the file prepared under the driver's names."""
    impostors = "".join(f"PREPARE _pg3_{number} AS SELECT 1;" for number in range(60))
    text = f"DEALLOCATE ALL; {impostors} CREATE TABLE fresh (id integer)"
    operation = act("migrations.apply", file=add_supabase(2, text).sha256)
    assert operation.status == "succeeded", operation.error
    assert rows(dsns["admin"], "SELECT to_regclass('fresh')::text") == [("fresh",)]


def test_the_page_shows_what_was_done(
    baselined: Environment, act: Act, dsns: dict[str, str], ana: User, client: Client
) -> None:
    act("migrations.apply", file=add_supabase(2, "CREATE TABLE fresh (id integer)").sha256)
    client.force_login(ana)
    page = client.get(f"/admin/migrations_registry/application/{Application.objects.get().pk}/change/")
    assert "created table public.fresh" in page.content.decode()


def test_what_nobody_can_measure_is_refused(baselined: Environment, act: Act, dsns: dict[str, str]) -> None:
    with pytest.raises(Refused, match="takes another role"):
        act("migrations.apply", file=add_supabase(2, "SET ROLE sampelit_owner; DROP TABLE leads").sha256)


def test_an_opaque_call_needs_a_role_that_cannot_act_unseen(
    baselined: Environment, act: Act, dsns: dict[str, str], backups: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute(
            "CREATE FUNCTION public.anything() RETURNS int LANGUAGE plpgsql AS "
            "'BEGIN EXECUTE current_setting(''app.text''); RETURN 1; END'"
        )
        admin.execute("GRANT pg_execute_server_program TO sampelit_migration")
        operation_of = drift_detect.look(baselined)
        assert operation_of is not None
        accept_drift(operation_of, by="ana", reason="for the test")
        operation = act("migrations.apply", file=add_supabase(2, "SELECT anything()").sha256)
        admin.execute("REVOKE pg_execute_server_program FROM sampelit_migration")
    assert "its role could act unseen there: it may run programs on the server" in operation.error


SHADOW = "CREATE TEMP TABLE precious (id integer); DROP TABLE public.precious"


def test_a_loss_that_the_analysis_missed_is_rolled_back_and_then_asks_for_votes(
    precious: None, baselined: Environment, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An analysis that takes everything for new."""
    monkeypatch.setattr(State, "is_new", lambda state, name: True)
    baselined.votes_destructive = 2
    baselined.save()
    file = add_supabase(2, SHADOW)

    refused = act("migrations.apply", file=file.sha256)
    asked_again = act("migrations.apply", file=file.sha256)

    assert (refused.risk, refused.status) == ("routine", "failed")
    assert "destroyed what nobody was asked about: dropped table public.precious" in refused.error
    assert rows(dsns["admin"], "SELECT count(*) FROM public.precious") == [(50,)]
    assert (asked_again.risk, asked_again.status, asked_again.approvals_required) == (
        "destructive",
        "awaiting_approval",
        2,
    )


@pytest.mark.parametrize(
    "text",
    [
        "DROP TABLE public.precious",
        "TRUNCATE public.precious",
        "DELETE FROM public.precious WHERE id > 10",
        "ALTER TABLE public.precious DROP COLUMN note",
        "WITH gone AS (DELETE FROM public.precious RETURNING *) SELECT count(*) FROM gone",
        "DO $$BEGIN EXECUTE 'DROP TABLE ' || 'public.precious'; END$$",
        "MERGE INTO public.precious p USING (VALUES (1)) v(i) ON p.id = v.i WHEN MATCHED THEN DELETE",
        "ALTER TABLE public.precious RENAME TO gone; DROP TABLE public.gone",
    ],
)
def test_with_an_analysis_that_calls_everything_routine_nothing_is_lost(
    precious: None,
    baselined: Environment,
    act: Act,
    dsns: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    text: str,
) -> None:
    monkeypatch.setattr(ApplyMigration, "assess", lambda *_: "routine")

    operation = act("migrations.apply", file=add_supabase(2, text).sha256)

    assert operation.status == "failed"
    assert "nothing was changed" in operation.error
    assert rows(dsns["admin"], "SELECT count(*), count(note) FROM public.precious") == [(50, 50)]


def test_what_a_file_makes_it_may_destroy(baselined: Environment, act: Act, dsns: dict[str, str]) -> None:
    text = (
        "CREATE TABLE scratch AS SELECT id FROM users; ALTER TABLE scratch ADD COLUMN c text; "
        "ALTER TABLE scratch DROP COLUMN c; TRUNCATE scratch; DROP TABLE scratch"
    )

    operation = act("migrations.apply", file=add_supabase(2, text).sha256)

    assert operation.risk != "destructive"
    assert operation.status == "succeeded", operation.error
