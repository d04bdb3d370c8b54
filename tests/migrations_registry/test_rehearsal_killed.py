"""A worker that is killed in the middle of a rehearsal leaves nothing running; the next claim rehearses to the end."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from backups.models import Policy
from migrations_registry.apply import failpoints
from migrations_registry.models import Rehearsal
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import Environment, Operation
from tests.migrations_registry.applying import POOLS, Act, add_supabase, finish, rows
from tests.migrations_registry.faults import forked, was_killed

pytestmark = pytest.mark.django_db(transaction=True)
PLACES = ("transaction.begun", "transaction.executed", "alone.executed")


@pytest.fixture
def proven(baselined: Environment, act: Act, settings: Any, tmp_path: Path) -> Environment:
    """Drills start servers of their own, as in a worker."""
    settings.BACKUP_STORE = f"file://{tmp_path}/store"
    Policy.objects.create(environment=baselined, name="some", tables=["public.users"], closure=False)
    assert act("backups.export", policy="some").status == "succeeded"
    return baselined


def killed_at(place: str, operation: Operation) -> int:
    """The id of a worker that ended itself there."""

    def work() -> None:
        failpoints.armed[place] = lambda: os.kill(os.getpid(), signal.SIGKILL)
        run_operation(operation.pk, "test", POOLS, end_process=lambda: None)

    pid = forked(work)
    assert was_killed(pid), f"{place} was not reached"
    return pid


def servers_of(pid: int) -> list[str]:
    """Processes of the servers that this worker started for its drills, by the directory that carries its id."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes()
        except OSError:
            continue
        if f"sampelit-ops-pg-{pid}-".encode() in words:
            found.append(words.replace(b"\0", b" ").decode(errors="replace"))
    return found


@pytest.mark.sampled(3)
@pytest.mark.parametrize("place", PLACES)
def test_a_killed_rehearsal_leaves_nothing_running_and_is_made_again(
    place: str, proven: Environment, ana: User, dsns: dict[str, str]
) -> None:
    text = "ALTER TABLE users ADD COLUMN n integer; CREATE INDEX CONCURRENTLY users_n ON users (n);"
    file = add_supabase(2, text)
    operation = request("migrations.rehearse", by=ana, environment=proven, parameters={"file": file.sha256})

    pid = killed_at(place, operation)

    until = time.monotonic() + 30
    while servers_of(pid) and time.monotonic() < until:
        time.sleep(0.1)
    assert servers_of(pid) == []
    assert not Rehearsal.objects.exists()

    Operation.objects.filter(pk=operation.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    operation = finish(operation)

    assert operation.status == "succeeded", operation.error
    assert Rehearsal.objects.get().status == "passed"
    lasting = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'n'"
    assert rows(dsns["admin"], lasting) == [(0,)]
