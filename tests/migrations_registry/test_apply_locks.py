"""Locks that others hold, readers that queue, two appliers at once: everybody gets through and one applies."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest
from django.contrib.auth.models import User

from migrations_registry.apply import failpoints, transactions
from migrations_registry.models import Application
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import Environment
from providers.errors import ProviderError
from providers.postgres.locked_session import guarded_session
from tests.migrations_registry.applying import POOLS, Act, add_supabase, finish, history

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_lock_that_comes_free_is_waited_for(
    baselined: Environment, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = add_supabase(2, "ALTER TABLE users ADD COLUMN extra text")
    real = transactions.give_way
    with psycopg.connect(dsns["app"]) as other:
        other.execute("SELECT count(*) FROM users")
        monkeypatch.setattr(transactions, "give_way", lambda *given: (other.rollback(), real(*given)))
        operation = act("migrations.apply", file=file.sha256)
    assert operation.status == "succeeded", operation.error
    assert Application.objects.get().steps[0]["attempts"] == 2


def test_a_blocked_change_never_queues_readers_longer_than_its_limit(
    baselined: Environment, act: Act, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Visitors decide and a reader reads while somebody holds the table and the change keeps asking for it."""
    monkeypatch.setattr(transactions, "LADDER_MS", (200,))
    slowest, stop = [0.0], threading.Event()

    def read() -> None:
        with psycopg.connect(dsns["app"], autocommit=True) as reader:
            while not stop.is_set():
                began = time.monotonic()
                reader.execute("SELECT count(*) FROM experiments")
                slowest[0] = max(slowest[0], time.monotonic() - began)

    reader = threading.Thread(target=read)
    file = add_supabase(2, "ALTER TABLE experiments ADD COLUMN extra text")
    with psycopg.connect(dsns["app"]) as holder:
        holder.execute("SELECT count(*) FROM experiments")
        reader.start()
        began = time.monotonic()
        operation = act("migrations.apply", file=file.sha256)
        took = time.monotonic() - began
        stop.set()
        reader.join()
    row = Application.objects.get()
    assert "did not get its locks in 4 tries" in operation.error
    assert "sampelit_app" in operation.error
    assert len(history(dsns)) == 1
    assert 190 <= row.longest_wait_ms < 1000
    assert slowest[0] * 1000 < row.longest_wait_ms + 500
    assert slowest[0] < took / 2
    assert row.steps[0]["attempts"] == 4


def test_two_appliers_at_once_one_wins(
    baselined: Environment, act: Act, ana: User, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The portal's exclusive key first; behind it the lock that the writing backend itself holds on the target."""
    files = [add_supabase(2, "CREATE TABLE fresh (id integer)"), add_supabase(3, "CREATE TABLE second (id integer)")]
    first, second = (
        request("migrations.apply", by=ana, environment=baselined, parameters={"file": file.sha256}) for file in files
    )
    states: list[str | None] = []

    def meanwhile() -> None:
        states.append(run_operation(second.pk, "other", POOLS, end_process=lambda: None))
        with pytest.raises(ProviderError, match="Another session of the portal still holds 'schema:production'"):
            with guarded_session(dsns["migration"], "schema:production", lease_seconds=2, wait_seconds=0.1):
                pass

    monkeypatch.setitem(failpoints.armed, "transaction.executed", meanwhile)
    assert finish(first).status == "succeeded"
    assert states == [None]
    failpoints.armed.clear()
    assert finish(second).status == "succeeded"
    assert len(history(dsns)) == 3
