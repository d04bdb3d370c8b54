"""A machine whose clock is wrong measures nothing by it: what is due, fresh, over or gone goes by the database's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backups.models import Policy, Run
from deployments.health import probing
from deployments.health.sight import Sight
from deployments.kinds import maintenance
from deployments.models import HealthCheck, Service
from ledger.services import record
from operations.doctor.beats import living_workers
from operations.engine.claim import claim, lock
from operations.engine.finish import wait
from operations.engine.sealing import erase_old
from operations.engine.tick import overdue_always_steps
from operations.factors import step_up
from operations.factors.acts import Binding
from operations.models import AccessToken, Environment, Heartbeat, Notification, Operation, StepUp
from operations.notify import deadman, enqueue
from operations.notify.outbox import now_due
from operations.periodic.clock import database_time
from operations.periodic.gone import not_found
from operations.tokens import use
from operations.worker.django_q import beat
from providers.http.health_probe import HealthResponse
from sampelit_ops.models import Session
from tests.stepping import break_glass

pytestmark = pytest.mark.django_db
Ask = Callable[..., Operation]
WRONG = [timedelta(hours=26), timedelta(hours=-26)]
NEAR = timedelta(minutes=2)


@pytest.fixture(params=WRONG, ids=["ahead", "behind"])
def wrong(request: pytest.FixtureRequest) -> time_machine.travel:
    return time_machine.travel(timezone.now() + request.param)


@pytest.fixture
def api(production: Environment) -> Service:
    return Service.objects.create(
        render_id="srv-1", name="api", environment=production, health_check_path="/", url="https://a.example"
    )


def near(at: datetime | None) -> bool:
    return at is not None and abs(at - database_time()) < NEAR


def test_the_next_try_is_due_after_its_pause(ask: Ask, wrong: time_machine.travel) -> None:
    lease = claim(ask().pk, "w")
    assert lease is not None
    with wrong:
        wait(lease, lock(lease).steps.all()[0])

    assert near(Operation.objects.get().due_at)


def test_a_request_lives_its_time(ask: Ask, wrong: time_machine.travel) -> None:
    with wrong:
        asked = ask()

    assert near(asked.requested_at)
    assert near(asked.expires_at - timedelta(hours=72))


def test_no_secret_is_erased_before_its_day(ask: Ask, wrong: time_machine.travel) -> None:
    asked = ask()
    Operation.objects.filter(pk=asked.pk).update(sealed="x")

    with wrong:
        erase_old()

    assert Operation.objects.get().sealed == "x"


def test_a_broken_glass_and_a_freeze_hold_as_long_as_said(
    ask: Ask, operator: User, approver: User, approver2: User, production: Environment, wrong: time_machine.travel
) -> None:
    asked = break_glass(ask("rehearsal.destructive"), by=operator, reason="shop is down")
    production.frozen_until = timezone.now() + timedelta(hours=1)
    production.save()
    long_over = ask("rehearsal.destructive", key="other")
    Operation.objects.filter(pk=long_over.pk).update(break_glass_until=timezone.now() - timedelta(hours=1))
    long_over.refresh_from_db()

    with wrong:
        held = asked.glass_is_broken(), production.own_freeze(), long_over.glass_is_broken()

    assert held == (True, True, False)


def test_a_message_goes_out_at_once(wrong: time_machine.travel) -> None:
    with wrong:
        enqueue("one", subject="s")
        there = Notification.objects.filter(now_due()).exists()

    assert there
    assert Notification.objects.filter(now_due()).exists()


def test_a_worker_is_alive_while_it_beats_and_no_longer(ask: Ask, wrong: time_machine.travel) -> None:
    with wrong:
        beat("worker:w1", queues=["export"])
        alive = len(living_workers()), deadman.well()
    Operation.objects.filter(pk=ask().pk).update(status="running", outcome="failed")

    assert alive == (1, True) == (len(living_workers()), deadman.well())
    assert overdue_always_steps() == []
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(hours=1))
    with wrong:
        assert (living_workers(), deadman.well()) == ([], False)
        assert len(overdue_always_steps()) == 1


def test_a_probe_is_due_after_its_period(api: Service, wrong: time_machine.travel) -> None:
    with wrong:
        probing.record_health(api, HealthResponse(200, b"ok"), Sight())
    assert near(HealthCheck.objects.get().checked_at)
    settled = Service.objects.filter(pk=api.pk)
    settled.update(health_streak=9)
    with wrong:
        assert probing.due() == []
    settled.update(probed_at=database_time() - timedelta(minutes=30))
    with wrong:
        assert probing.due() == [api]


def test_two_answers_of_the_same_minute_are_not_apart(api: Service, wrong: time_machine.travel) -> None:
    with wrong:
        assert not not_found(api)
    assert not not_found(api)
    with wrong:
        assert not not_found(api)
    Service.objects.update(missing_since=database_time() - timedelta(minutes=1))
    with wrong:
        assert not_found(api)


def test_maintenance_lasts_as_long_as_asked(api: Service, ask: Ask, wrong: time_machine.travel) -> None:
    class Context:
        operation = ask()

    with wrong:
        maintenance.remember(api, Context(), 30)  # type: ignore[arg-type]

    api.refresh_from_db()
    assert api.maintenance_until is not None
    assert near(api.maintenance_until - timedelta(minutes=30))


@pytest.mark.parametrize(("minutes", "red"), [(1, False), (600, True)])
def test_a_proof_is_overdue_after_its_grace(wrong: time_machine.travel, minutes: int, red: bool) -> None:
    stored_at = database_time() - timedelta(minutes=minutes)
    with wrong:
        run = Run(policy=Policy(grace_minutes=60), status="stored", stored_at=stored_at)
        assert run.proof_overdue is red


def test_a_token_and_a_factor_count_as_long_as_said(operator: User, approver: User, wrong: time_machine.travel) -> None:
    over = AccessToken.objects.issue(operator, "over")[1]
    AccessToken.objects.update(expires_at=database_time() - timedelta(hours=1))
    living, bound = AccessToken.objects.issue(operator, "living")[1], Binding("operations.review", "a", "b")
    step_up.note(approver, bound, "app")
    late = Binding("operations.review", "c", "d")
    step_up.note(approver, late, "app")
    StepUp.objects.filter(binding_sha256=late.sha256(approver.username)).update(expires_at=database_time())

    with wrong:
        assert (use.owner(living), use.owner(over)) == (operator, None)
        step_up.spend(approver.username, bound)
        with pytest.raises(step_up.StepUpNeeded):
            step_up.spend(approver.username, late)
        assert near(AccessToken.objects.issue(operator, "new")[0].expires_at - timedelta(days=30))


def test_a_session_lives_its_time(client: Client, operator: User, wrong: time_machine.travel) -> None:
    home = reverse("admin:index")
    client.force_login(operator)
    client.get(home)

    with wrong:
        assert client.get(home).status_code == 200
        assert near(Session.objects.get().expire_date - timedelta(seconds=settings.SESSION_COOKIE_AGE))
        session = client.session
        session["began_at"] -= settings.SESSION_ABSOLUTE_SECONDS + 60
        session.save()
        assert client.get(home).status_code == 302


def test_the_ledger_tells_the_databases_time(wrong: time_machine.travel) -> None:
    with wrong:
        assert near(record("signin.signed_out", actor="olga").at)
