"""The portal's own repair: only rows of the history change, and a mark that the catalogue denies is destructive."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User

from ledger.models import Entry
from migrations_registry.history import marking, readings
from migrations_registry.history import states as history_states
from migrations_registry.models import HistoryReading, StreamBaseline
from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import discover
from operations.engine import kinds
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import Environment, Operation
from providers import postgres
from providers.errors import Refused
from providers.postgres.migrate.history import HistoryRow, ensure_history, write_history
from tests.factories import person

pytestmark = pytest.mark.django_db
KIND = kinds.get("migrations.mark")
THERE, ABSENT = "20260101000000", "20260102000000"
STRANGE = "20250101000000"


@pytest.fixture
def unrecorded_production(sampelit_copy: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Two registered files, one of them seen in the catalogue, neither recorded; one row that nobody explains."""
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", sampelit_copy["migration"])
    files = [
        (f"supabase/migrations/{THERE}_there.sql", b"CREATE TABLE users (id uuid)"),
        (f"supabase/migrations/{ABSENT}_absent.sql", b"CREATE TABLE never (id int)"),
    ]
    register_files(discover(files)[0], source="tests", by="ana")
    with postgres.connect(sampelit_copy["migration"], read_only=False) as target:
        ensure_history(target)
        write_history(target, HistoryRow(STRANGE, "elsewhere"))
    environment = Environment.objects.create(slug="production", name="Production", kind="production")
    Environment.objects.update(votes_sensitive=0, votes_destructive=0)
    StreamBaseline.objects.create(environment=environment, stream="supabase", made_by="ana")
    environment.refresh_from_db()
    return environment


def mark(environment: Environment, versions: str, state: str) -> Operation:
    by = User.objects.filter(username="ana").first() or person("ana")
    parameters = {"versions": versions, "state": state}
    operation = request("migrations.mark", by=by, environment=environment, parameters=parameters, reason="test")
    run_operation(operation.pk, "test", frozenset({"export"}), end_process=lambda: None)
    operation.refresh_from_db()
    return operation


def versions(environment: Environment) -> list[str]:
    return [row.version for row in history_states.rows_of(environment)]


@pytest.mark.django_db(transaction=True)
def test_marks_are_rows_and_nothing_else(unrecorded_production: Environment, sampelit_copy: dict[str, str]) -> None:
    """One walk: marked as applied, a strange row taken back, then neither can be asked for again."""
    operation = mark(unrecorded_production, THERE, "applied")
    assert (operation.status, operation.risk, operation.error) == ("succeeded", "sensitive", "")
    assert versions(unrecorded_production) == [STRANGE, THERE]
    states = HistoryReading.objects.get().states.values()
    assert [state["state"] for state in states] == ["applied", "pending"]
    assert Entry.objects.filter(code="migrations_registry.history.marked").count() == 1
    with psycopg.connect(sampelit_copy["admin"]) as admin:
        assert admin.execute("SELECT to_regclass('never')").fetchone() == (None,)

    operation = mark(unrecorded_production, STRANGE, "reverted")
    assert (operation.status, operation.risk) == ("succeeded", "sensitive")
    assert versions(unrecorded_production) == [THERE]
    HistoryReading.objects.update(unknown=[{}], tried_at=operation.started_at)
    readings.refresh_changed()  # what an operation did is on the page without waiting for the next round
    first = HistoryReading.objects.get()
    readings.refresh_changed()
    assert (first.unknown, HistoryReading.objects.get().tried_at) == ([], first.tried_at)
    with pytest.raises(Refused, match="recorded as applied"):
        mark(unrecorded_production, THERE, "applied")
    assert KIND.assess(unrecorded_production, {"versions": [THERE], "state": "reverted"}) == "destructive"


@pytest.mark.django_db(transaction=True)
def test_a_revision_registered_meanwhile_is_not_what_was_agreed_to(
    unrecorded_production: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = marking.propose

    def meanwhile(*given: Any, **more: Any) -> list[marking.Mark]:
        if more.get("again"):
            newer = [(f"supabase/migrations/{THERE}_there.sql", b"CREATE TABLE users (id uuid, more text)")]
            register_files(discover(newer)[0], source="tests", by="ana")
        return whole(*given, **more)

    monkeypatch.setattr(marking, "propose", meanwhile)
    operation = mark(unrecorded_production, THERE, "applied")

    assert operation.status == "failed"
    assert f"{THERE} got a newer revision while this was running" in operation.error
    assert versions(unrecorded_production) == [STRANGE]


def test_what_the_catalogue_denies_is_destructive_and_says_why(unrecorded_production: Environment) -> None:
    wrong = {"versions": [ABSENT], "state": "applied"}
    assert KIND.assess(unrecorded_production, wrong) == "destructive"
    lines = KIND.consequences(unrecorded_production, wrong)
    assert [(line.tone, "not applied" in line.text) for line in lines] == [("ok", False), ("bad", True)]


def test_bad_input_is_refused_and_nothing_is_written(unrecorded_production: Environment) -> None:
    for given, state, why in (
        ("1;2", "applied", "numbers, by comma"),
        (", ,", "applied", "numbers, by comma"),
        ("20990101000000", "applied", "No registered file has the version"),
        ("20990101000000", "reverted", "is not in the history"),
        (THERE, "maybe", "applied or reverted"),
    ):
        with pytest.raises(Refused, match=why):
            KIND.clean(unrecorded_production, {"versions": given, "state": state})
    StreamBaseline.objects.all().delete()
    with pytest.raises(Refused, match="not baselined"):
        KIND.clean(unrecorded_production, {"versions": THERE, "state": "applied"})
    assert versions(unrecorded_production) == [STRANGE]
