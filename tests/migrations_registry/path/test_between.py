"""What happens between two acts of a path: the rest is not begun, or goes on where nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from migrations_registry.apply import failpoints
from migrations_registry.history import baseline
from migrations_registry.models import Application, MigrationFile, RulePolicy
from operations.engine.request import request
from operations.models import Environment, Operation
from providers.errors import ProviderError, Refused
from sandbox import database
from tests import portal_database
from tests.migrations_registry.applying import Act, add_supabase, finish, history, rows
from tests.people import holder
from tests.stepping import approve, revoke

pytestmark = pytest.mark.django_db(transaction=True)
SECOND, THIRD = "20260102000000_change_2.sql", "20260103000000_change_3.sql"
Between = Callable[[Callable[[], object]], Operation]


@pytest.fixture
def last(baselined: Environment) -> MigrationFile:
    add_supabase(2, "CREATE TABLE fresh (id integer)")
    return add_supabase(3, "UPDATE users SET email = 'x' WHERE false; CREATE TABLE other (id integer)")


@pytest.fixture
def between(act: Act, last: MigrationFile, monkeypatch: pytest.MonkeyPatch) -> Between:
    """The path of both files, with something that happens once the first is applied."""

    def run(happens: Callable[[], object]) -> Operation:
        happens_after_the_first(happens, monkeypatch)
        return act("migrations.path", file=last.sha256)

    return run


def happens_after_the_first(happens: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last step but one has ended."""

    def once() -> None:
        monkeypatch.delitem(failpoints.armed, "settle.begun")
        happens()

    monkeypatch.setitem(failpoints.armed, "settle.begun", once)


@pytest.fixture
def elsewhere(sampelit_template: str) -> Iterator[dict[str, str]]:
    name = f"sampelit_{uuid4().hex[:12]}"
    database.copy_of(portal_database.server, sampelit_template, name)
    yield database.dsns(portal_database.server, name)
    portal_database.server.drop_database(name)


def stopped_after_the_first(operation: Operation, why: str, dsns: dict[str, str]) -> None:
    assert operation.status == "failed"
    assert why in operation.error
    assert operation.error.endswith(f"Done before: {SECOND}. Not done: {THIRD}.")
    assert "requested" not in operation.error.partition(" Done before")[0].replace("request it again", "")
    assert rows(dsns["admin"], "SELECT to_regclass('fresh') IS NULL, to_regclass('other') IS NULL") == [(False, True)]
    assert history(dsns)[-1] == "20260102000000 change_2"


def test_a_change_of_somebody_else_stops_the_rest(between: Between, dsns: dict[str, str]) -> None:
    operation = between(lambda: execute(dsns, "CREATE TABLE strange (id integer)"))

    stopped_after_the_first(operation, "is not the expected one", dsns)


