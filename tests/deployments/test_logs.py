"""Logs around a deployment: the newest lines, older ones, a file; what Render does not answer is said."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deployments.models import Deployment, Service
from tests.render_sandbox import Harness

SECRET = "postgresql://app:hunter2hunter2@db/x"


@pytest.fixture
def live(api: Service, sandbox: Harness) -> Deployment:
    """Went live an hour ago and wrote 250 lines since, the last one with a password."""
    row = api.deployments.get(status="live")
    Deployment.objects.filter(pk=row.pk).update(finished_at=timezone.now() - timedelta(hours=1))
    world = sandbox.sandbox.world
    for number in range(250):
        said = SECRET if number == 249 else f"line {number:03}"
        world.log(api.render_id, said, at=timezone.now() - timedelta(seconds=1000 - number))
    world.log(api.render_id, "built long ago", kind="build", at=timezone.now() - timedelta(seconds=500))
    return row


def address(row: Deployment, which: str = "service", query: str = "") -> str:
    return reverse("admin:deployments_log", args=[row.pk, which]) + query


def test_newest_lines_stand_on_the_page_and_older_ones_behind_a_link(everything: Client, live: Deployment) -> None:
    page = everything.get(reverse("admin:deployments_deployment_change", args=[live.pk])).text
    newest = everything.get(address(live))
    older = everything.get(
        address(live, query=f"?before={newest.context['log'][0].at.isoformat().replace('+', '%2B')}")
    )

    assert "Log of this deploy" in page
    assert "line 248" in page
    assert "line 149" not in page
    assert [line.message for line in newest.context["log"]][:2] == ["line 150", "line 151"]
    assert "hunter2" not in newest.text + page
    assert "Older lines" in newest.text
    assert "line 149" in older.text
    assert "built long ago" not in older.text


def test_the_file_holds_each_line_once_and_in_order(everything: Client, live: Deployment) -> None:
    answer = everything.get(address(live, query="?download"))

    said = [line.partition(" ")[2] for line in answer.text.splitlines()]
    assert said[:-1] == [f"line {number:03}" for number in range(249)]
    assert "hunter2" not in said[-1]
    assert answer["Content-Disposition"].endswith('-service.log"')


def test_the_service_log_ends_where_the_next_deploy_took_over(everything: Client, live: Deployment) -> None:
    next_one = Deployment.objects.create(
        service=live.service,
        render_id="dep-next",
        status="live",
        created_at=timezone.now() - timedelta(seconds=980),
        finished_at=timezone.now() - timedelta(seconds=960),
    )

    before, after = (everything.get(address(row, query="?download")).text for row in (live, next_one))
    assert "line 030" in before
    assert "line 060" not in before
    assert "line 060" in after
    leads = everything.get(reverse("admin:deployments_of", args=["dep-next"]))
    assert leads["Location"] == reverse("admin:deployments_deployment_change", args=[next_one.pk])


def test_what_render_does_not_answer_is_said(everything: Client, live: Deployment, settings) -> None:
    settings.RENDER_API_KEY = ""

    answer = everything.get(address(live, query="?download"))

    assert answer.status_code == 503
    assert "RENDER_API_KEY is not set" in answer.text
    assert "RENDER_API_KEY is not set" in everything.get(address(live)).text


@pytest.mark.parametrize("path", ["nothing/", "service/?before=yesterday", "deploy/?before=2026-02-30T00:00:00Z"])
def test_another_log_or_moment_is_no_page(everything: Client, live: Deployment, path: str) -> None:
    assert everything.get(address(live, "x").replace("x/", path)).status_code == 404
