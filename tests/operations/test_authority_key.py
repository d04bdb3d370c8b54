"""Who loads strangers' rows holds the shared key and the database, not AUTHORITY_KEY: nothing it writes is a vote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client
from django.utils import timezone

from ledger import authenticity
from ledger.services import record
from operations.approvals.voting import reevaluate
from operations.engine import tick
from operations.models import Approval, Environment, Heartbeat, Operation
from operations.votes.authority_key import publish
from operations.votes.judge import counted, why_not_yet
from providers.errors import Refused
from sampelit_ops.variables import session_key
from tests.people import holder
from tests.running import run_once
from tests.stepping import approve, break_glass

pytestmark = pytest.mark.django_db(transaction=True)
WEB, OTHER = "w" * 50, "o" * 50


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(authenticity, "GRACE", timedelta(0))
    authenticity.forget()
    yield
    authenticity.forget()


@pytest.fixture
def web(settings: Any) -> Callable[[str], None]:
    """From now on this process is one of the portal's that holds AUTHORITY_KEY."""

    def become(key: str = WEB, *earlier: str) -> None:
        settings.AUTHORITY_KEY, settings.AUTHORITY_KEY_FALLBACKS = key, list(earlier)
        settings.SECRET_KEY = session_key(settings.SHARED_KEY, settings.FACTOR_KEY)
        User.objects.get_or_create(username="amir")
        publish()

    return become


@pytest.fixture
def prover(settings: Any) -> Callable[[], None]:
    """From now on this process is the stolen prove worker: the shared key and the portal's database, no other key."""

    def become() -> None:
        settings.AUTHORITY_KEY, settings.FACTOR_KEY, settings.SECRET_KEY = "", "", settings.SHARED_KEY
        authenticity.forget()

    return become


def unknown(name: str) -> User:
    """Somebody whom rows call an approver, and no entry."""
    person = holder(name, "view_operation")
    person.user_permissions.add(Permission.objects.get(codename="approve_operation"))
    return User.objects.get(pk=person.pk)


def begins(operation: Operation) -> bool:
    reevaluate()
    run_once(operation)
    operation.refresh_from_db()
    return operation.steps.exclude(status__in=["pending", "skipped"]).exists()


def forge_vote(operation: Operation, name: str) -> None:
    """The row, and the entry that the portal itself would have written, with all the keys that are here."""
    Approval.objects.create(
        operation=operation,
        approved_by=User.objects.get(username=name),
        requested_by=operation.requested_by,
        content_sha256=operation.content_sha256,
        decision="approve",
    )
    record("operations.approved", actor=name, subject=operation.pk, data={"content_sha256": operation.content_sha256})


def test_a_stolen_prover_casts_no_vote(ask, approver, approver2, web, prover):
    web()
    operation = ask("rehearsal.destructive")
    prover()
    for name in ("ada", "ben"):
        forge_vote(operation, name)
    Operation.objects.filter(pk=operation.pk).update(status="queued")

    web()
    assert not begins(operation)
    assert "0 of 2 votes count." in operation.error


def test_a_stolen_prover_makes_nobody_an_approver(ask, web, prover):
    """Neither by an entry, nor by one that confirms, nor by one that says it was known long since."""
    web()
    operation = ask("rehearsal.sensitive")
    eve = unknown("eve")
    prover()
    record("signin.role_given", actor="amir", subject="eve", data={"role": "Approver"})
    record("operations.approver_confirmed", actor="amir", subject="eve", data={"roles": ["Approver"]})
    record("operations.voters_known", actor="system", data={"people": {"eve": ["Approver"]}, "votes": {}})

    web()
    assert "does not say who made eve an approver" in why_not_yet("eve", [operation.environment])
    with pytest.raises(Refused, match="Nothing was changed"):
        approve(operation, by=eve)


def test_a_stolen_prover_breaks_no_glass(ask, operator, web, prover):
    web()
    operation = ask("rehearsal.destructive")
    prover()
    now = timezone.now()
    until = now + timedelta(minutes=20)
    broken = {"break_glass_by": operator, "break_glass_from": now, "break_glass_until": until, "due_at": None}
    Operation.objects.filter(pk=operation.pk).update(status="queued", break_glass_reason="an emergency", **broken)
    record("operations.break_glass", actor=operator.username, subject=operation.pk, data={"until": until.isoformat()})

    web()
    assert not begins(operation)


def test_a_stolen_prover_lowers_no_votes(production, web, prover):
    web()
    prover()
    Environment.objects.filter(pk=production.pk).update(votes_destructive=0, protected=False)

    web()
    assert Environment.objects.get(pk=production.pk).votes("destructive") == 2