@pytest.mark.parametrize("purpose", ["migration", "export"])
def test_a_target_that_leads_elsewhere_stops_the_rest(
    purpose: str, between: Between, dsns: dict[str, str], elsewhere: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = f"SAMPELIT_PRODUCTION_{purpose.upper()}_DSN"

    operation = between(lambda: monkeypatch.setenv(variable, elsewhere[purpose]))

    stopped_after_the_first(operation, f"{variable} leads to", dsns)
    there = rows(elsewhere["admin"], "SELECT to_regclass('fresh') IS NULL AND to_regclass('other') IS NULL")
    assert there == [(True,)]


def test_a_freeze_stops_the_rest(between: Between, baselined: Environment, dsns: dict[str, str]) -> None:
    until = timezone.now() + timedelta(hours=1)
    frozen = {"frozen_until": until, "freeze_reason": "the fair"}

    operation = between(lambda: Environment.objects.filter(pk=baselined.pk).update(**frozen))

    stopped_after_the_first(operation, "production was frozen meanwhile: the fair. Nothing of it was done.", dsns)


def test_other_rules_stop_the_rest(between: Between, dsns: dict[str, str]) -> None:
    operation = between(lambda: RulePolicy.objects.create(version=1, created_by="ana"))

    stopped_after_the_first(operation, "the rules that judge SQL are others now. Nothing of it was done.", dsns)


def test_another_revision_stops_the_rest(between: Between, dsns: dict[str, str]) -> None:
    operation = between(lambda: add_supabase(3, "CREATE TABLE other (id bigint)"))

    stopped_after_the_first(operation, "has a newer revision (2", dsns)


def test_a_vote_can_not_be_withdrawn_between_and_the_rest_goes_on(
    last: MigrationFile, baselined: Environment, ana: User, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Environment.objects.update(protected=True, votes_routine=1, votes_sensitive=1, votes_destructive=1)
    voter, said = holder("approver", "approve_operation"), []
    operation = request("migrations.path", by=ana, environment=baselined, parameters={"file": last.sha256})
    approve(operation, by=voter)

    def withdraw() -> None:
        with pytest.raises(Refused, match=r"is running; the vote stands\.") as refusal:
            revoke(operation, by=voter)
        said.append(refusal.value.reason)

    happens_after_the_first(withdraw, monkeypatch)
    ended = finish(operation)

    assert (len(said), ended.status, ended.error) == (1, "succeeded", "")
    assert rows(dsns["admin"], "SELECT to_regclass('other') IS NULL") == [(False,)]


def test_a_baseline_whose_worker_ends_after_its_rows_is_made_again_and_the_rest_follows(
    production: Environment, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_supabase(1, "CREATE TABLE users (id uuid PRIMARY KEY, email varchar(255))")
    last = add_supabase(2, "CREATE TABLE fresh (id integer)")
    remember = baseline.remember

    def interrupted(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(baseline, "remember", remember)
        remember(*args, **kwargs)
        raise ProviderError("the worker went away", retryable=True)

    monkeypatch.setattr(baseline, "remember", interrupted)

    operation = act("migrations.path", file=last.sha256)

    assert (operation.status, operation.error) == ("succeeded", "")
    assert history(dsns) == ["20260101000000 change_1", "20260102000000 change_2"]


def test_a_file_that_fails_halfway_is_told_as_such_and_the_next_path_ends_it(
    baselined: Environment, act: Act, dsns: dict[str, str]
) -> None:
    add_supabase(2, "CREATE TABLE fresh (id integer); INSERT INTO fresh VALUES (-1)")
    index = "CREATE INDEX CONCURRENTLY fresh_id ON fresh (id)"
    add_supabase(3, f"{index}; ALTER TABLE fresh ADD CONSTRAINT positive CHECK (id > 0)")
    last = add_supabase(4, "CREATE TABLE other (id integer)")

    operation = act("migrations.path", file=last.sha256)

    told = f"Done before: {SECOND}. Partly applied: {THIRD}. Not done: 20260104000000_change_4.sql."
    assert (operation.status, operation.error.endswith(told)) == ("failed", True), operation.error
    assert (operation.result["partly"], operation.result["not_done"]) == ([THIRD], ["20260104000000_change_4.sql"])
    execute(dsns, "UPDATE fresh SET id = 1")
    again = act("migrations.path", file=last.sha256)
    assert (again.status, again.error) == ("succeeded", "")
    assert again.result["done"] == [THIRD, "20260104000000_change_4.sql"]
    assert [row[:14] for row in history(dsns)] == [f"2026010{number}000000" for number in (1, 2, 3, 4)]


def test_what_was_applied_but_not_looked_at_is_told_as_such(
    last: MigrationFile, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = "DELETE FROM supabase_migrations.schema_migrations WHERE version = '20260102000000'"
    monkeypatch.setitem(failpoints.armed, "verify.observed", lambda: execute(dsns, taken))

    operation = act("migrations.path", file=last.sha256)

    assert operation.status == "failed"
    assert "somebody has taken its row out" in operation.error
    assert operation.error.endswith(f"Done before: nothing. Applied, but not verified: {SECOND}. Not done: {THIRD}.")
    assert Application.objects.get().status == "applied"


def test_what_was_applied_and_never_verified_is_no_drift_to_the_next_path(
    last: MigrationFile, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise Refused("stopped.")

    monkeypatch.setitem(failpoints.armed, "verify.observed", refuse)
    assert act("migrations.path", file=last.sha256).status == "failed"
    monkeypatch.delitem(failpoints.armed, "verify.observed")

    again = act("migrations.path", file=last.sha256)

    assert (again.status, again.error, again.result["done"]) == ("succeeded", "", [THIRD])


def test_a_lone_statement_whose_row_is_written_counts_as_applied(
    baselined: Environment, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise Refused("stopped.")

    file = add_supabase(2, "CREATE INDEX CONCURRENTLY users_company ON users (company)")
    monkeypatch.setitem(failpoints.armed, "alone.recorded", refuse)

    operation = act("migrations.path", file=file.sha256)

    assert operation.error.endswith(f"Applied, but not verified: {SECOND}.")
    assert history(dsns)[-1] == "20260102000000 change_2"
    assert Application.objects.get().status == "applied"


def execute(dsns: dict[str, str], statement: str) -> None:
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute(statement)
