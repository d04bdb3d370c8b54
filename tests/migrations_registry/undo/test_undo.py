"""Undo as people ask for it: said beforehand, done once, in one transaction, out of the proven restore point."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User

from ledger.models import Entry
from migrations_registry.apply import failpoints
from migrations_registry.drift import detect as drift_detect
from migrations_registry.kinds.apply import ApplyMigration
from migrations_registry.kinds.undo import Undo
from migrations_registry.models import Application, RulePolicy
from migrations_registry.services.planning import review
from migrations_registry.services.undo_forecast import undo_forecast
from migrations_registry.undo.keep_choice import chosen
from operations.models import Environment, Operation
from providers.errors import Refused
from providers.postgres.migrate.cascade_reach import ReachedTable
from tests.migrations_registry.applying import Act, add_supabase, rows

pytestmark = pytest.mark.django_db(transaction=True)
LOSES = """ALTER TABLE leads DROP COLUMN message;
UPDATE leads SET email = 'x' || id || '@example.com';
DELETE FROM experiments WHERE id IN (SELECT id FROM experiments ORDER BY id LIMIT 1);"""


@pytest.fixture
def undoable(baselined: Environment, dsns: dict[str, str], backups: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_RESTORE_DSN", dsns["admin"])


def applied(act: Act, text: str) -> Operation:
    operation = act("migrations.apply", file=add_supabase(2, text).sha256)
    assert operation.status == "succeeded", operation.error
    return operation


def lines(environment: Environment, operation: Operation) -> str:
    return " ".join(line.text for line in Undo().consequences(environment, {"application": operation.pk}))


def test_what_a_migration_destroyed_comes_back_and_what_came_since_stays(
    undoable: None, baselined: Environment, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def late() -> None:
        with psycopg.connect(dsns["app"], autocommit=True) as app:
            app.execute("INSERT INTO leads (email, message) VALUES ('late@example.com', 'do not lose me')")

    monkeypatch.setitem(failpoints.armed, "restore_point.proven", late)
    old = dict(rows(dsns["admin"], "SELECT id, (email, message)::text FROM leads"))
    experiments = rows(dsns["admin"], "SELECT id FROM experiments ORDER BY id")
    operation = applied(act, LOSES)
    mine, *_ = old
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute("INSERT INTO leads (email) VALUES ('since@example.com')")
        admin.execute("UPDATE leads SET email = 'mine@example.com' WHERE id = %s", [mine])
    said = lines(baselined, operation)

    undone = act("migrations.undo", application=operation.pk)

    assert undone.status == "succeeded", undone.error
    now = dict(rows(dsns["admin"], "SELECT id, (email, message)::text FROM leads"))
    changed = now.pop(mine)
    assert changed.startswith("(mine@example.com,")
    assert {pk: now[pk] for pk in old if pk != mine} == {pk: row for pk, row in old.items() if pk != mine}
    assert sorted(row for pk, row in now.items() if pk not in old) == [
        '(late@example.com,"do not lose me")',
        "(since@example.com,)",
    ]
    assert rows(dsns["admin"], "SELECT id FROM experiments ORDER BY id") == experiments
    assert "public.leads gets back old values of" in said
    assert "and the column message" in said
    assert Application.objects.get().undone_by == undone.pk
    assert drift_detect.look(baselined) is None
    assert Entry.objects.filter(code="migrations_registry.undone").exists()
    with pytest.raises(Refused, match="was undone already"):
        Undo().clean(baselined, {"application": operation.pk})


def test_what_breaks_half_way_changes_nothing(
    undoable: None, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = applied(act, "ALTER TABLE leads DROP COLUMN message; DELETE FROM leads")

    def fail(*_: Any) -> None:
        raise psycopg.errors.DiskFull("could not extend file")

    monkeypatch.setattr("migrations_registry.undo.execute.bring_back_lost", fail)
    undone = act("migrations.undo", application=operation.pk)

    assert "rolled back; nothing was changed) stopped: could not extend file" in undone.error
    assert rows(dsns["admin"], "SELECT count(*) FROM leads") == [(0,)]
    assert (
        rows(dsns["admin"], "SELECT FROM pg_attribute WHERE attname = 'message' AND attrelid = 'leads'::regclass") == []
    )
    assert Application.objects.get().undone_by == ""


ALONE = """DROP INDEX CONCURRENTLY precious_note;
CREATE INDEX CONCURRENTLY precious_both ON precious (note, id);
DELETE FROM precious WHERE id > 40;
ALTER TYPE public.odd_state ADD VALUE 'gone';
ALTER TABLE parted DETACH PARTITION parted_a CONCURRENTLY"""
MORE = """CREATE INDEX precious_note ON precious (note);
CREATE TYPE odd_state AS ENUM ('new'); ALTER TYPE odd_state OWNER TO sampelit_migration;
CREATE TABLE parted (id integer) PARTITION BY RANGE (id); ALTER TABLE parted OWNER TO sampelit_migration;
CREATE TABLE parted_a PARTITION OF parted FOR VALUES FROM (1) TO (9);
ALTER TABLE parted_a OWNER TO sampelit_migration; INSERT INTO parted VALUES (1), (2)"""


def test_what_ran_outside_of_a_transaction_is_told_and_undone_too(
    precious: None, act: Act, dsns: dict[str, str], backups: None, request: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute(MORE.encode())
    production = request.getfixturevalue("baselined")
    monkeypatch.setenv("SAMPELIT_PRODUCTION_RESTORE_DSN", dsns["admin"])
    file = add_supabase(2, ALONE)
    foretold = undo_forecast(review(file, production))
    operation = act("migrations.apply", file=file.sha256)
    assert operation.status == "succeeded", operation.error
    said = lines(production, operation)

    undone = act("migrations.undo", application=operation.pk)

    assert undone.status == "succeeded", undone.error
    assert str(foretold) == "fully"
    assert "index public.precious_note" in said
    assert rows(dsns["admin"], "SELECT count(*) FROM precious") == [(50,)]
    assert rows(dsns["admin"], "SELECT count(*) FROM parted") == [(2,)]
    indexes = rows(dsns["admin"], "SELECT relname FROM pg_class WHERE relname LIKE 'precious_%' ORDER BY 1")
    assert [name for (name,) in indexes] == ["precious_both", "precious_note", "precious_pkey"]
    assert undone.result["notes"] == []


@pytest.mark.parametrize("keep", ["", "everything", "limit", "nothing"])
def test_how_much_is_kept_is_said_at_the_request_and_before_the_vote(
    keep: str, undoable: None, baselined: Environment, act: Act, dsns: dict[str, str], ana: User
) -> None:
    RulePolicy.objects.create(version=1, created_by="ana", keep_bytes=1)
    file = add_supabase(2, "DELETE FROM leads")
    asked = {"file": file.sha256, **({"keep": keep} if keep else {})}
    if not keep:
        with pytest.raises(Refused, match=r"keep=limit, which leaves out public\.leads"):
            act("migrations.apply", **asked)
        return
    shown = " ".join(line.text for line in ApplyMigration().consequences(baselined, asked))
    (before,) = rows(dsns["admin"], "SELECT count(*) FROM leads")

    operation = act("migrations.apply", **asked)

    assert operation.status == "succeeded", operation.error
    kept = keep == "everything"
    assert ("restore_point" in operation.result) is kept
    assert operation.parameters["keep"] == {"limit": "all but public.leads"}.get(keep, keep)
    told = " ".join(line.text for line in ApplyMigration().consequences(baselined, operation.parameters))
    assert ("migrations.undo: fully" in told) is kept
    assert (keep != "nothing") or "migrations.undo: no: nothing is kept before, as was chosen" in shown
    assert (keep != "limit") or "migrations.undo: no: public.leads is not kept before, as was chosen" in told
    assert ("What was in public.leads: it was not kept" in lines(baselined, operation)) is not kept

    undone = act("migrations.undo", application=operation.pk)

    assert undone.status == "succeeded", undone.error
    assert rows(dsns["admin"], "SELECT count(*) FROM leads") == [before if kept else (0,)]


def test_a_path_is_asked_how_much_is_kept_and_each_act_keeps_that(
    undoable: None, baselined: Environment, act: Act, dsns: dict[str, str]
) -> None:
    RulePolicy.objects.create(version=1, created_by="ana", keep_bytes=1)
    add_supabase(2, "ALTER TABLE leads ADD COLUMN extra integer")
    file = add_supabase(3, "DELETE FROM leads")
    (before,) = rows(dsns["admin"], "SELECT count(*) FROM leads")
    with pytest.raises(Refused, match=r"keep=limit, which leaves out public\.leads"):
        act("migrations.path", file=file.sha256)

    operation = act("migrations.path", file=file.sha256, keep="everything")
    undone = act("migrations.undo", application=Application.objects.get(file=file).operation)

    assert operation.status == "succeeded", operation.error
    assert [one["parameters"]["keep"] for one in operation.parameters["acts"]] == ["everything", "everything"]
    assert undone.status == "succeeded", undone.error
    assert rows(dsns["admin"], "SELECT count(*) FROM leads") == [before]


@pytest.mark.parametrize(
    ("asked", "limit", "stored"),
    [
        ("", 0, ""),
        ("", 100, ""),
        ("everything", 1, "everything"),
        ("limit", 100, "everything"),
        ("limit", 40, "all but public.c"),
        ("limit", 35, "all but public.b, public.c"),
        ("all but public.x", 40, "all but public.c"),
        ("nothing", 1, "nothing"),
    ],
)
def test_the_smallest_tables_are_kept_first(asked: str, limit: int, stored: str) -> None:
    sizes = {"c": 50, "a": 10, "b": 30}
    tables = [ReachedTable(size, "public", name, size, True) for name, size in sizes.items()]

    assert chosen(asked, tables, limit) == stored


@pytest.mark.parametrize(("asked", "limit"), [("", 80), ("some", 0)])
def test_what_is_kept_has_to_be_said_and_known(asked: str, limit: int) -> None:
    with pytest.raises(Refused, match="Nothing was requested"):
        chosen(asked, [ReachedTable(1, "public", "a", 90, True)], limit)


def test_what_was_not_written_down_is_not_undone(undoable: None, act: Act, baselined: Environment) -> None:
    operation = applied(act, "DELETE FROM leads")
    row = Application.objects.get(operation=operation.pk)
    row.steps[0]["effects"]["all"] = False
    row.save()

    with pytest.raises(Refused, match="was not written down in full"):
        Undo().clean(baselined, {"application": operation.pk})
    with pytest.raises(Refused, match="No migration was applied to production by operation 'none'"):
        Undo().clean(baselined, {"application": "none"})
