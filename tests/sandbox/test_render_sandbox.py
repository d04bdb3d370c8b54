"""The Render sandbox is honest: its answers are valid by Render's file, parse with its SDK, and nothing is dropped."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
import requests

from sandbox.render.api.postgres import ID
from sandbox.render.api.workspace import plan
from tests import openapi
from tests.render_sandbox import API, Harness, running

SERVER = "https://api.render.com/v1"


@pytest.fixture
def harness() -> Iterator[Harness]:
    with running(phases={"build_in_progress": 5, "pre_deploy_in_progress": 2, "update_in_progress": 3}) as harness:
        harness.control("limits", read=10_000, write=10_000, deploy=10_000, logs=10_000)
        yield harness


def exchange(harness: Harness, method: str, path: str, **options: Any) -> tuple[Any, requests.Response]:
    """(the request as if sent to Render, the sandbox's answer)."""
    headers = {"Authorization": f"Bearer {harness.sandbox.api_key}"}
    response = requests.request(method, harness.sandbox.base + path, headers=headers, timeout=5, **options)
    return openapi.moved(response.request, harness.sandbox.base, SERVER), response


def asked(harness: Harness) -> list[tuple[str, str, dict[str, Any]]]:
    """One of everything, in an order that works."""
    service, static = harness.service(), harness.service("sampelit-web")
    old = harness.deploys()[2]["id"]
    body = {
        "ownerId": "tea-sampelit00000000000",
        "url": "https://o.example/h",
        "name": "n",
        "enabled": True,
        "eventFilter": [],
    }
    group = next(iter(harness.sandbox.world.groups))
    made = {"name": "g", "ownerId": "tea-1", "envVars": [{"key": "A", "value": "b"}]}
    now = {"startTime": "2026-11-22T00:00:00Z", "endTime": "2026-11-22T01:00:00Z"}
    path = f"/services/{service}"
    world = harness.sandbox.world
    cron, later = f"crn-{'0' * 20}", (world.now() + timedelta(hours=1)).isoformat()
    world.services[cron] = world.services[static] | {"id": cron, "type": "cron_job"}
    world.deploys[cron], world.events[cron], world.jobs[cron] = [], [], []
    run = plan(world, ID, world.now() + timedelta(days=2), world.now() + timedelta(days=7))["id"]
    return [
        ("GET", "/owners", {}),
        ("GET", "/owners/tea-sampelit00000000000/members", {}),
        ("GET", "/users", {}),
        ("GET", "/services", {"params": {"limit": 2}}),
        ("GET", path, {}),
        ("GET", f"/services/{static}", {}),
        ("GET", f"{path}/deploys", {}),
        ("GET", f"{path}/deploys/{old}", {}),
        ("POST", f"{path}/deploys", {"json": {"clearCache": "do_not_clear"}}),
        ("POST", f"{path}/deploys", {"json": {"clearCache": "clear"}}),
        ("GET", f"{path}/events", {}),
        ("GET", f"{path}/instances", {}),
        ("GET", f"{path}/env-vars", {}),
        ("GET", "/env-groups", {}),
        ("GET", f"/env-groups/{group}", {}),
        ("GET", f"{path}/secret-files", {}),
        ("PUT", f"/env-groups/{group}/env-vars/A", {"json": {"value": "b"}}),
        ("GET", f"/env-groups/{group}/env-vars/A", {}),
        ("DELETE", f"/env-groups/{group}/env-vars/A", {}),
        ("PUT", f"/env-groups/{group}/secret-files/f", {"json": {"content": "c"}}),
        ("GET", f"/env-groups/{group}/secret-files/f", {}),
        ("DELETE", f"/env-groups/{group}/secret-files/f", {}),
        ("POST", f"/env-groups/{group}/services/{static}", {}),
        ("GET", "/env-groups/evg-unknown", {}),
        ("DELETE", f"/env-groups/{group}/services/{static}", {}),
        ("POST", "/env-groups", {"json": made}),
        ("PUT", f"{path}/env-vars/A", {"json": {"value": "b"}}),
        ("GET", f"{path}/env-vars/A", {}),
        ("DELETE", f"{path}/env-vars/A", {}),
        ("PATCH", path, {"json": {"autoDeploy": "yes"}}),
        ("PATCH", path, {"json": {"serviceDetails": {"maintenanceMode": {"enabled": True, "uri": ""}}}}),
        ("POST", f"{path}/restart", {}),
        ("POST", f"{path}/scale", {"json": {"numInstances": 2}}),
        ("POST", f"{path}/suspend", {}),
        ("POST", f"{path}/resume", {}),
        ("POST", f"/services/{static}/cache/purge", {}),
        ("POST", f"{path}/jobs", {"json": {"startCommand": "true"}}),
        ("GET", f"{path}/jobs", {}),
        ("POST", f"{path}/rollback", {"json": {"deployId": old}}),
        ("GET", f"{path}/events", {"params": {"limit": 100}}),
        ("POST", "/webhooks", {"json": body}),
        ("GET", "/webhooks", {}),
        ("GET", "/logs", {"params": {"ownerId": "tea-1", "resource": service}}),
        ("GET", "/metrics/cpu", {"params": {"resource": service, **now}}),
        ("GET", "/metrics/http-requests", {"params": {"resource": service, **now}}),
        ("POST", "/blueprints/validate", {"files": {"ownerId": (None, "tea-1"), "file": ("r.yaml", b"services: 3")}}),
        ("GET", "/blueprints", {}),
        ("GET", "/postgres", {}),
        ("GET", "/postgres/dpg-sampelitops0000000000-a/recovery", {}),
        ("GET", "/postgres/dpg-unknown-a/recovery", {}),
        ("GET", f"/postgres/{ID}", {}),
        ("POST", f"/postgres/{ID}/recovery", {"json": {"restoreTime": later, "restoreName": "r"}}),
        ("POST", f"/postgres/{ID}/restart", {}),
        ("POST", f"/postgres/{ID}/export", {}),
        ("GET", f"/postgres/{ID}/export", {}),
        ("GET", "/owners/tea-sampelit00000000000/audit-logs", {}),
        ("GET", "/projects", {}),
        ("GET", "/environments", {"params": {"projectId": "prj-sampelit000000000000"}}),
        ("GET", "/maintenance", {}),
        ("GET", f"/maintenance/{run}", {}),
        ("PATCH", f"/maintenance/{run}", {"json": {"scheduledAt": later}}),
        ("POST", f"/maintenance/{run}/trigger", {}),
        ("PUT", f"{path}/secret-files/f.json", {"json": {"content": "c"}}),
        ("DELETE", f"{path}/secret-files/f.json", {}),
        ("GET", f"{path}/custom-domains", {}),
        ("GET", f"{path}/custom-domains/app.sampelit.example", {}),
        ("POST", f"{path}/custom-domains/app.sampelit.example/verify", {}),
        ("GET", f"/services/{static}/routes", {}),
        ("POST", f"/cron-jobs/{cron}/runs", {}),
        ("DELETE", f"/cron-jobs/{cron}/runs", {}),
        ("GET", f"/services/{cron}/events", {}),
        ("GET", "/services/srv-unknown", {}),
        ("PATCH", path, {"json": {"autoDeploy": "no"}}),
    ]


@pytest.mark.specs
def test_every_answer_is_valid_by_the_openapi_file(harness: Harness) -> None:
    spec = openapi.required(openapi.RENDER)
    wrong = []
    for method, path, options in asked(harness):
        request, response = exchange(harness, method, path, **options)
        assert response.status_code < 500
        assert response.headers["Ratelimit-Limit"]
        try:
            openapi.check(spec, request, response)
        except Exception as error:
            wrong.append(f"{method} {path} {response.status_code}: {error!r} {error.__cause__!r}"[:600])
    assert wrong == []


def test_every_answer_parses_with_the_official_sdk(harness: Harness) -> None:
    sdk = import_module("render.public_api.client").AuthenticatedClient(
        base_url=harness.sandbox.base, token=harness.sandbox.api_key
    )
    service, static = harness.service(), harness.service("sampelit-web")
    harness.render.deploys.create(service)
    harness.advance(20)
    harness.render.deploys.rollback(service, harness.deploys()[2]["id"])
    job = harness.render.jobs.create(service, "true")
    event = next(harness.render.events.list(service))
    group = next(iter(harness.sandbox.world.groups))
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("services.list_services", (), {}),
        ("services.retrieve_service", (service,), {}),
        ("services.retrieve_service", (static,), {}),
        ("deploys.list_deploys", (service,), {}),
        ("deploys.retrieve_deploy", (service, harness.deploys()[0]["id"]), {}),
        ("services.list_events", (service,), {"limit": 100}),
        ("events.retrieve_event", (event.id,), {}),
        ("environment_groups.retrieve_env_group", (group,), {}),
        ("environment_groups.list_env_groups", (), {}),
        ("services.list_secret_files_for_service", (service,), {}),
        ("services.get_env_vars_for_service", (service,), {}),
        ("one_off_jobs.list_job", (service,), {}),
        ("one_off_jobs.retrieve_job", (service, job.id), {}),
        ("webhooks.list_webhooks", (), {}),
        ("workspaces.list_owners", (), {}),
        ("logs.list_logs", (), {"owner_id": "tea-1", "resource": [service]}),
        ("metrics.get_cpu", (), {"resource": service}),
    ]
    for name, arguments, named in calls:
        answer = import_module(f"render.public_api.api.{name}").sync_detailed(*arguments, client=sdk, **named)
        assert answer.status_code == 200, name
        assert answer.parsed is not None, name