def test_a_stolen_prover_asks_in_nobodys_name(ask, operator, production, web, prover):
    web()
    real = ask("rehearsal.routine")
    prover()
    forged = Operation.objects.get(pk=real.pk)
    forged.pk, forged.status, forged._state.adding = "01ARZ3NDEKTSV4RRFFQ69G5FAV", "queued", True
    forged.save()
    sha = forged.content_sha256
    record("operations.requested", actor=operator.username, subject=forged.pk, data={"content_sha256": sha})

    web()
    assert not begins(forged)


def test_a_key_that_the_prover_publishes_counts_nowhere_else(ask, approver, approver2, web, prover, settings):
    web()
    operation = ask("rehearsal.destructive")
    prover()
    settings.AUTHORITY_KEY = OTHER
    publish()
    for name in ("ada", "ben"):
        forge_vote(operation, name)

    web()
    assert counted(operation, [operation.environment]) == []


def test_a_stolen_prover_signs_nobody_in(web, prover):
    """What it makes of the shared key is no session, however well it knows the person's row."""
    web()
    ada = holder("ada", "view_operation", "approve_operation")
    prover()
    stolen = SessionStore()
    stolen["_auth_user_id"], stolen["_auth_user_backend"] = str(ada.pk), django_settings.AUTHENTICATION_BACKENDS[-1]
    stolen["_auth_user_hash"] = ada.get_session_auth_hash()
    stolen.create()

    web()
    client = Client()
    client.cookies[django_settings.SESSION_COOKIE_NAME] = str(stolen.session_key)
    assert client.get("/admin/operations/operation/").status_code == 302


def test_what_counted_before_the_key_goes_on_to_count(ask, approver, approver2, production, web):
    operation = ask("rehearsal.destructive")
    approve(operation, by=approver)
    web()
    assert not Environment.objects.get(pk=production.pk).was_altered
    approve(operation, by=approver2)
    assert begins(operation)


def test_a_row_that_a_process_wrote_before_it_heard_of_the_key_is_signed_in_time(production, web, prover, monkeypatch):
    monkeypatch.setattr(authenticity, "GRACE", timedelta(minutes=10))
    web()
    prover()
    late = [Environment.objects.create(slug=slug, name=slug, kind="preview") for slug in ("late", "later")]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE operations_environment SET protected = true, revision = 9 WHERE slug = 'later'")

    web()
    monkeypatch.setattr(authenticity, "GRACE", timedelta(0))

    assert [Environment.objects.get(pk=row.pk).was_altered for row in (production, *late)] == [False, False, True]


def test_a_row_that_sql_changed_is_not_signed_by_publishing(production, web):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE operations_environment SET votes_destructive = 0, revision = revision + 1")
    web()
    assert Environment.objects.get(pk=production.pk).was_altered


def test_a_ticker_publishes_it_once_as_soon_as_there_are_people(settings):
    settings.AUTHORITY_KEY = WEB
    tick.tick()
    assert authenticity.published().since is None
    holder("vera")
    for _ in range(2):
        Heartbeat.objects.update(beat_at=tick.NEVER)
        tick.tick()
    assert authenticity.published().keys == (authenticity.public_key(WEB),)


@pytest.mark.parametrize(("earlier", "count"), [((WEB,), 2), ((), 0)])
def test_another_key_keeps_votes_while_the_earlier_one_is_known(ask, approver, approver2, web, earlier, count):
    web()
    operation = ask("rehearsal.destructive")
    for person in (approver, approver2):
        approve(operation, by=person)
    web(OTHER, *earlier)
    assert len(counted(operation, [operation.environment])) == count
    assert Environment.objects.get(pk=operation.environment_id).was_altered is (not earlier)


def test_what_a_prover_forged_between_two_keys_stays_forged(ask, approver, approver2, web, prover):
    web()
    operation = ask("rehearsal.destructive")
    prover()
    forge_vote(operation, "ada")
    web(OTHER)
    assert counted(operation, [operation.environment]) == []


def test_without_the_key_a_process_says_so_and_does_no_duty(ask, approver, operator, web, prover, monkeypatch):
    web()
    operation = ask("rehearsal.sensitive")
    ran = list[str]()
    monkeypatch.setattr(tick, "run_job", lambda job: ran.append(job.name))
    prover()
    for act in (
        lambda: approve(operation, by=approver),
        lambda: break_glass(operation, by=operator, reason="an emergency"),
        lambda: ask("rehearsal.routine"),
    ):
        with pytest.raises(Refused, match="has no AUTHORITY_KEY"):
            act()
    tick.tick()
    assert ran == []
    assert not Approval.objects.exists()

    web()
    tick.tick()
    assert len(ran) > 20


def test_groups_are_no_votes(ask, web, prover):
    """Rows alone never did it; this holds that a member of the group whom no signed entry names has no vote."""
    web()
    operation = ask("rehearsal.sensitive")
    eve = unknown("eve")
    eve.groups.add(Group.objects.get_or_create(name="Approver")[0])
    prover()
    forge_vote(operation, "eve")
    web()
    assert not begins(operation)
