"""The roles of the Connect page are enough for every verb, and a missing grant is named."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from backups.models import Run
from tests import portal_database
from tests.backups.conftest import ended
from tests.backups.restoring import spoil
from tests.printed_roles import printed_roles

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def roles(spoilt, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with printed_roles(spoilt["admin"], monkeypatch) as name:
        yield name


def take(spoilt: dict[str, str], statement: str, name: str) -> None:
    with psycopg.connect(spoilt["admin"], autocommit=True) as admin:
        admin.execute(statement.replace("HERE", f'"{name}"').encode())


def test_with_exactly_these_grants_a_run_is_proven_and_comes_back(roles: str, ask, restore_operation) -> None:
    operation = ended(ask())
    assert (operation.status, operation.error) == ("succeeded", "")
    run = Run.objects.get(pk=operation.result["run"])

    scratch = restore_operation(run, "scratch")
    compared = restore_operation(run, "compare")
    schema = restore_operation(run, "schema:beside")

    assert [(each.status, each.error) for each in (scratch, compared, schema)] == [("succeeded", "")] * 3
    portal_database.server.drop_database(scratch.result["database"])


def test_with_exactly_these_grants_live_tables_come_back(
    roles: str, spoilt, ask, restore_operation, maintenance: list[str]
) -> None:
    run = Run.objects.get(pk=ended(ask()).result["run"])
    spoil(spoilt)
    restore_operation(run, "compare")

    operation = restore_operation(run, "live")

    assert (operation.status, operation.error, maintenance) == ("succeeded", "", ["on", "off"])
    changed = restore_operation(run, "compare").result["difference"]["public.algorithm_audit_trail"]["changed"]
    assert changed == 0


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("REVOKE pg_read_all_data FROM sampelit_ops_export", "sampelit_ops_export"),
        ("ALTER ROLE sampelit_ops_export NOBYPASSRLS", "Row-level security hides rows"),
    ],
)
def test_an_export_names_the_grant_that_is_missing(roles: str, spoilt, ask, statement: str, said: str) -> None:
    take(spoilt, "ALTER TABLE users ENABLE ROW LEVEL SECURITY", roles)
    take(spoilt, statement, roles)

    operation = ended(ask())

    assert operation.status == "failed"
    assert said in operation.error


@pytest.mark.parametrize(
    ("statement", "target", "said"),
    [
        ("ALTER ROLE sampelit_ops_restore NOCREATEDB", "scratch", "permission denied to create database"),
        (
            "REVOKE CREATE ON DATABASE HERE FROM sampelit_ops_restore, sampelit_owner",
            "schema:beside",
            "The new schema beside could not be",
        ),
    ],
)
def test_a_restore_names_the_grant_that_is_missing(
    roles: str, spoilt, ask, restore_operation, statement: str, target: str, said: str
) -> None:
    run = Run.objects.get(pk=ended(ask()).result["run"])
    take(spoilt, statement, roles)

    operation = restore_operation(run, target)

    assert operation.status == "failed"
    assert said in operation.error
