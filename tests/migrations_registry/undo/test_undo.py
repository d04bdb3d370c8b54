"""Undo as people ask for it: said beforehand, done once, in one transaction, out of the proven restore point."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from ledger.models import Entry
from migrations_registry.apply import failpoints
from migrations_registry.drift import detect as drift_detect
from migrations_registry.kinds.undo import Undo
from migrations_registry.models import Application
from operations.models import Environment, Operation
from providers.errors import Refused
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
    assert "and the columns message" in said
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


def test_what_was_not_written_down_is_not_undone(undoable: None, act: Act, baselined: Environment) -> None:
    operation = applied(act, "CREATE INDEX CONCURRENTLY leads_email ON leads (email)")

    with pytest.raises(Refused, match="was not written down in full"):
        Undo().clean(baselined, {"application": operation.pk})
    with pytest.raises(Refused, match="No migration was applied to production by operation 'none'"):
        Undo().clean(baselined, {"application": "none"})
