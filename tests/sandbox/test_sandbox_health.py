"""The stand-in of `GET /health`: 200 while degraded, 503 only when unhealthy, and the switch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from sandbox.health import Health
from sandbox.web import base_url, serve


@pytest.fixture
def health(sampelit: dict[str, str]) -> Iterator[tuple[Health, str]]:
    stand_in = Health(sampelit["app"], "production")
    server = serve(stand_in.answer)
    yield stand_in, base_url(server)
    server.shutdown()
    server.server_close()


def switch(url: str, status: str) -> int:
    return requests.post(f"{url}/__sandbox__/health", json={"status": status}, timeout=5).status_code


def test_healthy_names_database_version_and_environment(health: tuple[Health, str]) -> None:
    answer = requests.get(f"{health[1]}/health", timeout=5)

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "healthy",
        "database": "connected",
        "version": health[0].version,
        "environment": "production",
    }


def test_degraded_still_answers_200(health: tuple[Health, str]) -> None:
    assert switch(health[1], "degraded") == 200
    answer = requests.get(f"{health[1]}/health", timeout=5)

    assert (answer.status_code, answer.json()["status"], answer.json()["database"]) == (200, "degraded", "disconnected")


def test_unhealthy_answers_503_until_healthy_again(health: tuple[Health, str]) -> None:
    switch(health[1], "unhealthy")
    refused = requests.get(f"{health[1]}/health", timeout=5)
    switch(health[1], "healthy")

    assert (refused.status_code, refused.json()) == (503, {"status": "unhealthy"})
    assert requests.get(f"{health[1]}/health", timeout=5).json()["status"] == "healthy"


def test_a_lost_database_is_degraded_by_itself(health: tuple[Health, str]) -> None:
    health[0].dsn = "postgresql://nobody:x@127.0.0.1:9/none"

    assert requests.get(f"{health[1]}/health", timeout=5).json()["database"] == "disconnected"


def test_an_unknown_status_or_path_changes_nothing(health: tuple[Health, str]) -> None:
    assert switch(health[1], "happy") == 400
    assert requests.get(f"{health[1]}/elsewhere", timeout=5).status_code == 404
    assert health[0].forced == "healthy"
