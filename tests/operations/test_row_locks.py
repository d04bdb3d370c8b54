"""Whoever points at a row shares it until their COMMIT, with the ledger's head in hand; whoever writes there waits for
none of them. Any acts on the same operations, people and environment at once end without a deadlock.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger.services import record
from operations.approvals import voting
from operations.databases import _remember_address
from operations.engine import specs
from operations.engine.cancel import cancel
from operations.engine.claim import claim
from operations.engine.finish import end
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.engine.tick import wake_due
from operations.models import Environment, Operation
from providers.errors import Refused
from sampelit_ops.roles import sync_roles
from sampelit_ops.signin.role_changes import set_roles
from tests import portal_database, sampling
from tests.people import vouch_for
from tests.stepping import approve, break_glass, retry, revoke, stepping

pytestmark = pytest.mark.django_db(transaction=True)
PAIRS = sampling.size("LOCK_PAIRS")
Ask = Callable[..., Operation]


@pytest.fixture(autouse=True)
def _roles(db: None) -> None:
    sync_roles()


@contextmanager
def another_session(statement: str, *given: object) -> Iterator[None]:
    """It has run this statement and did not commit yet; nobody here waits for it longer than half a second."""
    with psycopg.connect(portal_database.server.dsn(connection.settings_dict["NAME"])) as other:
        other.execute(statement, given)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '500ms'")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")


@pytest.mark.parametrize("table", ["operations_environment", "operations_operation", "auth_user"])
@pytest.mark.parametrize(
    "act",
    [
        lambda operation: cancel(operation, by=operation.requested_by),
        lambda operation: claim(operation.pk, "a"),
        lambda operation: run_to_its_end(operation),
        lambda operation: set_roles_of(operation.requested_by, ["Viewer"], "anna"),
        lambda operation: _remember_address(operation.environment, "export", "10.0.0.1:5432/p"),
        lambda operation: Group.objects.update_or_create(name="Viewer"),
    ],
    ids=["cancel", "claim", "run", "roles", "address", "group"],
)
def test_who_acts_waits_for_nobody_who_only_points_there(
    ask: Ask, table: str, act: Callable[[Operation], object]
) -> None:
    operation = ask()

    with another_session(f"SELECT FROM {table} FOR KEY SHARE"):
        act(operation)


def test_a_row_is_locked_without_its_key_whoever_asks_for_it(production: Environment) -> None:
    with CaptureQueriesContext(connection) as queries:
        Environment.objects.update_or_create(slug="production", defaults={"name": "Changed"})

    locks = [query["sql"] for query in queries if " FOR " in query["sql"]]
    assert [sql.endswith(" FOR NO KEY UPDATE") for sql in locks] == [True]


def test_an_end_waits_for_nobody_who_claims_the_next_one_with_its_key(ask: Ask) -> None:
    first, following = ask(), ask()
    lease = claim(first.pk, "a")
    assert lease is not None

    with another_session("SELECT FROM operations_operation WHERE id = %s FOR NO KEY UPDATE", following.pk):
        end(lease, "succeeded", "")
        first.refresh_from_db()
        assert first.status == "succeeded"


def run_to_its_end(operation: Operation) -> None:
    """What fails in between is tried again later by itself; here it may not."""
    status = run_operation(operation.pk, "a", frozenset(specs.POOLS), end_process=lambda: None)
    assert status == "succeeded"


def set_roles_of(person: User, roles: list[str], admin: str) -> None:
    """As an admin who shows a factor for it; which roles they are plays no part here."""
    stepping(lambda *, by: set_roles(person, roles, by=by))(by=admin)


def acts(world: list[Operation], people: dict[str, User], chance: random.Random) -> list[Callable[[], object]]:
    """Three acts of one round, on operations with the same key, environment and people."""
    one, other = chance.sample(world, 2)
    place, olga = one.environment, people["olga"]
    pools = frozenset(specs.POOLS)
    voter = people[chance.choice(["ada", "ben"])]
    possible: list[Callable[[], object]] = [
        lambda: run_operation(one.pk, "a", pools, end_process=lambda: None),
        lambda: run_operation(other.pk, "b", pools, end_process=lambda: None),
        lambda: approve(one, by=voter),
        lambda: revoke(one, by=voter),
        lambda: voting.reject(one, by=voter),
        lambda: cancel(one, by=olga),
        lambda: retry(one, by=olga),
        lambda: break_glass(one, by=olga, reason="the product is down"),
        lambda: request("rehearsal.sensitive", by=olga, environment=place, parameters={"key": "k"}, reason="again"),
        lambda: set_roles_of(voter, chance.choice([["Viewer"], []]), "anna"),
        lambda: Environment.objects.filter(pk=place.pk).update(name=str(chance.random())),
        lambda: _remember_address(place, "export", f"10.0.0.{chance.randrange(200)}:5432/p"),
        lambda: record("rehearsal.note", actor="olga", environment=place.slug, subject=one.pk),
        voting.reevaluate,
        wake_due,
    ]
    return chance.sample(possible, 3)


def at_once(round_of: list[Callable[[], object]]) -> list[Exception]:
    """What went wrong: a refusal is none."""
    barrier, wrong = threading.Barrier(len(round_of)), list[Exception]()

    def run(act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            act()
        except (Refused, PermissionDenied):
            pass
        except Exception as error:
            wrong.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in round_of]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return wrong


def test_acts_at_once_end_without_a_deadlock(
    ask: Ask, operator: User, approver: User, approver2: User, production: Environment
) -> None:
    people = {user.username: user for user in (operator, approver, approver2)}
    log = portal_database.server.data_dir / "server.log"
    before, chance = log.stat().st_size, random.Random(sampling.SEED)

    for _ in range(PAIRS):
        for person in (approver, approver2):
            vouch_for(person)
        world = [ask("rehearsal.sensitive"), ask("rehearsal.routine"), ask("rehearsal.routine")]
        assert at_once(acts(world, people, chance)) == []

    with log.open(errors="replace") as lines:
        lines.seek(before)
        assert [line for line in lines if "deadlock detected" in line] == []
