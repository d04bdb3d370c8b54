"""A Render sandbox on loopback behind this portal's settings, people with roles, and a worker in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pyrage
import pytest
import stamina
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from deployments.models import Service
from deployments.render.listed import SyncReport
from deployments.render.sync import poll
from deployments.web import remote
from operations.engine import specs
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import Environment, Notification, Operation
from tests.people import holder
from tests.render_sandbox import API, Harness, running
from tests.stepping import SteppingClient

POOLS = frozenset(specs.POOLS)
WEBHOOK_SECRET = "whsec_c2FuZGJveC1zZWNyZXQtc2FuZGJveC1zZWNyZXQ="


@pytest.fixture
def sandbox(settings: Any) -> Iterator[Harness]:
    """Deploys pass all phases at the next look; watching does not wait."""
    quick = {"build_in_progress": 0.0, "pre_deploy_in_progress": 0.0, "update_in_progress": 0.0}
    with stamina.set_testing(True, attempts=2), running(phases=quick) as harness:
        settings.RENDER_API_KEY, settings.RENDER_API_BASE = harness.sandbox.api_key, harness.sandbox.base
        settings.RENDER_WEBHOOK_SECRET = WEBHOOK_SECRET
        settings.DEPLOY_WATCH_SECONDS, settings.HEALTH_GOOD_PROBES = 0.01, 2
        settings.OPS_SEAL_IDENTITY = str(pyrage.x25519.Identity.generate())
        yield harness


@pytest.fixture
def known(sandbox: Harness, db: None) -> SyncReport:
    """The first sync has run: services, environments and history are rows. All came in as strict as production;
    admins have since loosened the others, and the messages are read."""
    report = poll()
    others = Environment.objects.exclude(kind="production")
    others.update(protected=False, votes_routine=0, votes_sensitive=0, votes_destructive=0)
    Notification.objects.all().delete()
    return report


@pytest.fixture
def operator(db: None) -> User:
    codes = ["deploy", "rollback", "maintain", "configure", "view_service", "view_deployment"]
    return holder("operator", *[f"deployments.{code}" for code in codes], "operations.view_operation")


@pytest.fixture
def api(known: SyncReport) -> Service:
    return Service.objects.select_related("environment").get(name=API)


@pytest.fixture
def act(transactional_db: None, operator: User, api: Service) -> Callable[..., Operation]:
    """Request an operation on the api service without needed votes, and run it here to its end."""

    def act(kind: str, **parameters: Any) -> Operation:
        Environment.objects.update(votes_sensitive=0, votes_destructive=0)
        environment = Environment.objects.get(pk=api.environment_id)
        parameters = {"service": api.render_id} | parameters
        parameters = {name: value for name, value in parameters.items() if value is not None}
        operation = request(kind, by=operator, environment=environment, parameters=parameters, reason="test")
        return finish(operation)

    return act


def finish(operation: Operation) -> Operation:
    for _ in range(10):
        if run_operation(operation.pk, "test", POOLS, end_process=lambda: None) in (
            None,
            "succeeded",
            "failed",
            "cancelled",
            "expired",
        ):
            break
    return Operation.objects.get(pk=operation.pk)


@pytest.fixture
def everything(api: Service) -> Client:
    """Who may do all, and shows a second factor wherever a page asks."""
    cache.clear()
    remote._fetches.clear()
    client = SteppingClient()
    client.force_login(User.objects.create_superuser("root", password="a-long-password"))
    return client
