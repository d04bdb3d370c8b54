"""A machine whose clock is wrong measures nothing by it: what is due, fresh, over or gone goes by the database's."""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

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
SAID = "says when something happened, and decides nothing"
SHOWN = "a page's or a line's words, range or choice, which decide nothing"
OUTSIDE = "held against another machine's clock, which no database of ours knows"
MEASURED = "this machine's clock is what is measured"
ASKED_HERE = {
    SAID: """backups/evidence/builder.py backups/proof/prove.py backups/provider/steps.py backups/recovery/rebuild.py
        ledger/backfill.py migrations_registry/apply/late_rows_copy.py operations/engine/cancel.py
        operations/engine/claim.py operations/engine/context.py operations/engine/finish.py operations/engine/run.py
        operations/engine/tick.py operations/notify/delivery.py operations/notify/first_hand.py
        operations/worker/messages.py sampelit_ops/demo/accidents/causes.py sampelit_ops/demo/history.py
        sampelit_ops/demo/users.py""",
    SHOWN: """backups/web/calendar.py backups/web/evidence_page.py backups/web/layers.py backups/web/trends.py
        deployments/web/delivery.py deployments/web/deployment_page.py deployments/web/environment_page.py
        deployments/web/logs.py ledger/admin.py operations/admin/filters.py operations/management/commands/ops.py
        operations/models/operation.py operations/web/formatting.py sampelit_ops/recover/options.py
        sampelit_ops/recover/page.py sampelit_ops/site/home_panels.py""",
    OUTSIDE: """providers/http/rate_limits.py providers/storage/local.py providers/storage/s3.py
        sampelit_ops/signin/name_limit.py""",  # S3 refuses a clock that is wrong; django-axes writes by this machine's
    MEASURED: """backups/retention/facts.py operations/doctor/portal.py operations/periodic/clock.py
        providers/postgres/preflight.py providers/storage/probe_s3.py""",
    "both ends are this machine's own": "deployments/web/remote.py providers/embedded_postgres/own_server.py",
}
CLOCKS = {"timezone.now", "time.time", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
ROOMS = ["providers", "ledger", "operations", "backups", "deployments", "migrations_registry", "sampelit_ops"]


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


def test_no_other_file_asks_this_machines_clock() -> None:
    """What is held against a stored time goes by `database_time` or `database_now`."""
    files = [path for room in ROOMS for path in Path(room).rglob("*.py")]
    asking = {path.as_posix() for path in files if CLOCKS & set(calls_in(path))}

    assert asking == {name for names in ASKED_HERE.values() for name in names.split()}


def calls_in(path: Path) -> list[str]:
    return [ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
