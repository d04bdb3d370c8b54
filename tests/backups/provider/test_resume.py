"""A project that Supabase paused is woken once, whatever becomes of the answer, and is then read again."""

from __future__ import annotations

import pytest

from backups.provider import resume
from backups.provider.sync import sync
from operations.models import Environment, SupabaseProject
from providers.errors import Refused
from tests.supabase_platform import REF, Platform
from tests.supabase_production import writes

RESUME = f"POST /v1/projects/{REF}/restore$"


@pytest.fixture
def paused(production: Environment, platform: Platform) -> Environment:
    platform.client.http.send("POST", f"/v1/projects/{REF}/pause")
    sync(production, platform.client)
    platform.api.world.calls.clear()
    return production


@pytest.mark.parametrize("fault", [{}, {"status": 502, "after": True}, {"status": 502, "after": True, "empty": True}])
def test_it_is_asked_once_and_healthy_then(act, paused: Environment, platform: Platform, fault: dict) -> None:
    if fault:
        platform.control("POST", "faults", {"match": RESUME} | fault)

    operation = act("backups.provider_resume")

    assert (operation.status, operation.error) == ("succeeded", "")
    assert operation.result["status"] == "ACTIVE_HEALTHY"
    assert SupabaseProject.objects.get(environment=paused).status == "ACTIVE_HEALTHY"
    assert writes(platform) == ["restore"]


def test_what_supabase_declines_is_said_and_nothing_repeated(
    act, paused: Environment, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resume, "LOOKS", 2)
    platform.control("POST", "faults", {"match": RESUME, "status": 400, "message": "No free projects left", "times": 9})

    operation = act("backups.provider_resume")

    assert operation.status == "failed"
    assert "No free projects left" in operation.error
    assert writes(platform) == ["restore"]


def test_a_project_that_is_awake_is_not_asked_for(production: Environment) -> None:
    with pytest.raises(Refused, match=r"is ACTIVE_HEALTHY, not INACTIVE\. Nothing was requested"):
        resume.ResumeProject().clean(production, {})


def test_one_that_somebody_else_woke_is_read_again_and_nothing_asked(
    act, paused: Environment, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.client.projects.resume(REF)
    platform.api.world.calls.clear()

    assert act("backups.provider_resume").status == "succeeded"
    assert writes(platform) == []
