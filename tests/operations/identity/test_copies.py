"""What identity alone cannot tell: a physical copy, a server that may not be asked, a row that was read earlier."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

import psycopg
import pytest
from django.contrib.auth.models import User
from psycopg import sql

from operations.databases import recorded
from operations.doctor.identity import copies, identities
from operations.models import Environment, Notification
from providers import postgres
from providers.embedded_postgres.server import EmbeddedPostgres
from providers.embedded_postgres.throwaway import NO_DURABILITY
from providers.errors import Refused
from tests.operations.identity.conftest import Writes, fresh, known, marks, run, voted
from tests.stepping import request

PRODUCTION, ALIAS = "SAMPELIT_PRODUCTION_MIGRATION_DSN", "SAMPELIT_ALIAS_MIGRATION_DSN"


@pytest.fixture
def production(databases: EmbeddedPostgres, people: list[User], monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setenv(PRODUCTION, databases.dsn("product"))
    return known(Environment.objects.create(slug="production", kind="production", protected=True))


@pytest.fixture
def alias(production: Environment) -> Environment:
    return Environment.objects.create(slug="alias", kind="staging", votes_destructive=0)


@pytest.fixture
def copied(production: Environment, databases: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """A second server on a copy of the first one's files, as a disk snapshot makes one."""
    directory = databases.data_dir.with_name(f"{databases.data_dir.name}-copy")
    with psycopg.connect(databases.dsn(), autocommit=True) as connection:
        connection.execute("SELECT pg_backup_start('copy', true)")
        subprocess.run(["cp", "-a", databases.data_dir, directory], check=True)
        row = connection.execute("SELECT labelfile FROM pg_backup_stop(false)").fetchone()
    assert row is not None
    subprocess.run(["cp", "-a", f"{databases.cluster}/pg_wal/.", directory / "cluster" / "pg_wal"], check=True)
    (directory / "cluster" / "postmaster.pid").unlink()
    label, owner = directory / "cluster" / "backup_label", (directory / "cluster").stat()
    label.write_text(row[0])
    os.chown(label, owner.st_uid, owner.st_gid)
    try:
        with EmbeddedPostgres(directory, options=NO_DURABILITY) as server:
            yield server
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def test_a_physical_copy_is_judged_by_the_strictest_of_both_and_the_doctor_is_red(
    copied: EmbeddedPostgres,
    alias: Environment,
    kind: Writes,
    people: list[User],
    databases: EmbeddedPostgres,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(ALIAS, copied.dsn("product"))

    operation = voted(alias, people)

    assert operation.approvals_required == 2
    assert run(operation).status == "succeeded", operation.error
    assert (marks(copied.dsn("product")), marks(databases.dsn("product"))) == (1, 0)
    assert {check.tone for check in identities(None)} >= {"bad"}
    (one, other) = copies(None)
    assert (one.tone, other.tone) == ("bad", "bad")
    assert str(copied.port) in one.found


def test_one_environment_at_two_addresses_is_red_only_where_two_servers_answer(
    copied: EmbeddedPostgres, production: Environment, databases: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", databases.dsn("product").replace("127.0.0.1", "localhost"))
    assert list(copies(production)) == []

    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", copied.dsn("product"))

    assert [check.tone for check in copies(production)] == ["bad"]


def test_approvers_hear_of_another_address(
    production: Environment, databases: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, settings
) -> None:
    settings.EMAIL_HOST = "smtp.example.com"
    User.objects.filter(username="ada").update(email="ada@example.com")
    monkeypatch.setenv(PRODUCTION, databases.dsn("product").replace("127.0.0.1", "localhost"))

    known(production)

    assert ["localhost" in row.body for row in Notification.objects.all()] == [True]


@pytest.fixture
def denied(databases: EmbeddedPostgres) -> Iterator[str]:
    """A role as Supabase's: everything in its database, no question to the server; its name."""
    for name in ("product", "elsewhere"):
        with psycopg.connect(databases.dsn(name), autocommit=True) as connection:
            connection.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    with psycopg.connect(databases.dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE tenant LOGIN PASSWORD '{databases.password}' IN ROLE pg_write_all_data")
    yield "tenant"
    with psycopg.connect(databases.dsn(), autocommit=True) as connection:
        connection.execute("DROP ROLE tenant")


def test_a_role_that_may_not_ask_is_taken_for_the_strictest(
    denied: str,
    alias: Environment,
    kind: Writes,
    people: list[User],
    databases: EmbeddedPostgres,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(ALIAS, databases.dsn("product", denied))

    operation = voted(alias, people)

    assert operation.approvals_required == 2
    found = recorded(Environment.objects.get(slug="alias"))
    assert found is not None
    assert (found.system_identifier, found.database_name) == ("", "product")


def test_a_new_name_hides_nothing_from_such_a_role(
    denied: str, alias: Environment, kind: Writes, people: list[User], databases: EmbeddedPostgres, monkeypatch
) -> None:
    """A database keeps its oid; only what another oid has is another one."""
    with psycopg.connect(databases.dsn(), autocommit=True) as connection:
        connection.execute("ALTER DATABASE product RENAME TO other")
    monkeypatch.setenv(ALIAS, databases.dsn("other", denied))

    assert voted(alias, people).approvals_required == 2


def test_such_a_role_proves_another_database_by_its_oid(
    denied: str, alias: Environment, kind: Writes, people: list[User], databases: EmbeddedPostgres, monkeypatch
) -> None:
    monkeypatch.setenv(ALIAS, databases.dsn("elsewhere", denied))

    assert voted(alias, people).approvals_required == 0


def test_what_was_known_is_not_forgotten_by_a_role_that_may_not_ask(
    denied: str, production: Environment, databases: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PRODUCTION, databases.dsn("product", denied))

    with pytest.raises(Refused, match="GRANT EXECUTE ON FUNCTION pg_control_system"):
        known(production)


def test_a_server_without_the_function_answers_as_one_that_may_not_be_asked(databases: EmbeddedPostgres) -> None:
    name = fresh(databases, "without")
    with psycopg.connect(name, autocommit=True) as connection:
        connection.execute(sql.SQL("SET allow_system_table_mods = on"))
        connection.execute("UPDATE pg_proc SET proname = 'gone' WHERE proname = 'pg_control_system'")

        found = postgres.identity(connection)

    assert (found.system_identifier, found.database_name) == ("", "without")


def test_a_row_that_was_read_earlier_binds_who_it_is_now(
    alias: Environment, kind: Writes, people: list[User], databases: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = Environment.objects.get(slug="alias")
    monkeypatch.setenv(ALIAS, databases.dsn("product", "owner"))
    known(alias)
    Environment.objects.filter(slug="alias").update(migration_dsn_env="OTHER_DSN")
    monkeypatch.delenv(ALIAS)

    operation = request("test.writes", by=people[0], environment=stale, parameters={}, reason="a test")

    assert operation.approvals_required == 2
    assert operation.bound is not None
    assert operation.bound["database"][2] == "product"
    assert operation.bound["variables"] == {"migration": "OTHER_DSN"}
