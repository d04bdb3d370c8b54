"""`sampelit-ops sandbox`: its lines, its second start, and nothing left however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import requests
from django.core.management import CommandError, call_command

from tests.waiting import until

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[2]
PROMISED = {
    *(f"SAMPELIT_{e}_{r}_DSN" for e in ("PRODUCTION", "STAGING") for r in ("EXPORT", "MIGRATION", "RESTORE")),
    "SANDBOX_HEALTH_URL",
    "SANDBOX_READY",
}


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    argv = [sys.executable, "manage.py", "sandbox", "--rows", "200", "--experiments", "3", *options]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)
    assert process.stdout is not None
    assert process.stderr is not None
    values: dict[str, str] = {}
    try:
        for line in process.stdout:
            name, _, value = line.strip().partition("=")
            values[name] = value
            if name == "SANDBOX_READY":
                break
        else:
            raise AssertionError(process.stderr.read())
        yield process, values
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def count(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT count(*) FROM algorithm_audit_trail").fetchone()
    return row[0] if row else -1


def pid_file() -> Path:
    return Path(os.environ["OPS_DATA_DIR"]) / "sandbox/postgres/cluster/postmaster.pid"


def test_it_prints_every_promised_line_and_stops_on_sigterm() -> None:
    with running() as (process, values):
        assert set(values) >= PROMISED
        assert count(values["SAMPELIT_PRODUCTION_EXPORT_DSN"]) == 200
        assert count(values["SAMPELIT_STAGING_EXPORT_DSN"]) < 200
        assert requests.get(values["SANDBOX_HEALTH_URL"], timeout=5).json()["status"] == "healthy"

        process.send_signal(signal.SIGTERM)

        assert process.wait(30) == 0
        assert not pid_file().exists()


def test_kill_leaves_nothing_and_the_next_start_finds_its_rows() -> None:
    with running("--live", "50") as (process, values):
        before = count(values["SAMPELIT_PRODUCTION_EXPORT_DSN"])
        until(lambda: count(values["SAMPELIT_PRODUCTION_EXPORT_DSN"]) > before)
        process.kill()
        process.wait()
        until(lambda: not pid_file().exists())

    with running() as (_, values):
        assert count(values["SAMPELIT_PRODUCTION_EXPORT_DSN"]) > before


@pytest.mark.parametrize("options", [{"rows": 0}, {"experiments": 0}, {"live": -1}])
def test_impossible_sizes_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(CommandError, match="Nothing was started"):
        call_command("sandbox", **options)


def test_maintenance_mode_keeps_the_visitors_away() -> None:
    with running("--live", "100") as (_, values):
        api, key = values["RENDER_API_BASE"], {"Authorization": f"Bearer {values['RENDER_API_KEY']}"}
        services = requests.get(f"{api}/services", headers=key, params={"name": "sampelit-api"}, timeout=5).json()
        product = next(s["service"]["id"] for s in services if s["service"]["name"] == "sampelit-api")
        mode = {"serviceDetails": {"maintenanceMode": {"enabled": True, "uri": ""}}}

        requests.patch(f"{api}/services/{product}", headers=key, json=mode, timeout=5).raise_for_status()
        time.sleep(0.5)  # the decision under way at that moment may still end
        before = count(values["SAMPELIT_PRODUCTION_EXPORT_DSN"])
        time.sleep(0.5)

        assert count(values["SAMPELIT_PRODUCTION_EXPORT_DSN"]) == before
        mode["serviceDetails"]["maintenanceMode"]["enabled"] = False
        requests.patch(f"{api}/services/{product}", headers=key, json=mode, timeout=5).raise_for_status()
        until(lambda: count(values["SAMPELIT_PRODUCTION_EXPORT_DSN"]) > before)
