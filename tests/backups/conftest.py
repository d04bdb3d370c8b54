"""A production whose database is Sampelit's, its runs, people who ask for operations, stores on disk and S3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User

from backups.archive.manifest import Manifest
from backups.export.exporter import ExportPlan, export
from backups.models import Run
from backups.policies.defaults import ensure_policies
from backups.policy_spec import AUDIT_TABLES, PolicySpec
from operations.engine import kinds
from operations.engine.request import request
from operations.engine.specs import StepSpec
from operations.models import Environment, Operation
from operations.models.ulid import new_ulid
from providers.storage.base import Store
from providers.storage.factory import open_store
from tests import portal_database
from tests.running import run_once
from tests.seaweed import ACCESS_KEY, SECRET_KEY, s3_server

pytest.register_assert_rewrite("tests.backups.walk_steps")
PROVING, RESTORING = frozenset({"export", "prove"}), frozenset({"export", "prove", "urgent"})
AUDIT = PolicySpec("audit-trail", "production", AUDIT_TABLES, closure=True)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"file://{tmp_path}/store")


def exported(dsn: str, store: Store, spec: PolicySpec = AUDIT, **options: object) -> Manifest:
    return export(spec, ExportPlan(run=new_ulid(), dsn=dsn, store=store, **options))  # type: ignore[arg-type]


@pytest.fixture
def manifest(sampelit: dict[str, str], store: Store) -> Manifest:
    return exported(sampelit["export"], store)


@pytest.fixture
def empty_database() -> Iterator[str]:
    """The DSN of an empty database that the test may fill."""
    name = f"target_{uuid4().hex[:12]}"
    portal_database.server.create_database(name)
    yield portal_database.server.dsn(name)
    portal_database.server.drop_database(name)


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A seaweedfs S3 server with one bucket; answers its endpoint. It ends only by SIGKILL."""
    with s3_server(tmp_path_factory.mktemp("seaweed")) as endpoint:
        yield endpoint


@pytest.fixture
def s3_url(seaweed: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store URL with a prefix of its own, and the credentials in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    return f"s3://backups/{uuid4().hex[:8]}?endpoint={seaweed}&region=us-east-1"


@pytest.fixture
def production(settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sampelit, reused_drill) -> Environment:
    """It reads the Sampelit that all tests share; its drills start no server."""
    settings.BACKUP_STORE = f"file://{tmp_path}/store"
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", sampelit["export"])
    environment = Environment.objects.create(slug="production", name="P", kind="production", protected=True)
    ensure_policies(environment)
    return environment


@pytest.fixture
def spoilt(production: Environment, sampelit_copy, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Production reads and restores a copy that the test may change."""
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", sampelit_copy["export"])
    monkeypatch.setenv("SAMPELIT_PRODUCTION_RESTORE_DSN", sampelit_copy["admin"])
    return sampelit_copy


@pytest.fixture
def ask(production: Environment) -> Callable[..., Operation]:
    """Request an export as somebody who may."""
    user = User.objects.create_user("olga", password="long enough password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="request_export"))

    def ask(policy: str = "audit-trail") -> Operation:
        by = User.objects.get(pk=user.pk)
        return request("backups.export", by=by, environment=production, parameters={"policy": policy}, reason="test")

    return ask


def ended(operation: Operation) -> Operation:
    return run_once(operation, PROVING)


@pytest.fixture
def run(ask) -> Run:
    """A proven run of production."""
    return Run.objects.get(pk=ended(ask()).result["run"])


@pytest.fixture
def earlier_run(spoilt, ask) -> Run:
    """A proven run of the copy, from before the test changes it."""
    return Run.objects.get(pk=ended(ask()).result["run"])


@pytest.fixture
def restore_operation(production: Environment) -> Callable[..., Operation]:
    """Request a restore that needs no votes, and run it here."""
    user = User.objects.create_user("rita", password="long enough password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="request_restore"))
    Environment.objects.filter(pk=production.pk).update(protected=False, votes_destructive=0)
    production.refresh_from_db()

    def restore(run: Run, target: str, **more: str) -> Operation:
        by = User.objects.get(pk=user.pk)
        values = {"run": run.pk, "target": target, **more}
        operation = request("backups.restore", by=by, environment=production, parameters=values, reason="test")
        return run_once(operation, RESTORING)

    return restore


@pytest.fixture
def maintenance(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Fake steps of deployments: what they were asked, in order."""
    asked: list[str] = []
    for state in ("on", "off"):
        spec = StepSpec(f"maintenance_{state}", lambda ctx, state=state: asked.append(state))
        monkeypatch.setitem(kinds.registry.factories, spec.name, spec)
    return asked
