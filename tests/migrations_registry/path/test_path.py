"""A path is one request: baseline, earlier files, the file; each act is checked, journaled and kept as if alone."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from migrations_registry.models import Application, StreamBaseline
from operations.approvals.decision import decision_of
from operations.engine import kinds
from operations.engine.request import request
from operations.models import Environment, Operation
from providers.errors import Refused
from tests.migrations_registry.applying import Act, add, add_supabase, finish, history, rows
from tests.people import holder
from tests.stepping import approve

pytestmark = pytest.mark.django_db(transaction=True)
MADE = "CREATE TABLE users (id uuid PRIMARY KEY, email varchar(255))"
THIRD = "ALTER TABLE fresh ADD COLUMN note text"


def test_the_acts_are_worked_out_asked_once_and_done_in_order(
    act: Act, production: Environment, dsns: dict[str, str]
) -> None:
    add_supabase(1, MADE)
    add_supabase(2, "CREATE TABLE fresh (id integer)")
    last = add_supabase(3, THIRD)

    operation = act("migrations.path", file=last.sha256)

    assert operation.status == "succeeded", operation.error
    labels = [one["label"] for one in operation.parameters["acts"]]
    assert labels == ["baseline of supabase/migrations", *(f"2026010{n}000000_change_{n}.sql" for n in (2, 3))]
    assert (operation.result["done"], operation.result["not_done"]) == (labels, [])
    assert StreamBaseline.objects.get().operation == operation.pk
    assert rows(dsns["admin"], "SELECT count(*) FROM fresh WHERE note IS NULL") == [(0,)]
    assert len(history(dsns)) == 3
    assert {(row.status, row.request) for row in Application.objects.all()} == {("applied", operation.pk)}
    assert Application.objects.values("operation").distinct().count() == 2


def test_an_act_that_fails_ends_it_and_says_what_was_done_and_what_not(
    baselined: Environment, act: Act, dsns: dict[str, str]
) -> None:
    add_supabase(2, "CREATE TABLE fresh (id integer)")
    add_supabase(3, "CREATE TABLE fresh (id integer)")
    last = add_supabase(4, THIRD)

    operation = act("migrations.path", file=last.sha256)

    assert operation.status == "failed"
    assert "already exists" in operation.error
    assert operation.error.endswith(
        "Done before: 20260102000000_change_2.sql. Not done: 20260103000000_change_3.sql, 20260104000000_change_4.sql."
    )
    assert sorted(Application.objects.values_list("status", flat=True)) == ["applied", "failed"]
    assert rows(dsns["admin"], "SELECT count(*) FROM information_schema.columns WHERE column_name = 'note'") == [(0,)]
    again = request(
        "migrations.path", by=operation.requested_by, environment=baselined, parameters=operation.parameters
    )
    assert [one["label"][-5:] for one in again.parameters["acts"]] == ["3.sql", "4.sql"]


def test_votes_are_those_of_the_strictest_act_and_bind_all_of_them(
    baselined: Environment, ana: User, dsns: dict[str, str]
) -> None:
    Environment.objects.update(protected=True, votes_destructive=1, votes_sensitive=1)
    add_supabase(2, "CREATE TABLE fresh (id integer)")
    last = add_supabase(3, "DROP TABLE users")

    operation = request("migrations.path", by=ana, environment=baselined, parameters={"file": last.sha256})

    assert (operation.risk, operation.approvals_required) == ("destructive", 1)
    decision = decision_of(operation)
    assert decision.loses
    assert [block.title[:3] for block in decision.blocks] == ["1 2", "2 2"]
    assert any("DROP TABLE users" in line for line in decision.blocks[1].lines)
    assert not any(fact.label == "Acts" for fact in decision.asked)
    approve(operation, by=holder("approver", "approve_operation"))
    add_supabase(2, "CREATE TABLE fresh (id bigint)")
    ended = finish(operation)
    assert ended.status == "expired"
    assert rows(dsns["admin"], "SELECT to_regclass('fresh'), to_regclass('users') IS NULL") == [(None, False)]


def test_who_may_apply_but_not_baseline_may_not_ask(production: Environment) -> None:
    last = add_supabase(1, MADE)
    half = holder("half", "apply_migrationfile", "request_operation")

    with pytest.raises(PermissionDenied):
        request("migrations.path", by=half, environment=production, parameters={"file": last.sha256})


def test_what_only_a_person_can_judge_is_asked_before(ana: User, production: Environment) -> None:
    add(("database/schema/schema_odd.sql", "CREATE TABLE users (id uuid); CREATE TABLE never (id integer)"))
    (last,) = add(("database/schema/schema_zz.sql", "CREATE TABLE zz (id integer)"))
    kind = kinds.get("migrations.path")

    with pytest.raises(Refused, match=r"schema_odd.sql is partly"):
        kind.clean(production, {"file": last.sha256})
    cleaned = kind.clean(production, {"file": last.sha256, "as_applied": "schema_odd.sql"})
    assert [one["label"] for one in cleaned["acts"]] == ["baseline of schema_*.sql", "schema_zz.sql"]
    assert cleaned["acts"][0]["parameters"]["as_applied"] == ["schema_odd.sql"]


def test_the_review_offers_the_whole_way_and_its_page_counts_the_votes(
    production: Environment, ana: User, client: Client
) -> None:
    add_supabase(1, MADE)
    last = add_supabase(2, "CREATE TABLE fresh (id integer)")
    client.force_login(ana)
    review = client.get(reverse("admin:migrations_registry_migrationfile_change", args=[last.pk])).text
    way = f"{reverse('admin:operations_request', args=['migrations.path'])}?environment=production&file={last.sha256}"

    page = client.get(way).text
    alone = client.get(way.replace("migrations.path", "migrations.apply")).text

    assert way.replace("&", "&amp;") in review
    assert "baseline of supabase/migrations, then 20260102000000_change_2.sql" in page
    assert (">Acts<" in page, "2 20260102000000_change_2.sql: apply" in page) == (False, True)
    assert ("It is certain to fail for now" in page, "It is certain to fail for now" in alone) == (False, True)
    assert not Operation.objects.exists()
