"""Adding, changing and moving an environment are operations, judged by the strictest database that they can touch."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from ledger.models import Entry
from ledger.registry import sentence_for
from operations.models import Environment, Notification, Operation
from providers.embedded_postgres.server import EmbeddedPostgres
from providers.errors import Refused
from tests import portal_database
from tests.operations.identity.conftest import Writes, known, run, voted
from tests.people import holder
from tests.sampelit_ops.signin.codes import code_of
from tests.stepping import approve, authenticator, request

STAGING = {"slug": "staging", "name": "Staging", "kind": "staging"}


@pytest.fixture
def amir(people: list[User]) -> User:
    return holder("amir", "add_environment", "change_environment", "view_environment", "operations.view_operation")


@pytest.fixture
def production(databases: EmbeddedPostgres, amir: User, monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", databases.dsn("product"))
    row = Environment.objects.create(slug="production", name="P", kind="production", protected=True, supabase_ref="abc")
    return known(row)


def add(by: User, **given: str) -> Operation:
    portal = Environment.objects.portal()
    return request("environments.add", by=by, environment=portal, parameters={**STAGING, **given}, reason="a test")


def change(by: User, environment: Environment, **given: str) -> Operation:
    return request("environments.change", by=by, environment=environment, parameters=given, reason="a test")


def agreed(operation: Operation) -> Operation:
    """With as many votes as it asks for, and run."""
    for name in ("ada", "ben")[: operation.approvals_required]:
        operation = approve(operation, by=User.objects.get(username=name))
    return run(operation)


def test_the_first_one_of_a_portal_needs_nobody_else(amir: User) -> None:
    operation = agreed(add(amir, slug="production", kind="production", protected="yes"))

    assert (operation.status, operation.approvals_required, operation.error) == ("succeeded", 0, "")
    made = Environment.objects.get(slug="production")
    assert (made.kind, made.protected) == ("production", True)
    assert Entry.objects.filter(code="operations.environment.added", actor="amir", subject="production").exists()


def test_the_next_one_is_judged_by_the_strictest(production: Environment, amir: User) -> None:
    operation = add(amir)

    assert (operation.risk, operation.approvals_required, operation.status) == ("sensitive", 1, "awaiting_approval")
    assert not Environment.objects.filter(slug="staging").exists()
    assert agreed(operation).status == "succeeded"
    assert Notification.objects.filter(subject="staging was added by amir").exists()


@pytest.mark.parametrize("column", ["export_dsn_env", "migration_dsn_env", "restore_dsn_env"])
@pytest.mark.parametrize("role", ["postgres", "owner"])
def test_a_second_name_takes_the_votes_of_the_database(
    production: Environment,
    amir: User,
    databases: EmbeddedPostgres,
    monkeypatch: pytest.MonkeyPatch,
    column: str,
    role: str,
) -> None:
    monkeypatch.setenv("OTHER_DSN", databases.dsn("product", role))

    operation = add(amir, **{column: "OTHER_DSN"})

    assert (operation.risk, operation.approvals_required) == ("destructive", 2)


REFUSED = [
    ({"kind": "portal"}, "kind is production, staging or preview"),
    ({"slug": "PRODUCTION"}, "same variables"),
    ({"slug": "no spaces"}, "slug"),
    ({"export_dsn_env": "SAMPELIT_PRODUCTION_RESTORE_DSN"}, "leads to production already"),
    ({"export_dsn_env": "DATABASE_URL"}, "DATABASE_URL"),
    ({"export_dsn_env": "postgresql://x"}, "never its value"),
    ({"supabase_ref": "abc"}, "Another environment has this Supabase project"),
    ({"votes_destructive": "-1"}, "is a number"),
    ({"protected": "perhaps"}, "yes or no"),
    ({"migration_dsn_env": "PORTALS_DSN"}, "the portal's own database"),
]


@pytest.mark.parametrize(("given", "why"), REFUSED, ids=str)
def test_what_is_refused(
    production: Environment, amir: User, given: dict[str, str], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTALS_DSN", portal_database.server.dsn(str(connection.settings_dict["NAME"])))

    with pytest.raises(Refused, match=why):
        add(amir, **given)

    assert not Operation.objects.exists()


def test_it_is_asked_of_the_portal(production: Environment, amir: User) -> None:
    with pytest.raises(Refused, match="added to the portal"):
        request("environments.add", by=amir, environment=production, parameters=STAGING)


FROZEN = datetime(2098, 1, 1, tzinfo=UTC)
RISKS: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({}, {"name": "Prod"}, "routine"),
    ({}, {"health_url": "https://example.com/healthz"}, "routine"),
    ({}, {"votes_destructive": "3"}, "routine"),
    ({"protected": False}, {"protected": "yes"}, "routine"),
    ({}, {"frozen_until": "2099-01-01T00:00"}, "routine"),
    ({"frozen_until": FROZEN}, {"frozen_until": "2099-01-01T00:00"}, "routine"),
    ({"frozen_until": FROZEN}, {"frozen_until": "-"}, "sensitive"),
    ({"frozen_until": FROZEN}, {"frozen_until": "2020-01-01T00:00"}, "sensitive"),
    ({}, {"protected": "no"}, "destructive"),
    ({}, {"votes_sensitive": "0"}, "destructive"),
    ({"votes_routine": 1}, {"votes_routine": "-"}, "destructive"),
    ({}, {"protected": "no", "votes_destructive": "5"}, "destructive"),
    ({}, {"export_dsn_env": "OTHER_DSN"}, "destructive"),
    ({}, {"migration_dsn_env": "OTHER_DSN"}, "destructive"),
    ({}, {"restore_dsn_env": "OTHER_DSN"}, "destructive"),
    ({}, {"supabase_ref": "another"}, "destructive"),
    ({}, {"supabase_ref": "-"}, "destructive"),
]


@pytest.mark.parametrize(("before", "given", "risk"), RISKS, ids=str)
def test_to_restrict_is_easy_and_to_loosen_is_judged(
    production: Environment, amir: User, before: dict[str, Any], given: dict[str, str], risk: str
) -> None:
    Environment.objects.filter(pk=production.pk).update(**before)
    production.refresh_from_db()

    operation = change(amir, production, **given)

    assert (operation.risk, operation.approvals_required) == (risk, production.votes(risk))
    assert agreed(operation).status == "succeeded", operation.error
    assert Environment.objects.get(pk=production.pk) != production or given


def test_every_approver_hears_of_it(production: Environment, amir: User) -> None:
    agreed(change(amir, production, protected="no"))

    subjects = set(Notification.objects.values_list("subject", flat=True))
    assert {"production was changed by amir", "Fewer votes on production: changed by amir"} <= subjects
    entry = Entry.objects.get(code="operations.environment.changed")
    assert "protected from yes to no" in sentence_for(entry)


def test_a_row_that_changed_meanwhile_ends_the_request(production: Environment, amir: User) -> None:
    operation = change(amir, production, votes_destructive="1")
    Environment.objects.filter(pk=production.pk).update(votes_destructive=2)

    assert agreed(operation).status == "expired"
    assert Environment.objects.get(pk=production.pk).votes_destructive == 2


def test_the_form_leads_to_the_request_and_changes_nothing(production: Environment, amir: User, client: Client) -> None:
    client.force_login(amir)
    page = f"/admin/operations/environment/{production.pk}/change/"
    body = {"name": "P", "supabase_ref": "abc", "health_url": "", "kind": "portal", "slug": "other"}

    shown = client.get(page).content.decode()
    answer = client.post(page, body)
    asked = client.get(answer["Location"]).content.decode()

    assert "database product" in " ".join(shown.split())
    assert dict(parse_qsl(urlsplit(answer["Location"]).query)) == {"environment": "production", "protected": "no"}
    assert "It is no longer protected." in asked
    assert Environment.objects.get(pk=production.pk).protected


def test_a_field_has_one_name_in_the_form_the_request_and_what_it_changes(
    production: Environment, amir: User, client: Client
) -> None:
    client.force_login(amir)
    form = client.get(f"/admin/operations/environment/{production.pk}/change/").text
    url = "/admin/operations/operation/request/environments.change/?environment=production&health_url="

    page = client.get(f"{url}https://api.example.com/health").text

    for name in ("Health URL", "Frozen until (UTC)", "Export DSN&#x27;s variable", "Votes for what is routine"):
        assert (name in form, name in page) == (True, True), name
    assert "Health URL: empty → https://api.example.com/health" in page or "Health URL: empty → <a" in page


def test_the_form_of_a_new_one_leads_there_too(production: Environment, amir: User, client: Client) -> None:
    client.force_login(amir)

    answer = client.post("/admin/operations/environment/add/", {**STAGING, "votes_destructive": "1"})

    wanted = {**STAGING, "environment": "portal", "votes_destructive": "1"}
    assert dict(parse_qsl(urlsplit(answer["Location"]).query)) == wanted
    assert "portal" in client.get(answer["Location"]).content.decode()
    assert not Environment.objects.filter(slug="staging").exists()


def test_the_shell_asks_too(amir: User) -> None:
    said = StringIO()
    values = [part for name, text in STAGING.items() for part in ("--set", f"{name}={text}")]
    code = ("--code", code_of(authenticator(amir)))
    asked = ("request", "environments.add", "--environment", "portal", *values, "--as", "amir")

    with pytest.raises(CommandError):
        call_command("ops", *asked, stdout=said, stderr=said)
    call_command("ops", *asked, *code, stdout=said)

    assert run(Operation.objects.get()).status == "succeeded"
    assert Environment.objects.filter(slug="staging").exists()


def test_a_database_that_moved_is_bound_again_by_votes(
    production: Environment, amir: User, people: list[User], kind: Writes, databases: EmbeddedPostgres, monkeypatch
) -> None:
    waiting = voted(production, people)
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", databases.dsn("elsewhere"))
    moving = request("environments.rebind", by=amir, environment=production, parameters={}, reason="it moved")
    assert (moving.risk, moving.approvals_required) == ("destructive", 2)

    assert agreed(moving).status == "succeeded", moving.error

    assert Environment.objects.get(pk=production.pk).database_name == "elsewhere"
    assert "moved production from database product" in sentence_for(Entry.objects.get(code__endswith=".rebound"))
    assert run(waiting).status == "expired"
    assert run(voted(Environment.objects.get(pk=production.pk), people)).status == "succeeded"


def test_only_the_database_that_was_approved_is_bound(
    production: Environment, amir: User, databases: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", databases.dsn("elsewhere"))
    moving = request("environments.rebind", by=amir, environment=production, parameters={}, reason="it moved")
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", databases.dsn("postgres"))

    assert agreed(moving).status == "failed"

    assert Environment.objects.get(pk=production.pk).database_name == "product"
