"""An exported Sampelit in a local store or on an S3 server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from backups.archive.manifest import Manifest
from backups.export.exporter import ExportPlan, export
from backups.policy_spec import AUDIT_TABLES, PolicySpec
from operations.models.ulid import new_ulid
from providers.storage.base import Store
from providers.storage.factory import open_store
from tests import portal_database
from tests.seaweed import ACCESS_KEY, SECRET_KEY, s3_server

pytest.register_assert_rewrite("tests.backups.walk_steps")
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
