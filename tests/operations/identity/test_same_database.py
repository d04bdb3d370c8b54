"""What was asked for one database never writes into another, whenever the variable turns and whatever is there."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from django.contrib.auth.models import User

from operations.engine import sealing
from operations.models import Environment, Operation
from providers.embedded_postgres.server import EmbeddedPostgres
from providers.errors import Refused
from tests.operations.identity.conftest import Writes, fresh, known, marks, run, voted
from tests.people import asked_for
from tests.stepping import approve

VARIABLE = "SAMPELIT_STAGING_MIGRATION_DSN"


@pytest.fixture
def staging(databases: EmbeddedPostgres, people: list[User], monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setenv(VARIABLE, databases.dsn("product"))
    return Environment.objects.create(slug="staging", kind="staging", votes_destructive=1)


def _another_name(server: EmbeddedPostgres, restored: str) -> str:
    return server.dsn("elsewhere")


def _created_again(server: EmbeddedPostgres, restored: str) -> str:
    return fresh(server, "product")


def _restored(server: EmbeddedPostgres, restored: str) -> str:
    return restored


def _renamed(server: EmbeddedPostgres, restored: str) -> str:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("ALTER DATABASE product RENAME TO renamed")
    return server.dsn("renamed")


def _swapped(server: EmbeddedPostgres, restored: str) -> str:
    """The name stays, and another database has it now."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("ALTER DATABASE product RENAME TO renamed")
        connection.execute("ALTER DATABASE elsewhere RENAME TO product")
    return server.dsn("product")


ELSEWHERE = {
    "another name": _another_name,
    "created again": _created_again,
    "a restored copy": _restored,
    "renamed": _renamed,
    "swapped": _swapped,
}
Turn = Callable[[], str]


@pytest.fixture(params=ELSEWHERE)
def turn(
    request: pytest.FixtureRequest, databases: EmbeddedPostgres, restored_copy: str, monkeypatch: pytest.MonkeyPatch
) -> Turn:
    """From now on the variable leads to a database that nobody meant; its DSN."""

    def turn() -> str:
        there = ELSEWHERE[request.param](databases, restored_copy)
        monkeypatch.setenv(VARIABLE, there)
        return there

    return turn


def test_between_the_votes_and_the_claim(turn: Turn, staging: Environment, kind: Writes, people: list[User]) -> None:
    operation = voted(staging, people)
    there = turn()

    assert run(operation).status == "expired"

    assert "and staging is database product" in operation.error
    assert marks(there) == 0


def test_between_the_claim_and_the_session_that_writes(
    turn: Turn, staging: Environment, kind: Writes, people: list[User]
) -> None:
    turned: list[str] = []
    kind.before = lambda: turned.append(turn())

    operation = run(voted(staging, people))

    assert operation.status == "failed"
    assert "and staging is database product" in operation.error
    assert marks(turned[0]) == 0


def test_before_it_is_asked(turn: Turn, staging: Environment, kind: Writes, people: list[User]) -> None:
    known(staging)
    there = turn()

    operation = run(voted(Environment.objects.get(pk=staging.pk), people))

    assert operation.status == "expired"
    assert marks(there) == 0


def test_another_variable_for_the_same_row_ends_the_request(
    staging: Environment, kind: Writes, people: list[User], databases: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = voted(staging, people)
    before = sealing.content_sha256(kind, operation.environment, {})
    monkeypatch.setenv("OTHER_DSN", databases.dsn("product", "owner"))

    Environment.objects.filter(pk=staging.pk).update(migration_dsn_env="OTHER_DSN")

    assert sealing.content_sha256(kind, Environment.objects.get(pk=staging.pk), {}) != before
    assert run(operation).status == "expired"
    assert "OTHER_DSN" in operation.error
    assert marks(databases.dsn("product")) == 0


def test_another_way_to_the_same_database_ends_the_request_once(
    staging: Environment, kind: Writes, people: list[User], databases: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A physical copy has its original's identity: only the way to it tells them apart."""
    operation = voted(known(staging), people)
    monkeypatch.setenv(VARIABLE, databases.dsn("product").replace("127.0.0.1", "localhost"))

    assert run(operation).status == "expired"
    assert "127.0.0.1" in operation.error
    assert run(voted(Environment.objects.get(pk=staging.pk), people)).status == "succeeded"


def test_votes_bind_the_database(staging: Environment, kind: Writes, people: list[User]) -> None:
    unknown = sealing.content_sha256(kind, staging, {})

    operation = voted(staging, people)

    assert operation.bound["database"][2] == "product"
    assert operation.content_sha256 != unknown
    assert {vote.content_sha256 for vote in operation.approvals.all()} == {operation.content_sha256}


def test_what_was_asked_before_anybody_knew_is_recorded_by_the_claim(
    staging: Environment, kind: Writes, people: list[User], databases: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    operation = voted(staging, people)
    assert operation.bound == {}
    monkeypatch.setenv(VARIABLE, databases.dsn("product"))

    assert run(operation).status == "succeeded", operation.error

    assert Environment.objects.get(pk=staging.pk).database_name == "product"
    assert marks(databases.dsn("product")) == 1


def test_a_request_of_an_older_version_goes_on(
    staging: Environment, kind: Writes, people: list[User], databases: EmbeddedPostgres
) -> None:
    """It has no binding at all, and the digest that the older version took."""
    known(staging)
    digest = sealing.content_sha256(kind, staging, {}, {})
    fields = {name: getattr(voted(staging, people), name) for name in ("risk", "expires_at", "requested_by")}
    older = Operation.objects.create(
        kind=kind.name,
        environment=staging,
        content_sha256=digest,
        approvals_required=1,
        status="awaiting_approval",
        **fields,
    )
    for step in Operation.objects.exclude(pk=older.pk).latest("requested_at").steps.all():
        older.steps.create(position=step.position, name=step.name, pool=step.pool)

    asked_for(older)
    assert run(approve(older, by=people[1])).status == "succeeded", older.error


def test_a_role_that_may_no_longer_read_the_server_is_refused(
    staging: Environment, kind: Writes, people: list[User], databases: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(staging)
    with psycopg.connect(databases.dsn("product"), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE blind LOGIN PASSWORD '{databases.password}'")
        connection.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    monkeypatch.setenv(VARIABLE, databases.dsn("product", "blind"))
    try:
        with pytest.raises(Refused, match="GRANT EXECUTE ON FUNCTION pg_control_system"):
            known(Environment.objects.get(pk=staging.pk))
    finally:
        with psycopg.connect(databases.dsn("product"), autocommit=True) as connection:
            connection.execute("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC")
            connection.execute("DROP ROLE blind")
