"""A migration runs on a restored copy before anybody votes: what it locks, rewrites and does there is written down."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from backups.models import Policy
from migrations_registry.analysis.state import State
from migrations_registry.models import Application, MigrationFile, Rehearsal, RulePolicy
from migrations_registry.services.rehearsal_lines import lines_of
from operations.engine import kinds
from operations.models import Environment, Operation
from tests.migrations_registry.applying import Act, add_supabase, rows

pytestmark = pytest.mark.django_db(transaction=True)
DRILLS = "SELECT datname FROM pg_database WHERE datname LIKE 'drill%'"


@pytest.fixture
def proven(baselined: Environment, act: Act, backups: None) -> Environment:
    """Production has a proven run of two tables."""
    Policy.objects.create(environment=baselined, name="some", tables=["public.leads", "public.users"], closure=False)
    operation = act("backups.export", policy="some")
    assert operation.status == "succeeded", operation.error
    return baselined


def rehearsed(act: Act, file: MigrationFile) -> tuple[Operation, Rehearsal]:
    operation = act("migrations.rehearse", file=file.sha256)
    assert operation.status == "succeeded", operation.error
    return operation, Rehearsal.objects.get(operation=operation.pk)


def test_it_is_seen_what_the_file_does_and_production_stays(
    proven: Environment, act: Act, dsns: dict[str, str]
) -> None:
    text = "ALTER TABLE leads ALTER COLUMN id TYPE text USING id::text;\nDELETE FROM leads WHERE email IS NOT NULL;"
    alone = "\nCREATE INDEX CONCURRENTLY leads_email ON leads (email);"
    ((count,),), drills = rows(dsns["admin"], "SELECT count(*) FROM leads"), rows(dsns["admin"], DRILLS)

    operation, seen = rehearsed(act, add_supabase(2, text + alone))

    assert (seen.status, seen.schema_only) == ("passed", False), seen.error
    rewrite, delete, index = seen.report["statements"]
    assert (rewrite["lock"], rewrite["rewritten"]) == ("ACCESS EXCLUSIVE", ["public.leads"])
    assert (delete["rows"], index["lock"]) == (count, "SHARE UPDATE EXCLUSIVE")
    assert f"deleted {count} rows of public.leads" in [effect["said"] for effect in seen.report["effects"]["0,1"]]
    assert operation.result["rehearsal"] == "passed"
    assert rows(dsns["admin"], "SELECT count(*) FROM leads") == [(count,)]
    assert rows(dsns["admin"], DRILLS) == drills


def test_a_file_that_fails_there_is_known_to_fail(proven: Environment, act: Act, dsns: dict[str, str]) -> None:
    fails = add_supabase(2, "ALTER TABLE leads ADD COLUMN n integer;\nUPDATE leads SET n = 1 / 0;")
    later = add_supabase(3, "CREATE TABLE fresh (id integer)")
    drills = rows(dsns["admin"], DRILLS)

    operation, seen = rehearsed(act, fails)
    _, after_it = rehearsed(act, later)

    assert (seen.status, operation.result["rehearsal"]) == ("failed", "failed")
    assert "division by zero" in seen.error
    assert [line["line"] for line in seen.report["statements"]] == [1]
    assert (after_it.status, after_it.report["statements"]) == ("failed", [])
    assert after_it.error.startswith("20260102000000_change_2.sql, which comes before it: ")
    assert rows(dsns["admin"], DRILLS) == drills


def test_files_before_it_run_first_and_what_they_do_to_each_other_is_told(proven: Environment, act: Act) -> None:
    applied = add_supabase(2, "CREATE TABLE fresh (id integer)")
    assert act("migrations.apply", file=applied.sha256).status == "succeeded"
    add_supabase(3, "ALTER TABLE leads ADD COLUMN extra text; ALTER TABLE leads DROP COLUMN message")
    last = add_supabase(4, "ALTER TABLE leads ALTER COLUMN extra SET DEFAULT 'message'; DROP TABLE fresh")

    _, seen = rehearsed(act, last)

    assert seen.status == "passed", seen.error
    assert [name[-12:] for name in seen.report["before"]] == ["change_2.sql", "change_3.sql"]
    said = " ".join(seen.report["hazards"])
    assert "change_3.sql and 20260104000000_change_4.sql both keep others away from public.leads" in said
    assert "change_4.sql names leads.message, which 20260103000000_change_3.sql drops" in said


def test_too_many_rows_leave_the_schema(proven: Environment, act: Act, settings: Any) -> None:
    settings.OPS_REHEARSAL_MOST_BYTES = 10

    _, seen = rehearsed(act, add_supabase(2, "ALTER TABLE leads ALTER COLUMN id TYPE text USING id::text"))

    assert (seen.status, seen.schema_only) == ("passed", True), seen.error
    assert seen.report["statements"][0]["rewritten"] == ["public.leads"]
    assert seen.report["statements"][0]["forecast_seconds"] is not None
    said = lines_of(seen)[0][0]
    assert "Nobody could read or write public.leads for " in said
    assert said.endswith(", by the sizes of today, as the copy holds no rows.")


def test_what_nobody_can_follow_is_declared_once_people_saw_it_measured(proven: Environment, act: Act) -> None:
    text = "DO $$ BEGIN EXECUTE (SELECT 'update leads set message = message' FROM leads LIMIT 1); END $$"
    file = add_supabase(2, text)
    unseen = act("migrations.apply", file=file.sha256)
    _, seen = rehearsed(act, file)

    Rehearsal.objects.update(ended_at=seen.ended_at + timedelta(hours=1))
    too_late = act("migrations.apply", file=file.sha256)
    Rehearsal.objects.update(ended_at=seen.ended_at)
    known = act("migrations.apply", file=file.sha256)

    assert ["updated" in effect["said"] for found in seen.report["undeclared"].values() for effect in found] == [True]
    assert "did more than was approved" in unseen.error
    assert "did more than was approved" in too_late.error
    assert known.status == "succeeded", known.error


def test_a_loss_that_only_the_copy_shows_needs_the_votes_of_a_loss(
    proven: Environment, act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An analysis that takes everything for new; another file beside it stays what it is."""
    monkeypatch.setattr(State, "is_new", lambda state, name: True)
    Environment.objects.filter(pk=proven.pk).update(votes_destructive=2)
    file, other = add_supabase(2, "CREATE TEMP TABLE leads (id integer); DROP TABLE public.leads"), add_supabase(3, "")
    before = kinds.get("migrations.apply").assess(proven, {"file": file.sha256})

    _, seen = rehearsed(act, file)
    asked = act("migrations.apply", file=file.sha256)

    assert (before, seen.status) == ("routine", "passed"), seen.error
    assert (asked.risk, asked.status, asked.approvals_required) == ("destructive", "awaiting_approval", 2)
    losses = dict(MigrationFile.objects.values_list("pk", "measured_losses"))
    assert any("public.leads" in loss for loss in losses[file.pk]), losses
    assert not losses[other.pk]