def test_a_deploy_takes_its_time_and_switches_when_healthy(harness: Harness) -> None:
    service = harness.service()
    made = harness.render.deploys.create(service)
    assert made is not None
    words = [made.status]
    for _ in range(4):
        harness.advance(3.5)
        words.append(harness.render.deploys.get(service, made.id).status)

    order = ["created", "queued", "build_in_progress", "pre_deploy_in_progress", "update_in_progress", "live"]
    assert words[-1] == "live"
    assert words == sorted(words, key=order.index)
    assert [deploy["status"] for deploy in harness.deploys()].count("live") == 1


def test_a_second_deploy_waits_and_has_no_body(harness: Harness) -> None:
    service = harness.service()
    first = harness.render.deploys.create(service)
    second = harness.render.deploys.create(service)

    assert first is not None
    assert second is None
    assert harness.deploys()[-1]["status"] == "queued"
    harness.advance(30)
    harness.advance(30)
    assert harness.deploys()[-1]["status"] == "live"


def test_rollback_leaves_autodeploy_on_as_render_does(harness: Harness) -> None:
    service = harness.service("sampelit-web")
    old = harness.deploys("sampelit-web")[-2]

    made = harness.render.deploys.rollback(service, old["id"])

    assert made is not None
    assert (made.trigger, made.commit.id) == ("rollback", old["commit"]["id"])
    assert harness.render.services.get(service).auto_deploy


