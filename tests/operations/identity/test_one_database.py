"""One database under two names: however its second name reaches it, the strictest votes and every freeze count."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from ledger.models import Entry
from ledger.registry import sentence_for
from operations.doctor.identity import identities
from operations.log_context import operating
from operations.models import Environment, Notification
from providers.embedded_postgres.server import EmbeddedPostgres
from providers.errors import Refused
from tests.operations.identity.conftest import Writes, known, marks, run, voted
from tests.operations.identity.ways import WAYS

ALIAS = "SAMPELIT_ALIAS_MIGRATION_DSN"


@pytest.fixture
def production(databases: EmbeddedPostgres, people: list[User], monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", databases.dsn("product"))
    return known(Environment.objects.create(slug="production", kind="production", protected=True))


@pytest.fixture
def alias(production: Environment) -> Environment:
    return Environment.objects.create(slug="alias", kind="staging", votes_destructive=0)


@pytest.fixture(params=WAYS)
def way(
    request: pytest.FixtureRequest, databases: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> str:
    monkeypatch.setenv(ALIAS, WAYS[request.param](databases, monkeypatch, tmp_path))
    return str(request.param)


def test_every_way_asks_for_the_strictest_votes(
    way: str, alias: Environment, kind: Writes, people: list[User], databases: EmbeddedPostgres
) -> None:
    operation = voted(alias, people)

    assert operation.approvals_required == 2
    assert run(operation).status == "succeeded", operation.error
    assert marks(databases.dsn("product")) == 1


def test_a_way_that_was_hidden_when_it_was_asked_is_met_at_the_claim(
    alias: Environment, kind: Writes, people: list[User], databases: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = voted(alias, people)
    assert operation.approvals_required == 0
    monkeypatch.setenv(ALIAS, databases.dsn("product", "owner"))

    assert run(operation).status == "expired"

    assert "need 2 votes" in operation.error
    assert marks(databases.dsn("product")) == 0


def test_a_way_that_opens_after_the_claim_is_met_by_the_session(
    alias: Environment, kind: Writes, people: list[User], databases: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind.before = lambda: monkeypatch.setenv(ALIAS, databases.dsn("product", "owner"))

    operation = run(voted(alias, people))

    assert operation.status == "failed"
    assert "alias is the database of production too" in operation.error
    assert marks(databases.dsn("product")) == 0


def test_a_way_that_somebody_else_met_after_the_claim_stops_the_next_step(
    alias: Environment, kind: Writes, people: list[User], databases: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    def another_process() -> None:
        monkeypatch.setenv(ALIAS, databases.dsn("product"))
        with operating(""):
            known(Environment.objects.get(pk=alias.pk))

    kind.before = another_process

    operation = run(voted(alias, people))

    assert operation.status == "failed"
    assert "there destructive acts need 2 votes" in operation.error
    assert marks(databases.dsn("product")) == 0


@pytest.mark.parametrize("frozen", ["production", "alias"])
def test_the_freeze_of_either_holds_for_both(
    frozen: str,
    alias: Environment,
    kind: Writes,
    people: list[User],
    monkeypatch: pytest.MonkeyPatch,
    databases: EmbeddedPostgres,
) -> None:
    monkeypatch.setenv(ALIAS, databases.dsn("product", "owner"))
    known(alias)
    Environment.objects.filter(slug=frozen).update(
        frozen_until=timezone.now() + timedelta(hours=1), freeze_reason="sale"
    )

    for environment in Environment.objects.all():
        assert environment.frozen()
        with pytest.raises(Refused, match=r"frozen until .* sale"):
            voted(environment, people)


def test_everybody_who_votes_hears_of_it_and_the_doctor_is_red(
    alias: Environment, people: list[User], monkeypatch: pytest.MonkeyPatch, databases: EmbeddedPostgres, settings
) -> None:
    settings.EMAIL_HOST = "smtp.example.com"
    User.objects.filter(username="ada").update(email="ada@example.com")
    monkeypatch.setenv(ALIAS, databases.dsn("product", "owner"))

    known(alias)

    assert [row.recipients for row in Notification.objects.all()] == ["ada@example.com"]
    entry = Entry.objects.filter(code="operations.environment.identified").latest("sequence")
    assert sentence_for(entry).endswith(", which is also production")
    assert {check.tone for check in identities(None) if "one database" in check.name} == {"bad"}


def test_two_databases_of_one_server_stay_two(
    alias: Environment, kind: Writes, people: list[User], monkeypatch: pytest.MonkeyPatch, databases: EmbeddedPostgres
) -> None:
    monkeypatch.setenv(ALIAS, databases.dsn("elsewhere"))

    operation = run(voted(alias, people))

    assert (operation.approvals_required, operation.status) == (0, "succeeded")
    assert marks(databases.dsn("elsewhere")) == 1


def test_a_role_that_may_not_read_the_server_proves_no_difference(
    alias: Environment, people: list[User], kind: Writes, monkeypatch: pytest.MonkeyPatch, databases: EmbeddedPostgres
) -> None:
    monkeypatch.setenv(ALIAS, databases.dsn("product", "owner"))
    row = known(alias)
    row.system_identifier = ""

    assert [other.slug for other in Environment.objects.of_one_database(row)] == ["production"]
