"""Deadlines, stalls, the second factor, acts that restore service, and the guarded write on the product's database."""

from __future__ import annotations

import threading

import psycopg
import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from operations.engine import kinds, specs
from operations.engine.claim import claim
from operations.engine.finish import end
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.factors import devices
from operations.models import Operation, Risk, Step, Task
from providers.errors import ProviderError
from providers.postgres.locked_session import guarded_session

pytestmark = pytest.mark.django_db(transaction=True)
ALL = frozenset(specs.POOLS)


class Slow(kinds.OperationKind):
    """A kind whose one step does what the test says, under short limits."""

    name, label, permission, risk = "test.slow", "Slow", "operations.run_rehearsal", Risk.ROUTINE

    def __init__(self, run, **limits):
        self.steps = [specs.step("slow", run, **limits)]


@pytest.fixture
def start(monkeypatch, operator, production):
    def start(kind: kinds.OperationKind) -> tuple[Operation, list[str]]:
        monkeypatch.setitem(kinds.registry.kinds, kind.name, kind)
        operation = request(kind.name, by=operator, environment=production, parameters={})
        killed: list[str] = []
        ended = threading.Event()
        kind.ended = ended

        def end_process() -> None:
            killed.append("killed")
            ended.set()

        run_operation(operation.pk, "test", ALL, end_process=end_process)
        operation.refresh_from_db()
        return operation, killed

    return start


def test_a_step_over_its_deadline_fails_the_operation(start):
    def work(context):
        while not kind.ended.wait(0.05):
            context.moved_at += 0.05
        context.check()

    kind = Slow(work, deadline=0.4, stall=60)

    operation, killed = start(kind)

    assert killed == ["killed"]
    assert operation.outcome == "failed"
    assert "overran its deadline" in operation.error
    Operation.objects.filter(pk=operation.pk).update(lease_until=None)
    assert run_operation(operation.pk, "test", ALL, end_process=lambda: None) == "failed"


def test_a_step_that_stands_still_is_ended_and_tried_again(start):
    def work(context):
        kind.ended.wait(10)
        context.check()

    kind = Slow(work, deadline=60, stall=0.3)

    operation, killed = start(kind)

    assert killed == ["killed"]
    assert (operation.status, operation.outcome) == ("running", "")


def test_a_destructive_act_needs_a_second_factor_outside_the_demo(operator, production, settings):
    settings.DEMO = False
    asked = {"by": operator, "environment": production, "parameters": {"key": "k"}}
    with pytest.raises(PermissionDenied, match="second factor"):
        request("rehearsal.destructive", **asked)
    assert not Operation.objects.exists()

    devices.enrol(operator, "phone")

    assert request("rehearsal.destructive", **asked).status == "awaiting_approval"


def test_an_act_that_restores_service_opens_a_review_for_somebody_else(ask, operator, monkeypatch):
    monkeypatch.setattr(kinds.get("rehearsal.urgent"), "restores_service", True, raising=False)

    operation = ask("rehearsal.urgent")

    assert operation.status == "queued"
    assert not Task.objects.filter(kind="review_restore_of_service").exists()
    assert run_operation(operation.pk, "test", ALL, end_process=lambda: None) == "succeeded"
    assert Task.objects.get(kind="review_restore_of_service").not_by == operator


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
@pytest.mark.parametrize("begun", [True, False])
def test_it_is_reviewed_however_it_ended_once_it_had_begun(ask, monkeypatch, status, begun):
    monkeypatch.setattr(kinds.get("rehearsal.urgent"), "restores_service", True, raising=False)
    lease = claim(ask("rehearsal.urgent").pk, "test")
    if begun:
        Step.objects.update(status="succeeded")

    end(lease, status, "")

    assert Task.objects.filter(kind="review_restore_of_service").exists() is begun


def test_the_guarded_write_happens_once_and_the_lock_is_polled(ask, sampelit_copy, monkeypatch):
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", sampelit_copy["migration"])
    operation = ask(write="yes")

    with guarded_session(sampelit_copy["migration"], "other", lease_seconds=2, wait_seconds=1):
        assert run_operation(operation.pk, "test", ALL, end_process=lambda: None) == "succeeded"

    with psycopg.connect(sampelit_copy["admin"]) as product:
        assert product.execute("SELECT operation FROM public.ops_rehearsal").fetchall() == [(operation.pk,)]


def test_a_second_writer_is_told_to_wait_and_an_idle_one_is_ended(sampelit_copy):
    dsn = sampelit_copy["migration"]
    with guarded_session(dsn, "k", lease_seconds=0.7, wait_seconds=1) as first:
        with pytest.raises(ProviderError, match="Nothing was written") as caught:
            with guarded_session(dsn, "k", lease_seconds=1, wait_seconds=0.2):
                raise AssertionError("two writers")
        assert caught.value.retryable
        with guarded_session(dsn, "k", lease_seconds=5, wait_seconds=5):  # the first one idled past its lease
            with pytest.raises(psycopg.Error):
                first.execute("SELECT 1")


def test_log_lines_of_a_step_carry_the_operation(ask, caplog):
    operation = ask()
    run_operation(operation.pk, "test", ALL, end_process=lambda: None)
    operation.refresh_from_db()
    assert "work: " not in operation.log
    assert "prepare: prepared" in operation.log
    connection.close()
