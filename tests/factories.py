"""A small, whole world for pages and browsers: people, environments, operations in every state, tasks, a ledger.

In: an empty database. Out: `World`. Rows go through the real services where there is one; the rest are plain creates.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone
from django_q.models import Schedule
from django_q.models import Task as Message

from operations.engine.request import request
from operations.models import AccessToken, Environment, Heartbeat, Operation, Status, Step, StepStatus, Task
from sampelit_ops.roles import sync_roles
from tests import (
    factories_apps,
    factories_evidence,
    factories_functions,
    factories_incidents,
    factories_migrations,
    factories_supabase,
)
from tests.people import vouch_for
from tests.stepping import approve


@dataclass(frozen=True)
class World:
    everything: User
    production: Environment
    operations: dict[str, Operation]


def person(username: str, **flags: bool) -> User:
    """A staff member who may do everything unless the flags say otherwise."""
    flags = {"is_staff": True, "is_superuser": True, **flags}
    return User.objects.create(username=username, first_name=username.capitalize(), **flags)


def environments() -> Environment:
    """Production, staging and two previews; returns production."""
    production = Environment.objects.create(slug="production", name="Production", kind="production", protected=True)
    Environment.objects.create(
        slug="staging",
        name="Staging",
        kind="staging",
        frozen_until=timezone.now() + timedelta(hours=3),
        freeze_reason="load test",
    )
    for number in (41, 57):
        Environment.objects.create(slug=f"pr-{number}", name=f"Pull request {number}", kind="preview")
    return production


def operations(by: User, approver: User, production: Environment) -> dict[str, Operation]:
    """One operation in each state that a page draws differently."""
    made = {name: _ask(f"rehearsal.{risk}", by, production, name) for name, risk in ASKED.items()}
    approve(made["half approved"], by=vouch_for(approver), comment="I looked at the plan.")
    for name, status in MOVED.items():
        _move(made[name], status)
    return {name: Operation.objects.get(pk=operation.pk) for name, operation in made.items()}


ASKED = {
    "waiting": "sensitive",
    "half approved": "destructive",
    "queued": "routine",
    "running": "routine",
    "succeeded": "routine",
    "failed": "routine",
    "cancelled": "routine",
}
MOVED = {
    "running": Status.RUNNING,
    "succeeded": Status.SUCCEEDED,
    "failed": Status.FAILED,
    "cancelled": Status.CANCELLED,
}


def _ask(kind: str, by: User, production: Environment, key: str) -> Operation:
    return request(kind, by=by, environment=production, parameters={"key": key}, reason=f"an operation that is {key}")


def _move(operation: Operation, status: str) -> None:
    now = timezone.now()
    lease = {
        "lease_owner": "worker-1",
        "lease_until": now + timedelta(hours=1),
        "started_at": now - timedelta(seconds=90),
        "fence": 1,
        "attempt": 1,
    }
    progress = {"done": 1_204_000, "total": 2_010_411, "unit": "rows"}
    log = "02:00:01 prepared\n02:00:02 " + "a line of the log that is long enough to wrap on a telephone " * 3
    Operation.objects.advance(operation.pk, Status.QUEUED, Status.RUNNING, progress=progress, log=log, **lease)
    first = Step.objects.filter(
        operation=operation, position=Step.objects.filter(operation=operation).order_by("position")[0].position
    )
    first.update(
        status=StepStatus.SUCCEEDED, started_at=now - timedelta(seconds=90), ended_at=now - timedelta(seconds=80)
    )
    if status != Status.RUNNING:
        error = (
            "The store refused the object. Nothing was published; check the store, then retry."
            if status == Status.FAILED
            else ""
        )
        Operation.objects.advance(
            operation.pk,
            Status.RUNNING,
            status,
            outcome=status,
            ended_at=now,
            lease_owner="",
            lease_until=None,
            error=error,
        )


def tokens(by: User, production: Environment) -> None:
    """One of each state that a page draws differently."""
    AccessToken.objects.issue(by, "laptop")
    AccessToken.objects.issue(by, "nightly export", 7, scopes=["request", "vote"], environment=production)
    AccessToken.objects.issue(by, "old laptop", 0)
    AccessToken.objects.filter(name="laptop").update(last_used_at=timezone.now(), last_used_from="203.0.113.7")


def queue() -> None:
    """A handled message, a failed one and somebody's schedule, for the queue's pages."""
    now = timezone.now()
    for name, success in (("handled-message", True), ("failed-message", False)):
        Message.objects.create(id=name, name=name, func="x.y", started=now, stopped=now, success=success)
    Schedule.objects.create(name="somebody's", func="os.getcwd", next_run=now + timedelta(days=400))


def world() -> World:
    """Everything above, rows of the other apps, an open and a closed task, and signs of life."""
    sync_roles()
    everything, approver = person("everything"), person("approver")
    production = environments()
    made = operations(everything, approver, production)
    Task.objects.create(
        kind="review_break_glass",
        title="Review a break-glass of everything",
        operation=made["failed"],
        environment=production,
        not_by=everything,
        dedupe_key="review",
    )
    Task.objects.create(
        kind="other", title="Re-enable autodeploy", dedupe_key="other", closed_at=timezone.now(), closed_by=approver
    )
    tokens(everything, production)
    queue()
    factories_apps.backups(production, made)
    factories_evidence.evidence(production, everything)
    factories_incidents.altered()
    factories_apps.deployments(production)
    factories_functions.functions(production)
    factories_supabase.projects(production)
    factories_apps.outbox()
    factories_migrations.migrations(production, everything)
    for name in ("worker:test:1", "canary:export", "tick"):
        Heartbeat.objects.create(name=name, beat_at=timezone.now())
    Heartbeat.objects.create(name="ledger.verified", beat_at=timezone.now(), detail={"valid": True})
    return World(everything, production, made)
