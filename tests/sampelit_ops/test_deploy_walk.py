"""docs/deploy.md is followed as written, with DEMO=0: from an empty directory to a proven export and a green doctor."""

from __future__ import annotations

import json
import os
import re
import shlex
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests import growth, sampling
from tests.blueprint_platform import ROOT, Platform, free_port
from tests.deploy_walk import GUIDE, WEB, Walk, commands, deployed, typed_names

pytestmark = pytest.mark.worker
EXPORT = "SELECT status, error FROM operations_operation WHERE kind = 'backups.export' ORDER BY id DESC LIMIT 1"
PICTURE = ROOT / "docs" / "reliability-hours.svg"
RUNS = "SELECT count(*), count(DISTINCT operation_id), count(*) FILTER (WHERE status = 'proven') FROM backups_run"
ASK = """
from operations.accounts import system_user
from operations.engine.request import request
from operations.models import Environment
by, there = system_user("backups.request_export"), Environment.objects.get(slug="production")
policy = {"policy": "audit-trail"}
request("backups.export", by=by, environment=there, parameters=policy, reason="an hour passed", channel="schedule")
"""


@pytest.fixture
def walk() -> Iterator[Walk]:
    """In a place that PostgreSQL's user reaches, where the tests run as root."""
    with tempfile.TemporaryDirectory(prefix="walk-", dir=os.environ["OPS_DATA_DIR"]) as directory:
        home = Path(directory)
        home.chmod(0o755)
        with deployed(home) as found:
            yield found


def test_the_guide_leads_from_nothing_to_hours_without_a_kill(walk: Walk) -> None:
    """One walk, as it takes minutes: what is typed, the guide to its end, then hours of work."""
    the_guide_asks_for_exactly_what_render_asks_for(walk)
    the_guide_ends_with_a_proven_export_and_a_green_doctor(walk)
    hours_beside_a_second_worker_and_a_second_web_without_a_kill(walk)


def until_proven(platform: Platform, seconds: float = 120) -> tuple[str, str]:
    end = time.monotonic() + seconds
    with psycopg.connect(platform.database_url, autocommit=True) as portal:
        while time.monotonic() < end:
            row = portal.execute(EXPORT).fetchone()
            if row and row[0] not in ("queued", "running"):
                return row
            time.sleep(0.3)
    raise AssertionError(f"still {row}: {platform.log('sampelit-ops-prove')[-2000:]}")


NOT_HERE = {"mail", "notify", "sampelit-api health", "sampelit-api-staging health"}  # no mail server, no public address


def for_a_person() -> re.Pattern[str]:
    """The checks that the guide names as what only a person can add."""
    table = GUIDE.read_text().partition("| check | until |")[2].partition("## Memory")[0]
    names = re.findall(r"^\| `([^`]+)` \|", table, re.M)
    return re.compile("|".join(re.escape(name).replace("ENVIRONMENT", r"\w+") for name in names))


def the_guide_asks_for_exactly_what_render_asks_for(walk: Walk) -> None:
    asked = {
        variable["key"]: service["name"].removeprefix("sampelit-ops-")
        for service in walk.platform.services.values()
        for variable in service["envVars"]
        if variable.get("sync") is False
    }

    assert typed_names() == asked


def the_guide_ends_with_a_proven_export_and_a_green_doctor(walk: Walk) -> None:
    assert walk.answers().status_code == 200
    setup, doctor = commands("web shell")
    said = walk.shell(WEB, setup)
    assert "/admin/account/welcome/" in said
    missing = [line for line in said.splitlines() if line.startswith("MISSING") and "free plan" not in line]
    assert missing == [], "the sandbox's staging is on the free plan, which a person may change"
    assert until_proven(walk.platform) == ("succeeded", "")
    assert walk.platform.run("sampelit-ops-tick", "sampelit-ops tick").returncode == 0

    answer = walk.platform.run(WEB, f"{doctor} --json")
    checks = json.loads(answer.stdout)["checks"]
    open_ones = {check["name"]: check["found"] for check in checks if check["tone"] in ("bad", "warn")}

    left = {name: found for name, found in open_ones.items() if not for_a_person().fullmatch(name)}
    assert set(left) <= NOT_HERE, left
    assert "approvers" in {check["name"] for check in checks if check["tone"] == "bad"}
    names = {check["name"] for check in checks}
    assert {"memory of prove", "memory of export and urgent and deploy", "memory here"} <= names


def hours_beside_a_second_worker_and_a_second_web_without_a_kill(walk: Walk) -> None:
    """An hour: an export, its drill, a tick of the cron job, and page views at both web instances. Nothing grows."""
    hours, platform = sampling.size("BLUEPRINT_HOURS"), walk.platform
    second = free_port()
    platform.start(WEB, PORT=str(second))
    platform.start("sampelit-ops-worker")
    token = platform.environment(WEB)["OPS_METRICS_TOKEN"]
    before, seen = runs(platform), list[growth.Sample]()

    for _ in range(hours):
        walk.shell("sampelit-ops-worker", f"sampelit-ops shell -c {shlex.quote(ASK)}")
        tick = platform.start("sampelit-ops-tick")
        for port in (platform.port, second) * 10:
            assert walk.answers("/admin/login/", port).status_code == 200
            assert walk.answers("/metrics", port, Authorization=f"Bearer {token}").status_code == 200
        assert until_proven(platform) == ("succeeded", "")
        assert tick.wait(120) == 0
        seen.append(growth.look(platform))

    after = runs(platform)
    assert [now - then for now, then in zip(after, before, strict=True)] == [hours] * 3, "each export once"
    assert [limit.kills() for limit in platform.limits] == [0] * len(platform.limits)
    if len(seen) >= growth.FEWEST_HOURS:
        PICTURE.write_text(growth.picture(seen))
    assert growth.grown(seen) == []
    lasting = [each for name, each in platform.running.items() if not name.endswith("tick")]
    assert all(process.poll() is None for processes in lasting for process in processes)


def runs(platform: Platform) -> tuple[int, int, int]:
    with psycopg.connect(platform.database_url) as portal:
        found = portal.execute(RUNS).fetchone()
    return found or (0, 0, 0)
