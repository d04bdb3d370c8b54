"""A production whose database lies behind the Supabase stand-in, with people, a store and a worker in this process."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg
import pytest
import stamina
from django.contrib.auth.models import Permission, User

from backups.models import ProviderBackup, Run
from backups.policies.defaults import ensure_policies
from backups.provider.sync import sync
from operations.engine import kinds
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.engine.specs import StepSpec
from operations.models import Environment, Operation
from providers import postgres
from sandbox import traffic
from tests.supabase_platform import REF, Platform

RESTORE = "POST .*/backups/restore$"
WRITES = ("POST /v1/projects/" + REF,)
RNG = random.Random(7)
POOLS = frozenset({"export", "prove", "urgent"})


@pytest.fixture
def production(
    transactional_db: None, settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: Platform, reused_drill
) -> Iterator[Environment]:
    """Linked, read once, quick; what a test spoils is put back from the template's dump by the next restore."""
    settings.BACKUP_STORE = f"file://{tmp_path}/store"
    settings.SUPABASE_ACCESS_TOKEN, settings.SUPABASE_API_BASE = platform.api.world.token, platform.api.base
    settings.SUPABASE_WATCH_SECONDS = 0.05
    settings.OPS_RETRY_SECONDS = 0
    monkeypatch.setattr(postgres, "drain", partial(postgres.drain, quiet_seconds=0.1))
    for role in ("export", "restore", "migration"):
        monkeypatch.setenv(f"SAMPELIT_PRODUCTION_{role.upper()}_DSN", platform.dsn(role))
    made = Environment.objects.create(slug="production", kind="production", supabase_ref=REF, votes_destructive=0)
    ensure_policies(made)
    with stamina.set_testing(True, attempts=1):
        sync(made, platform.client)
        yield made


@pytest.fixture
def operator(production: Environment) -> User:
    user = User.objects.create_user("olga", password="long enough password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["request_export", "request_restore"]))
    return User.objects.get(pk=user.pk)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What maintenance was asked, in order."""
    asked: list[str] = []
    for state in ("on", "off"):
        name = f"maintenance_{state}"
        spec = StepSpec(name, lambda ctx, state=state: asked.append(state), pool="urgent", undoes="maintenance_on")
        monkeypatch.setitem(kinds.registry.factories, name, spec)
    return asked


@pytest.fixture
def act(production: Environment, operator: User, door: list[str]) -> Callable[..., Operation]:
    """Request an operation and run it here to its end."""

    def act(kind: str, **parameters: str) -> Operation:
        by = User.objects.get(pk=operator.pk)
        production.refresh_from_db()  # what a restore brought has another identity
        operation = request(kind, by=by, environment=production, parameters=parameters, reason="test")
        return finished(operation)

    return act


def finished(operation: Operation) -> Operation:
    for _ in range(12):
        if run_operation(operation.pk, "test", POOLS, end_process=lambda: None) is None:
            break
        operation.refresh_from_db()
        if operation.terminal:
            break
    operation.refresh_from_db()
    return operation


def export(act: Callable[..., Operation], policy: str = "audit-trail") -> Run:
    return Run.objects.get(pk=act("backups.export", policy=policy).result["run"])


def next_second() -> datetime:
    """A whole second between what happened before the call and what happens after it."""
    time.sleep(1.02 - time.time() % 1)
    at = datetime.now(UTC).replace(microsecond=0)
    time.sleep(1.02)
    return at


def writes(platform: Platform) -> list[str]:
    """What Supabase was asked to do, in order."""
    return [call.rsplit("/", 1)[-1] for call in platform.api.world.calls if call.startswith(WRITES)]


def newest_daily() -> str:
    return ProviderBackup.objects.restorable().filter(kind="daily").first().external_id


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def decide(platform: Platform, number: int = 1) -> None:
    """Decisions more, by the product's own rules, now."""
    with psycopg.connect(platform.dsn(), autocommit=True) as connection:
        for _ in range(number):
            assert traffic.decide(connection, RNG) is not None
