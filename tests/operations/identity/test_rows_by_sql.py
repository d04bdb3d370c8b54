"""SQL that changes what an environment asks for is refused, and where it gets past the guard it counts for nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from operations.doctor.identity import environment_rows
from operations.kinds.change_environment import ChangeEnvironment
from operations.models import Environment
from tests.operations.identity.conftest import run
from tests.people import holder
from tests.stepping import approve, request

pytestmark = pytest.mark.django_db
CHANGES = [
    "votes_destructive = 0",
    "votes_destructive = NULL",
    "votes_sensitive = 0",
    "votes_destructive = 0, votes_sensitive = 0, votes_routine = 0",
    "protected = false",
    "protected = false, votes_destructive = NULL",
    "migration_dsn_env = 'OTHER_DSN'",
    "restore_dsn_env = 'OTHER_DSN'",
    "export_dsn_env = 'OTHER_DSN'",
    "supabase_ref = 'another'",
]
PAST = [
    "revision = revision + 1",
    "revision = revision + 1, mac = ''",
    "revision = revision + 7, mac = repeat('0', 64)",
    "revision = revision + 1, mac = (SELECT mac FROM operations_environment WHERE slug = 'lax')",
]


@pytest.fixture
def strict() -> Environment:
    """Three votes once; a lax one beside it."""
    Environment.objects.create(slug="lax", name="Lax", votes_destructive=0)
    row = Environment.objects.create(slug="strict", name="Strict", kind="production", protected=True)
    person = holder("amir", "change_environment")
    run(request("environments.change", by=person, environment=row, parameters={"votes_destructive": "3"}))
    return Environment.objects.get(pk=row.pk)


def sql(changes: str, slug: str = "strict") -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE operations_environment SET {changes} WHERE slug = %s", [slug])


@pytest.mark.parametrize("changes", [*CHANGES, "revision = revision - 1"])
def test_a_plain_update_is_refused(strict: Environment, changes: str) -> None:
    with pytest.raises(IntegrityError, match=r"environments\.change"), transaction.atomic():
        sql(changes)


@pytest.mark.parametrize("past", PAST)
@pytest.mark.parametrize("changes", CHANGES)
def test_one_that_gets_past_the_guard_counts_for_nothing(strict: Environment, changes: str, past: str) -> None:
    sql(f"{changes}, {past}")

    row = Environment.objects.get(slug="strict")
    strict.refresh_from_db()

    for read in (row, strict):
        assert (read.votes("destructive"), read.votes("sensitive")) == (3, 1)
    assert [check.tone for check in environment_rows(None)] == ["bad"]
    assert [check.tone for check in environment_rows(Environment.objects.get(slug="lax"))] == ["ok"]


def test_an_older_row_cannot_be_put_back(strict: Environment) -> None:
    Environment.objects.filter(pk=strict.pk).update(votes_destructive=1)
    older = Environment.objects.values("votes_destructive", "revision", "mac").get(pk=strict.pk)
    Environment.objects.filter(pk=strict.pk).update(votes_destructive=4)

    with pytest.raises(IntegrityError), transaction.atomic():
        sql("votes_destructive = 1, mac = '{mac}', revision = {revision}".format(**older))
    sql("votes_destructive = 1, mac = '{mac}'".format(**older) + ", revision = revision + 1")

    assert Environment.objects.get(pk=strict.pk).votes("destructive") == 3


@pytest.mark.parametrize(
    "write",
    [
        lambda row: Environment.objects.filter(pk=row.pk).update(health_url="https://x.example"),
        lambda row: Environment.objects.filter(pk=row.pk).update(votes_routine=0),
        lambda row: Environment.objects.filter(pk=row.pk).update(addresses={"export": ["x"]}),
        lambda row: row.save(),
    ],
)
def test_nothing_that_the_portal_writes_meanwhile_makes_it_valid(
    strict: Environment, write: Callable[[Environment], Any]
) -> None:
    sql("votes_destructive = 0, revision = revision + 1")

    write(Environment.objects.get(pk=strict.pk))

    assert Environment.objects.get(pk=strict.pk).votes("destructive") == 3


def test_an_approved_change_makes_it_valid_again_and_says_all_of_it(strict: Environment) -> None:
    sql("votes_destructive = 2, migration_dsn_env = 'ODD_DSN', revision = revision + 1")
    row = Environment.objects.get(pk=strict.pk)
    lines = ChangeEnvironment().consequences(row, {"votes_destructive": "2"})

    amir = User.objects.get(username="amir")
    asked = request("environments.change", by=amir, environment=row, parameters={"votes_destructive": "2"})
    for name in ("ada", "ben", "carl"):
        asked = approve(asked, by=holder(name, "approve_operation"))

    assert any("ODD_DSN" in line.text and line.tone == "bad" for line in lines)
    assert (asked.risk, asked.approvals_required) == ("destructive", 3)
    assert run(asked).status == "succeeded", asked.error
    now = Environment.objects.get(pk=strict.pk)
    assert (now.was_altered, now.votes("destructive")) == (False, 2)


def test_what_sql_changes_after_the_votes_ends_the_request(strict: Environment) -> None:
    sql("votes_destructive = 2, revision = revision + 1")
    amir, row = User.objects.get(username="amir"), Environment.objects.get(pk=strict.pk)
    asked = request("environments.change", by=amir, environment=row, parameters={"votes_destructive": "2"})
    for name in ("ada", "ben", "carl"):
        asked = approve(asked, by=holder(name, "approve_operation"))

    sql("votes_sensitive = 0, revision = revision + 1")

    assert run(asked).status == "expired"


def test_a_row_in_the_portals_hands_stays_genuine(strict: Environment, settings: Any) -> None:
    """Saved, updated, read with another key that is known, compared with a copy that is not stored."""
    strict.name = "Another"
    strict.save()
    Environment.objects.filter(pk=strict.pk).update(votes_destructive=4)
    settings.SHARED_KEY_FALLBACKS = [django_settings.SHARED_KEY]
    settings.SHARED_KEY = "another key " * 4

    row = Environment.objects.get(pk=strict.pk)

    assert (row.was_altered, row.votes("destructive")) == (False, 4)
    settings.SHARED_KEY_FALLBACKS = []
    assert Environment.objects.get(pk=strict.pk).was_altered