def test_not_one_request_is_lost_through_a_deploy_and_a_rollback(harness: Harness) -> None:
    older = harness.deploys()[3]["id"]
    url = f"{harness.sandbox.address}/apps/{API}/health"

    def visit(_: int) -> int:
        return requests.get(url, timeout=2).status_code

    codes: list[int] = []
    with ThreadPoolExecutor(8) as visitors:
        for start in (harness.render.deploys.create, lambda s: harness.render.deploys.rollback(s, older)):
            start(harness.service())
            for _ in range(12):
                waiting = visitors.map(visit, range(8))
                harness.advance(1)
                codes += waiting

    assert len(codes) == 192
    assert set(codes) == {200}


def test_state_survives_a_restart(tmp_path) -> None:
    with running(state=tmp_path / "render.json") as first:
        first.render.env_vars.set(first.service(), "KEPT", "yes")
    with running(state=tmp_path / "render.json") as second:
        assert second.sandbox.world.env[second.service()]["KEPT"] == "yes"
        assert len(second.deploys()) == 14


def test_webhooks_are_tried_again_twice_as_late(harness: Harness) -> None:
    harness.render.webhooks.create("tea-sampelit00000000000", "http://127.0.0.1:9/", "n")
    harness.render.services.suspend(harness.service())
    attempts = []
    for _ in range(6):
        attempts.append(harness.sandbox.deliveries.pump())
        harness.advance(1)

    assert attempts == [1, 1, 0, 1, 0, 0]
