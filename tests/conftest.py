"""Fixtures shared by every room. Each room's own lie in its `conftest.py`."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import hashers
from django.db import connection
from django.db.models import Value
from django.urls import get_resolver
from pytest_django.plugin import DjangoDbBlocker

from backups.archive import drill_database
from backups.archive.drill_database import Server
from operations.models import Environment
from sandbox import database
from tests import portal_database, portal_template
from tests.fast_flush import fast_flush  # noqa: F401 (a fixture)
from tests.keyed_forms import keyed_forms  # noqa: F401 (a fixture)
from tests.reused_server import reused
from tests.supabase_platform import platform, platform_server  # noqa: F401 (fixtures)
from tests.whole_tables import no_update_of_a_whole_table  # noqa: F401 (a fixture)

admin.autodiscover()  # tables of tests name every page; the command line alone does without


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest test begins first, so that no process waits for it at the end."""
    items.sort(key=lambda item: "test_launcher" not in item.nodeid)


def pytest_collection_finish() -> None:
    """What was imported stays: the collector need not walk it again and again (a tenth of the processor time)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> None:
    """A million rounds of PBKDF2 cost 0.3 s a user; who tests the hashing chooses its hasher again."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    hashers.get_hashers.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def addresses() -> None:
    """Those of the demo, which runs here: read before a test outside the demo is the first to ask for them."""
    _ = get_resolver().url_patterns


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """The test database is a copy of what an earlier session migrated from the same sources."""
    portal_template.use()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Kept for later sessions; then the ledger's TRUNCATE triggers are off, as they would break the teardown of
    transaction=True tests."""
    portal_template.keep()
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        for table in {"ledger_entry", "ledger_head", "ledger_checkpoint"} & set(tables):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_no_truncate")


@pytest.fixture
def production(db: None) -> Environment:
    """A protected production without a database behind it; rooms that need one have their own."""
    return Environment.objects.create(slug="production", name="Production", kind="production", protected=True)


@pytest.fixture(scope="session")
def drill() -> Server:
    """What starts the server of a drill: none is started."""
    return reused


@pytest.fixture
def reused_drill(monkeypatch: pytest.MonkeyPatch, drill: Server) -> None:
    """Every drill of this test runs on the session's server."""
    monkeypatch.setattr(drill_database, "drill_server", drill)


@pytest.fixture(scope="session")
def sampelit_template() -> str:
    """A Sampelit database of 600 decisions in 4 chains that nobody connects to: the template of the copies."""
    database.create(portal_database.server, "sampelit_template", rows=600, experiments=4)
    return "sampelit_template"


@pytest.fixture(scope="session")
def sampelit(sampelit_template: str) -> dict[str, str]:
    """DSNs by role (export, export_limited, migration, restore, app, admin) of a database for reading only."""
    database.copy_of(portal_database.server, sampelit_template, "sampelit_shared")
    return database.dsns(portal_database.server, "sampelit_shared")


@pytest.fixture
def sampelit_copy(sampelit_template: str) -> Iterator[dict[str, str]]:
    """The same DSNs of a fresh copy that the test may spoil."""
    name = f"sampelit_{uuid4().hex[:12]}"
    database.copy_of(portal_database.server, sampelit_template, name)
    yield database.dsns(portal_database.server, name)
    portal_database.server.drop_database(name)


@pytest.fixture
def one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database's clock is this process's, which the test moves (that they may differ: test_wrong_clock)."""
    told = SimpleNamespace(execute=lambda _: None, fetchone=lambda: (datetime.now(UTC),))
    monkeypatch.setattr("ledger.models.connection", SimpleNamespace(cursor=lambda: nullcontext(told)))

    def here(_: str, seconds: list[float]) -> Value:
        return Value(datetime.now(UTC) + timedelta(seconds=seconds[0]))

    monkeypatch.setattr("operations.models.operation.RawSQL", here)
