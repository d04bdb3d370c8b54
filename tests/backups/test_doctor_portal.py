"""What the doctor says about the portal's own survival."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone

from backups.anchoring import checkpoints
from backups.archive.signatures import generate
from backups.doctor import portal as doctor_portal
from backups.models import Run
from backups.policies import portal
from ledger.services import record
from operations.doctor import Check
from tests.backups.retention.conftest import stored
from tests.render_sandbox import running

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def keys(settings, tmp_path: Path) -> None:
    settings.BACKUP_STORE = f"file://{tmp_path}/store"
    settings.BACKUP_SIGNING_KEY = generate()[0]


def only(checks) -> Check:
    (check,) = checks
    return check


def test_the_age_of_the_portals_copy(settings, store) -> None:
    missing = only(doctor_portal.portal_copy(None))
    run = stored(portal.ensure(), store, 0.1, settings)
    fresh = only(doctor_portal.portal_copy(None))
    Run.objects.filter(pk=run.pk).update(proven_at=timezone.now() - timedelta(days=1))
    old = only(doctor_portal.portal_copy(None))

    assert [check.tone for check in (missing, fresh, old)] == ["warn", "ok", "warn"]
    assert "never copied in clear" in missing.fix


@pytest.mark.usefixtures("one_clock")
def test_the_ledgers_checkpoints_in_the_store(settings) -> None:
    assert list(doctor_portal.ledger_checkpoints(None)) == []
    record("test.thing", actor="ada")
    young = only(doctor_portal.ledger_checkpoints(None))
    with time_machine.travel(timezone.now() + doctor_portal.NEW, tick=False):
        none = only(doctor_portal.ledger_checkpoints(None))
    key = checkpoints.write()
    fine = only(doctor_portal.ledger_checkpoints(None))
    path = Path(settings.BACKUP_STORE.removeprefix("file://")) / key
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b'"size":1', b'"size":9'))
    edited = only(doctor_portal.ledger_checkpoints(None))

    assert [check.tone for check in (young, none, fine, edited)] == ["idle", "warn", "ok", "bad"]
    assert key in edited.found


def test_runs_that_wait_for_the_reaper(settings, store) -> None:
    policy = portal.ensure()
    stored(policy, store, 30, settings, retired_at=timezone.now() - timedelta(days=20))

    waiting = list(doctor_portal.retention(None))[-1]

    assert waiting.found == "the data of 1 retired runs is still there"
    assert "BACKUP_REAPER_AWS_ACCESS_KEY_ID" in waiting.fix
    Run.objects.update(brought_back_at=timezone.now())
    assert not [check for check in doctor_portal.retention(None) if check.name == "retention"]


def test_renders_own_window_for_the_portals_postgres(settings, monkeypatch) -> None:
    assert list(doctor_portal.render_recovery(None)) == []
    with running() as harness:
        settings.RENDER_API_KEY, settings.RENDER_API_BASE = harness.sandbox.api_key, harness.sandbox.base
        by_name = only(doctor_portal.render_recovery(None))
        settings.RENDER_API_KEY = "rnd_unknown"
        refused = only(doctor_portal.render_recovery(None))

    assert by_name.tone == "ok"
    assert by_name.found.startswith("sampelit-ops-db (dpg-sampelitops0000000000-a) can go back to 20")
    assert refused.tone == "warn"
