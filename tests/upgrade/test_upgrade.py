"""What waited in a portal of commit 6c99367 goes on in this one: its dump is loaded, migrated and worked off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, transaction
from django_q.models import OrmQ
from django_q.signing import BadSignature, SignedPackage
from pytest_django.plugin import DjangoDbBlocker

from ledger.services import record, verify
from migrations_registry.analysis import ruleset
from operations.authority import VOTE
from operations.engine import kinds, specs
from operations.engine.claim import claim
from operations.engine.claim_checks import Specs, accept
from operations.engine.sealing import unseal
from operations.engine.tick import wake_due
from operations.models import AccessToken, Operation, Status
from operations.tokens.use import owner
from operations.votes.judge import counted
from operations.worker.django_q import dispatch
from tests import portal_database
from tests.stepping import approve

pytestmark = pytest.mark.slow

DUMP = Path(__file__).with_name("portal_6c99367.sql")
SEALED_TO = "AGE-SECRET-KEY-1YD8747N22EVNG2RGT284X3QF9DHUAS8KYAR4ZJ3REUS9MJY4JTVS4SZ0TW"  # made for this dump
SEALED = "synthetic-value-7"
OLD_TOKEN = """
    INSERT INTO operations_accesstoken (user_id, name, token_sha256, created_at, expires_at)
    SELECT min(id), 'from before scopes', encode(sha256('opst_old'), 'hex'), now(), now() + '30 days' FROM auth_user
"""


@pytest.fixture(scope="module")
def upgraded(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A database with the dump in it, brought up to date by `migrate`: the template of the tests' copies."""
    name = f"upgraded_{uuid4().hex[:12]}"
    portal_database.server.create_database(name)
    with psycopg.connect(portal_database.server.dsn(name), autocommit=True) as loading:
        loading.execute(DUMP.read_bytes())
        loading.execute(OLD_TOKEN)
    with django_db_blocker.unblock(), PortalIs(name):
        call_command("migrate", verbosity=0)
    yield name
    portal_database.server.drop_database(name)


@pytest.fixture(autouse=True)
def portal(upgraded: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    name = f"portal_{uuid4().hex[:12]}"
    portal_database.server.create_database(name, template=upgraded)
    with django_db_blocker.unblock(), PortalIs(name):
        yield
    portal_database.server.drop_database(name)


class PortalIs:
    """Django's connection leads to this database meanwhile."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        self.swap()

    def __exit__(self, *_: object) -> None:
        self.swap()

    def swap(self) -> None:
        connection.close()
        self.name, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], self.name
        ContentType.objects.clear_cache()


def waiting(kind: str, **wanted: Any) -> Operation:
    return Operation.objects.select_related("environment").get(kind=kind, **wanted)


def votes(operation: Operation) -> int:
    """How many of its votes count, by what the upgrade wrote down."""
    return len(counted(operation, [operation.environment]))


def claimed(operation: Operation) -> Specs | None:
    lease = claim(operation.pk, "worker-2")
    assert lease is not None, f"{operation} could not be claimed"
    steps = accept(lease)
    operation.refresh_from_db()
    return steps


def test_an_approved_migration_that_other_rules_judged_expires_and_says_so():
    operation = waiting("migrations.apply")
    assert (operation.status, operation.risk, votes(operation)) == (Status.QUEUED, "destructive", 2)
    kind = kinds.get(operation.kind)
    assert kind.assess(operation.environment, operation.parameters) == operation.risk

    assert claimed(operation) is None

    assert operation.status == Status.EXPIRED
    assert "What would run changed since it was asked" in operation.error
    assert f"The rules that judge SQL are others (ad3f36ecaff42456 then, {ruleset()} now)." in operation.error
    assert "Nothing was run. Request it again." in operation.error


def test_a_queued_export_begins():
    operation = waiting("backups.export", status=Status.QUEUED)
    assert claimed(operation) is not None
    assert (operation.status, operation.error) == (Status.RUNNING, "")


def test_a_deploy_that_lacks_a_vote_keeps_the_one_it_has():
    operation = waiting("deployments.deploy")
    assert (operation.status, votes(operation)) == (Status.AWAITING_APPROVAL, 1)

    operation = approve(operation, by=User.objects.get(username="ben"))

    assert operation.status == Status.QUEUED
    assert claimed(operation) is not None
    assert (operation.status, operation.error) == (Status.RUNNING, "")


def test_a_sealed_parameter_opens(settings):
    settings.OPS_SEAL_IDENTITY = SEALED_TO
    operation = waiting("deployments.set_variable")
    for name in ("ada", "ben"):
        approve(operation, by=User.objects.get(username=name))

    assert claimed(operation) is not None

    assert operation.status == Status.RUNNING
    assert unseal(operation, "value") == SEALED


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the steps that ran, in place of what the steps of an export do."""
    names: list[str] = []
    kind = kinds.get("backups.export")
    noted = [
        specs.step(each.name, noting(names, each.name), pool=each.pool, always=each.always, undoes=each.undoes)
        for each in kind.resolved_steps({})
    ]
    monkeypatch.setattr(type(kind), "steps", noted)
    return names


def noting(names: list[str], name: str) -> Callable[[object], None]:
    return lambda _: names.append(name)


def deliver(queue: str, operation: Operation, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker of this queue does with a message about an operation."""
    monkeypatch.setenv("Q_CLUSTER_NAME", queue)
    dispatch(operation.pk)


def test_a_message_carries_an_export_on_after_its_copy(ran, monkeypatch):
    operation = waiting("backups.export", status=Status.RUNNING)
    assert [(step.name, step.status) for step in operation.steps.all()] == [
        ("copy", "succeeded"),
        ("prove", "pending"),
        ("settle", "pending"),
    ]

    deliver("prove", operation, monkeypatch)
    assert ran == ["prove"]
    deliver("export", operation, monkeypatch)

    operation.refresh_from_db()
    assert ran == ["prove", "settle"]
    assert (operation.status, operation.error) == (Status.SUCCEEDED, "")


def test_messages_under_way_are_dropped_and_the_tick_sends_what_they_said():
    under_way = OrmQ.objects.filter(key__in=["export", "prove"])
    assert under_way
    for message in under_way:
        with pytest.raises(BadSignature, match="woken by the tick"):
            SignedPackage.loads(message.payload)
    OrmQ.objects.all().delete()

    wake_due()

    woken = {SignedPackage.loads(message.payload)["args"][0] for message in OrmQ.objects.all()}
    assert woken == set(
        Operation.objects.filter(status__in=[Status.QUEUED, Status.RUNNING]).values_list("pk", flat=True)
    )


def test_the_ledger_goes_on():
    before = verify()
    with transaction.atomic():
        record("operations.requested", actor="olga", environment="production")
    after = verify()
    assert (before.problems, after.problems) == ([], [])
    assert (before.entries, after.entries) == (12, 13)  # the dump's ten, and two that `migrate` wrote


def test_a_token_from_before_scopes_does_what_it_did_but_vote() -> None:
    user = owner("opst_old")

    token = AccessToken.objects.get()
    assert (user, token.scopes, token.environment) == (token.user, ["read", "request", "admin"], None)
    assert "needs the scope vote" in token.why_not(VOTE, None)