def test_a_lone_rewrite_of_more_than_was_voted_on_runs_on_the_copy_and_counts_for_the_votes(
    precious: None, baselined: Environment, backups: None, act: Act, dsns: dict[str, str]
) -> None:
    """The copy is older than the target, and holds more."""
    RulePolicy.objects.create(version=1, rows=20, created_by="ana")
    Policy.objects.create(environment=baselined, name="all", tables=["public.precious"], closure=False)
    assert act("backups.export", policy="all").status == "succeeded"
    rows(dsns["admin"], "DELETE FROM precious WHERE id > 5 RETURNING id")
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute("VACUUM ANALYZE precious")
    file, kind = add_supabase(2, "VACUUM (FULL) precious;\nCOMMENT ON TABLE precious IS 'x';"), "migrations.apply"
    before = kinds.get(kind).assess(baselined, {"file": file.sha256})

    _, seen = rehearsed(act, file)

    assert (seen.status, seen.error) == ("passed", "")
    assert [line["rewritten"] for line in seen.report["statements"]] == [["public.precious"], []]
    assert "rewrote public.precious" in [effect["said"] for effect in seen.report["effects"]["0"]]
    assert (before, kinds.get(kind).assess(baselined, {"file": file.sha256})) == ("sensitive", "destructive")


def test_a_failure_after_the_last_vote_ends_the_application(proven: Environment, act: Act) -> None:
    file = add_supabase(2, "SELECT 1 / 0")
    rehearsed(act, file)
    unprotected = act("migrations.apply", file=file.sha256)
    Environment.objects.update(protected=True, votes_destructive=0, votes_sensitive=0)

    refused = act("migrations.apply", file=file.sha256)

    assert "of which nothing was kept, stopped: division by zero" in unprotected.error
    assert "Its rehearsal failed at" in refused.error
    assert refused.error.endswith("Nothing was changed.")


KINDS = [
    "DROP TABLE leads",
    "ALTER TABLE leads DROP COLUMN message; ALTER TABLE leads ADD COLUMN note text DEFAULT 'x' NOT NULL",
    "TRUNCATE leads",
    "CREATE INDEX ON leads (email); CREATE TABLE fresh (id integer); INSERT INTO fresh VALUES (1)",
    "UPDATE leads SET message = 'x'; CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "ALTER TABLE leads ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON leads USING (true); GRANT SELECT ON leads TO anon",
    "ALTER TABLE users ADD CONSTRAINT named CHECK (email <> ''); ALTER TABLE users ALTER full_name SET DEFAULT 'x'",
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("text", KINDS)
def test_its_effects_are_those_of_the_application(text: str, proven: Environment, act: Act) -> None:
    file = add_supabase(2, text)
    _, seen = rehearsed(act, file)

    applied = act("migrations.apply", file=file.sha256)

    assert applied.status == "succeeded", applied.error
    (effects,) = seen.report["effects"].values()
    assert [effect["said"] for effect in effects] == Application.objects.get().steps[0]["effects"]["did"]
