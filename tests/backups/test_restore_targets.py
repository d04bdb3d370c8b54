"""A restore never reaches the portal's database or an environment's own, and a failed run is never proven later."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection as portal

from backups.models import Run
from backups.progress import SILENT
from backups.restore import targets
from backups.restore import targets as restore_targets
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import Environment, Operation
from providers import postgres
from providers.errors import Refused
from tests.backups.conftest import RESTORING
from tests.backups.test_restore_guard import tables_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    "name",
    [
        "DATABASE_URL",
        "SAMPELIT_PRODUCTION_MIGRATION_DSN",
        "SAMPELIT_STAGING_RESTORE_DSN",
        "OPS_TOKEN",
        "OPS_RESTORE_DSN",
        "MY_OPS_RESTORE_X_DSN",
        "OPS_RESTORE_X_DSN_OLD",
    ],
)
def test_only_variables_made_for_restores_are_targets(earlier_run: Run, restore_operation, name: str) -> None:
    with pytest.raises(Refused, match=r"no other is allowed.*Nothing was requested"):
        restore_operation(earlier_run, f"database:{name}")


@pytest.mark.parametrize("purpose", ["export", "migration", "restore"])
def test_an_environments_own_variable_is_refused_whatever_its_name(
    earlier_run: Run,
    restore_operation,
    purpose: str,
) -> None:
    Environment.objects.create(
        slug="staging", name="S", kind="staging", **{f"{purpose}_dsn_env": "OPS_RESTORE_STAGING_DSN"}
    )

    with pytest.raises(Refused, match="leads to staging itself"):
        restore_operation(earlier_run, "database:OPS_RESTORE_STAGING_DSN")


@pytest.fixture
def asked(production: Environment) -> Callable[[Run, str], Operation]:
    """Only requests; nothing runs yet."""
    user = User.objects.create_user("ruth", password="long enough password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="request_restore"))
    Environment.objects.filter(pk=production.pk).update(protected=False)
    production.refresh_from_db()
    by = User.objects.get(pk=user.pk)

    def asked(run: Run, target: str) -> Operation:
        values = {"run": run.pk, "target": target}
        return request("backups.restore", by=by, environment=production, parameters=values)

    return asked


def test_the_step_refuses_a_variable_that_an_environment_took_since(
    earlier_run: Run,
    asked,
    empty_database: str,
    monkeypatch,
) -> None:
    monkeypatch.setenv("OPS_RESTORE_LATER_DSN", empty_database)
    operation = asked(earlier_run, "database:OPS_RESTORE_LATER_DSN")
    Environment.objects.create(slug="late", name="L", kind="staging", migration_dsn_env="OPS_RESTORE_LATER_DSN")

    run_operation(operation.pk, "test", RESTORING, end_process=lambda: None)

    operation.refresh_from_db()
    assert operation.status == "failed"
    assert "leads to late itself" in operation.error
    assert tables_in(empty_database) == 0


def test_the_worker_refuses_a_target_that_was_stored_before_the_rule(earlier_run: Run, asked, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(targets, "_VARIABLE", re.compile("[A-Z_]+"))
        operation = asked(earlier_run, "database:SOME_MIGRATION_DSN")

    run_operation(operation.pk, "test", RESTORING, end_process=lambda: None)

    operation.refresh_from_db()
    assert operation.status == "expired"
    assert "no other is allowed" in operation.error


def portal_dsn() -> str:
    given = portal.settings_dict
    return psycopg.conninfo.make_conninfo(
        host=given["HOST"],
        port=given["PORT"],
        user=given["USER"],
        password=given["PASSWORD"] or None,
        dbname=given["NAME"],
    )


def test_the_portals_own_database_is_refused_by_its_identity(earlier_run: Run, restore_operation, monkeypatch) -> None:
    monkeypatch.setenv("OPS_RESTORE_ALIAS_DSN", portal_dsn())

    operation = restore_operation(earlier_run, "database:OPS_RESTORE_ALIAS_DSN")

    assert operation.status == "failed"
    assert "is the database of the portal" in operation.error
    assert tables_in(portal_dsn()) == 0


@pytest.mark.parametrize("purpose", ["EXPORT", "MIGRATION", "RESTORE"])
def test_an_environments_database_is_refused_by_its_identity(
    earlier_run: Run,
    restore_operation,
    empty_database: str,
    monkeypatch,
    purpose: str,
) -> None:
    Environment.objects.create(slug="staging", name="S", kind="staging")
    monkeypatch.setenv(f"SAMPELIT_STAGING_{purpose}_DSN", empty_database)
    monkeypatch.setenv("OPS_RESTORE_ALIAS_DSN", empty_database.replace("127.0.0.1", "localhost"))

    operation = restore_operation(earlier_run, "database:OPS_RESTORE_ALIAS_DSN")

    assert operation.status == "failed"
    assert "is the database of staging" in operation.error
    assert tables_in(empty_database) == 0


def test_an_environment_that_does_not_answer_is_known_by_its_runs(
    earlier_run: Run,
    empty_database: str,
    monkeypatch,
) -> None:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", "postgresql://a@127.0.0.1:9/x")
    monkeypatch.delenv("SAMPELIT_PRODUCTION_RESTORE_DSN")

    with pytest.raises(Refused, match="cannot be told apart"):
        restore_targets.refuse_database(empty_database, SILENT)

    Run.objects.update(system_identifier="another server")
    restore_targets.refuse_database(empty_database, SILENT)


def test_two_databases_whose_identity_nobody_may_read_are_told_apart_by_name_only(empty_database: str) -> None:
    with postgres.connect(empty_database) as connection:
        facts = postgres.facts(connection)
    hidden = replace(facts, system_identifier="")

    assert restore_targets._same(facts, hidden)
    assert not restore_targets._same(facts, replace(hidden, database="other"))
    assert not restore_targets._same(facts, replace(facts, system_identifier="1"))


@pytest.fixture
def verify(production: Environment) -> Callable[[Run], Operation]:
    user = User.objects.create_user("audrey", password="long enough password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="verify_run"))
    by = User.objects.get(pk=user.pk)
    return lambda verified: request("backups.verify", by=by, environment=production, parameters={"run": verified.pk})


def fail(run: Run) -> None:
    Run.objects.advance(run.pk, "proven", "failed", reason="An object is missing.")


def test_a_failed_run_is_not_verified_again(earlier_run: Run, verify) -> None:
    fail(earlier_run)

    with pytest.raises(Refused, match=r"failed: An object is missing\. A failed run is never proven later"):
        verify(earlier_run)


def test_a_run_that_failed_since_the_request_ends_refused_and_stays_failed(earlier_run: Run, verify) -> None:
    operation: Operation = verify(earlier_run)
    fail(earlier_run)

    run_operation(operation.pk, "test", RESTORING, end_process=lambda: None)

    operation.refresh_from_db()
    earlier_run.refresh_from_db()
    assert (operation.status, earlier_run.status) == ("failed", "failed")
    assert "never proven later" in operation.error
