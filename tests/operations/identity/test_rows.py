"""The database refuses rows that would give one variable two environments, or one environment another database."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from operations.databases import portal_identity
from operations.dsns import export_dsn, migration_dsn, restore_dsn, server_dsn
from operations.models import Environment
from providers import postgres
from providers.embedded_postgres.server import EmbeddedPostgres
from providers.errors import Refused
from tests import portal_database
from tests.operations.identity.conftest import known

pytestmark = pytest.mark.django_db
Ask = Callable[[Environment], str]
TAKEN = [
    ({"slug": "PRODUCTION"}, {"slug": "production"}),
    ({"slug": "Production"}, {"slug": "production"}),
    ({"slug": "a_b"}, {"slug": "a-b"}),
    ({"slug": "A-B_c"}, {"slug": "a_b-c"}),
    ({"slug": "x", "migration_dsn_env": "SAMPELIT_PRODUCTION_MIGRATION_DSN"}, {"slug": "production"}),
    ({"slug": "x", "export_dsn_env": "SAMPELIT_PRODUCTION_MIGRATION_DSN"}, {"slug": "production"}),
    ({"slug": "x", "restore_dsn_env": "sampelit_production_export_dsn"}, {"slug": "production"}),
    ({"slug": "x", "export_dsn_env": "SHARED"}, {"slug": "y", "export_dsn_env": "SHARED"}),
    ({"slug": "x", "export_dsn_env": "SHARED"}, {"slug": "y", "restore_dsn_env": "SHARED"}),
    ({"slug": "x", "export_dsn_env": "Shared"}, {"slug": "y", "migration_dsn_env": "sHARED"}),
    ({"slug": "production"}, {"slug": "x", "restore_dsn_env": "SAMPELIT_PRODUCTION_RESTORE_DSN"}),
    ({"slug": "x"}, {"slug": "portal", "kind": "portal", "migration_dsn_env": "SAMPELIT_X_EXPORT_DSN"}),
]


@pytest.mark.parametrize(("second", "first"), TAKEN, ids=str)
def test_a_variable_has_one_environment(second: dict[str, str], first: dict[str, str]) -> None:
    Environment.objects.create(**first)

    with pytest.raises(IntegrityError), transaction.atomic():
        Environment.objects.create(**second)

    row = Environment.objects.create(slug="later", migration_dsn_env="LATER_DSN")
    with pytest.raises(IntegrityError), transaction.atomic():
        Environment.objects.filter(pk=row.pk).update(**{"restore_dsn_env": "", **second})


@pytest.mark.parametrize("name", ["DATABASE_URL", "database_url"])
@pytest.mark.parametrize("column", ["export_dsn_env", "migration_dsn_env", "restore_dsn_env"])
def test_no_product_is_called_like_the_portal(column: str, name: str) -> None:
    row = Environment.objects.create(slug="x")

    with pytest.raises(IntegrityError), transaction.atomic():
        Environment.objects.filter(pk=row.pk).update(**{column: name})

    Environment.objects.create(slug="portal", kind="portal", export_dsn_env="DATABASE_URL")


def test_the_three_purposes_of_one_environment_may_share_a_variable() -> None:
    names = dict.fromkeys(("export_dsn_env", "migration_dsn_env", "restore_dsn_env"), "ONE_DSN")

    assert Environment.objects.create(slug="x", **names).variables() == {"ONE_DSN"}


@pytest.fixture
def staging(databases: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setenv("SAMPELIT_STAGING_MIGRATION_DSN", databases.dsn("product"))
    return known(Environment.objects.create(slug="staging", kind="staging"))


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "preview"},
        {"kind": "portal"},
        {"slug": "other"},
        {"database_oid": 5},
        {"database_oid": None},
        {"database_name": "other"},
        {"system_identifier": "1"},
        {"system_identifier": "", "database_oid": None, "database_name": ""},
    ],
    ids=str,
)
def test_what_an_environment_is_never_changes(staging: Environment, changes: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Environment.objects.filter(pk=staging.pk).update(**changes)


def test_no_environment_is_born_with_a_database() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Environment.objects.create(slug="x", database_oid=5, database_name="postgres")


def test_what_a_request_is_bound_to_never_changes(ask, production: Environment) -> None:
    operation = ask()

    with pytest.raises(IntegrityError), transaction.atomic():
        type(operation).objects.filter(pk=operation.pk).update(bound={"database": ["1", 2, "x"]})


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost"])
@pytest.mark.parametrize("ask_for", [export_dsn, migration_dsn, restore_dsn])
def test_the_portals_own_database_is_nobodys_product(ask_for, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = str(connection.settings_dict["NAME"])
    for purpose in ("EXPORT", "MIGRATION", "RESTORE"):
        monkeypatch.setenv(f"SAMPELIT_X_{purpose}_DSN", portal_database.server.dsn(name).replace("127.0.0.1", host))
    row = Environment.objects.create(slug="x")

    with pytest.raises(Refused, match="the portal's own database"):
        postgres.connect(ask_for(row))

    assert Environment.objects.get().database_oid is None


def test_the_portals_environment_is_only_exported(monkeypatch: pytest.MonkeyPatch, databases: EmbeddedPostgres) -> None:
    name = str(connection.settings_dict["NAME"])
    monkeypatch.setenv("DATABASE_URL", portal_database.server.dsn(name))
    monkeypatch.setenv("SAMPELIT_PORTAL_MIGRATION_DSN", databases.dsn("product"))
    portal = Environment.objects.create(slug="portal", kind="portal", export_dsn_env="DATABASE_URL")

    with postgres.connect(export_dsn(portal)) as session:
        assert postgres.identity(session) == portal_identity()
    for ask_for in (migration_dsn, restore_dsn):
        with pytest.raises(Refused, match="only exported"):
            ask_for(portal)


def test_an_environment_that_is_called_the_portal_must_be_it(
    monkeypatch: pytest.MonkeyPatch, databases: EmbeddedPostgres, people: list[User]
) -> None:
    monkeypatch.setenv("SOMETHING_DSN", databases.dsn("product"))
    portal = Environment.objects.create(slug="portal", kind="portal", export_dsn_env="SOMETHING_DSN")

    with pytest.raises(Refused, match="leads to database product"):
        postgres.connect(export_dsn(portal))


@pytest.mark.parametrize(("first", "second"), [(export_dsn, restore_dsn), (restore_dsn, export_dsn)])
def test_what_is_compared_and_what_is_loaded_are_one_database(
    databases: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, first: Ask, second: Ask
) -> None:
    monkeypatch.setenv("SAMPELIT_X_EXPORT_DSN", databases.dsn("product"))
    monkeypatch.setenv("SAMPELIT_X_RESTORE_DSN", databases.dsn("elsewhere"))
    row = Environment.objects.create(slug="x")
    postgres.connect(first(row)).close()

    with pytest.raises(Refused, match="and x is database"):
        postgres.connect(second(Environment.objects.get()))

    postgres.connect(server_dsn(row)).close()
