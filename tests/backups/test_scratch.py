"""A scratch restore says where it went, who may look into it and until when; and it is dropped."""

from __future__ import annotations

import re
from datetime import timedelta

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backups.archive.loader import Loader
from backups.archive.manifest import Table
from backups.models import Restore, Run
from backups.restore import scratch as scratch_databases
from backups.restore.scratch import KEPT, keep_scratch, told
from operations.models import Operation
from providers.errors import ProviderError
from tests import portal_database
from tests.backups.conftest import RESTORING
from tests.running import run_once

pytestmark = pytest.mark.django_db(transaction=True)


def asked() -> QuerySet[Operation]:
    return Operation.objects.filter(kind="backups.drop_scratch")


def exists(name: str) -> bool:
    with psycopg.connect(portal_database.server.dsn("postgres")) as connection:
        return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


@pytest.fixture
def scratch(earlier_run: Run, restore_operation, spoilt) -> Restore:
    operation = restore_operation(earlier_run, "scratch")
    assert (operation.status, operation.error) == ("succeeded", "")
    return Restore.objects.get(operation=operation)


def test_it_is_dropped_from_its_page_by_a_link_that_is_filled_in(scratch: Restore, client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))

    page = client.get(reverse("admin:backups_restore_change", args=[scratch.pk])).text
    link = re.search(r'href="([^"]+drop_scratch[^"]+)"', page)
    assert link is not None
    form = client.get(link[1].replace("&amp;", "&")).text

    assert f"{scratch.report['database']}, of " in form
    assert "is dropped, whoever is connected" in form
    assert scratch.report["place"]["psql"].split()[0] in page
    shown = re.findall(r'mono wrap">([^<]+)</td>\s*<td data-label="Rows" class="num">([\d,]+)<', page)
    with psycopg.connect(portal_database.server.dsn(scratch.report["database"])) as connection:
        counted = [(table, connection.execute(f"SELECT count(*) FROM {table}").fetchone()) for table, _ in shown]
    assert shown == [(table, f"{count[0]:,}") for table, count in counted if count]
    assert shown
    portal_database.server.drop_database(scratch.report["database"])


def test_it_says_where_it_went_and_only_its_role_may_look(scratch: Restore, spoilt) -> None:
    place, name = scratch.report["place"], scratch.report["database"]
    live = psycopg.conninfo.conninfo_to_dict(spoilt["admin"])
    other = psycopg.conninfo.make_conninfo(spoilt["export"], dbname=name)

    assert (place["beside"], place["role"]) == (live["dbname"], live["user"])
    assert place["server"] == f"{live['host']}:{live['port']}"
    assert f"dbname={name} user={live['user']}" in place["psql"]
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(other)
    portal_database.server.drop_database(name)


def test_a_server_of_its_own_is_used_and_told(
    earlier_run: Run, restore_operation, spoilt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_RESTORE_SCRATCH_DSN", portal_database.server.dsn("postgres"))

    restored = Restore.objects.get(operation=restore_operation(earlier_run, "scratch"))

    assert (restored.status, restored.report["place"]["beside"]) == ("succeeded", "")
    assert restored.report["place"]["variable"] == "OPS_RESTORE_SCRATCH_DSN"
    portal_database.server.drop_database(restored.report["database"])


def test_after_a_week_it_is_dropped_once(scratch: Restore) -> None:
    name = scratch.report["database"]
    keep_scratch()
    assert (asked().count(), exists(name)) == (0, True)
    Restore.objects.filter(pk=scratch.pk).update(ended_at=timezone.now() - KEPT - timedelta(hours=1))

    keep_scratch()
    keep_scratch()
    ended = run_once(asked().get(), RESTORING)
    keep_scratch()

    assert (ended.status, ended.error, exists(name)) == ("succeeded", "", False)
    scratch.refresh_from_db()
    assert "dropped_at" in scratch.report
    assert asked().count() == 1


@pytest.fixture
def half_done(earlier_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows come, and then something is wrong."""
    done = Loader.load_again

    def spoilt(loader: Loader, tables: list[Table]):
        loader.problems.append("Something is wrong.")
        return done(loader, tables)

    monkeypatch.setattr(Loader, "load_again", spoilt)


def test_what_a_failed_restore_had_made_is_dropped(half_done: None, earlier_run: Run, restore_operation) -> None:
    operation = restore_operation(earlier_run, "scratch")

    restored = Restore.objects.get(operation=operation)
    assert (operation.status, restored.status) == ("failed", "failed")
    assert "is not whole. Something is wrong." in operation.error
    assert restored.report.keys() == {"database", "dropped_at"}
    assert not exists(restored.report["database"])


def test_what_a_second_attempt_made_is_not_taken_for_dropped(
    earlier_run: Run, restore_operation, spoilt, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, attempts = Loader.load_again, []

    def once(loader: Loader, tables: list[Table]):
        attempts.append(1)
        if len(attempts) == 1:
            raise ProviderError("The store did not answer.", retryable=True)
        return done(loader, tables)

    monkeypatch.setattr(Loader, "load_again", once)
    operation = restore_operation(earlier_run, "scratch")
    Operation.objects.filter(pk=operation.pk).update(due_at=None, lease_until=None)

    operation = run_once(operation, RESTORING)

    restored = Restore.objects.get(operation=operation)
    assert (operation.status, len(attempts)) == ("succeeded", 2)
    assert exists(restored.report["database"])
    assert "dropped_at" not in restored.report
    assert list(scratch_databases.living()) == [restored]


def test_what_could_not_be_dropped_is_dropped_by_the_next_duty(
    half_done: None, earlier_run: Run, restore_operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(scratch_databases, "_drop", lambda *_: 1 / 0)
        restored = Restore.objects.get(operation=restore_operation(earlier_run, "scratch"))
    assert (restored.status, exists(restored.report["database"])) == ("failed", True)

    keep_scratch()
    ended = run_once(asked().get(), RESTORING)

    assert (ended.status, ended.reason) == ("succeeded", "its restore failed, so it is not whole")
    assert not exists(restored.report["database"])


def test_the_confirmation_names_both_places(earlier_run: Run, production) -> None:
    said = " ".join(line.text for line in told(production))

    assert all(word in said for word in ("OPS_RESTORE_SCRATCH_DSN", production.variable("restore"), "7 days", "beside"))
