"""Every page of this app: shown with Render up, down and slow; who may do what; exports; at most twelve queries."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from deployments import jobs
from deployments.health import probing
from deployments.models import Deployment, Service
from deployments.variables import fingerprints, parity
from deployments.web.home import health as health_panel
from deployments.web.home import live as live_panel
from tests.people import holder
from tests.render_sandbox import Harness

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(api: Service, client: Client) -> Client:
    cache.clear()
    codes = ["service", "deployment", "healthcheck", "configfingerprint", "webhookdelivery"]
    client.force_login(holder("viewer", *[f"deployments.view_{code}" for code in codes]))
    return client


def pages(api: Service) -> list[str]:
    live = api.deployments.get(status="live")
    failed = api.deployments.get(status="build_failed")
    lists = [
        f"admin:deployments_{name}_changelist"
        for name in ("deployment", "service", "healthcheck", "webhookdelivery", "configfingerprint")
    ]
    return [
        *map(reverse, lists),
        reverse("admin:deployments_deployment_change", args=[live.pk]),
        reverse("admin:deployments_deployment_change", args=[failed.pk]),
        reverse("admin:deployments_service_change", args=[api.pk]),
        reverse("admin:deployments_environment", args=["production"]),
        reverse("admin:deployments_environment", args=["sampelit-web-pr-41"]),
        reverse("admin:deployments_parity", args=["staging"]),
        reverse("admin:deployments_setup"),
        reverse("admin:deployments_previews"),
    ]


def test_every_page_is_shown(everything: Client, api: Service) -> None:
    probing.probe(api)
    for url in pages(api):
        answer = everything.get(url)
        assert answer.status_code == 200, url
        assert "style=" not in answer.content.decode(), url
        assert len(answer.content) < 100_000, url


def test_a_viewer_sees_every_page_and_no_enabled_verb(viewer: Client, api: Service) -> None:
    for url in pages(api):
        answer = viewer.get(url)
        assert answer.status_code == 200, url
        assert "/request/" not in answer.content.decode(), url


def test_pages_stay_usable_without_render(everything: Client, api: Service, sandbox: Harness) -> None:
    sandbox.sandbox.stop()
    for url in pages(api):
        assert everything.get(url).status_code == 200, url


def test_pages_say_when_the_key_is_revoked(everything: Client, api: Service, sandbox: Harness) -> None:
    sandbox.control("key", value="rnd_replaced_000000000000")

    text = everything.get(reverse("admin:deployments_environment", args=["production"])).content.decode()

    assert "Create a new key" in text
    assert "rnd_" not in text


def test_the_deployment_page_tells_how_and_who(everything: Client, api: Service) -> None:
    live = api.deployments.get(status="live")

    text = everything.get(reverse("admin:deployments_deployment_change", args=[live.pk])).content.decode()

    assert "alfonso@sampelit.example" in text
    assert "usually" in text
    assert f"{api.repo}/compare/" in text
    assert "deployments.rollback" in text


def test_from_the_alert_to_the_rollback_are_three_clicks(everything: Client, api: Service) -> None:
    page = everything.get(probing.link(api)).content.decode()  # click 1: the link in the alert
    start = page.index("/admin/operations/operation/request/deployments.rollback/")
    confirm = page[start : page.index('"', start)].replace("&amp;", "&")
    shown = everything.get(confirm)  # click 2: the red button
    back = api.deployments.filter(status="deactivated").order_by("-created_at")[0]

    posted = everything.post(
        confirm, {"environment": "production", "service": api.render_id, "deployment": back.render_id}
    )  # click 3

    assert "migrations are not undone" in shown.content.decode()
    assert posted.status_code == 302
    assert "/admin/operations/operation/" in posted.url


def test_the_list_is_cheap(everything: Client, api: Service) -> None:
    with CaptureQueriesContext(connection) as queries:
        everything.get(reverse("admin:deployments_deployment_changelist"))

    assert len(queries) <= 12
    assert not [
        q["sql"]
        for q in queries
        if "COUNT(*)" in q["sql"] and "deployments_deployment" in q["sql"] and "LIMIT" not in q["sql"]
    ]


@pytest.mark.parametrize("message", ["=HYPERLINK(1)", "＝HYPERLINK(1)"])
def test_export_as_csv_and_json(everything: Client, api: Service, message: str) -> None:
    Deployment.objects.filter(pk=api.deployments.first().pk).update(commit_message=message)
    chosen = {"_selected_action": list(api.deployments.values_list("pk", flat=True))}
    url = reverse("admin:deployments_deployment_changelist")

    table = everything.post(url, {"action": "export_csv", **chosen}).getvalue().decode()
    parsed = json.loads(everything.post(url, {"action": "export_json", **chosen}).getvalue())

    rows = list(csv.DictReader(io.StringIO(table)))
    assert len(rows) == len(parsed) == 14
    assert rows[0]["message"] == f"'{message}"
    assert parsed[0]["environment"] == "production"


def test_switches_need_the_right_and_reach_the_ledger(everything: Client, api: Service) -> None:
    everything.post(reverse("admin:deployments_service_change", args=[api.pk]), {"auto_rollback": "on"})

    api.refresh_from_db()
    assert (api.auto_rollback, api.is_self) == (True, False)


def test_a_viewer_cannot_switch_or_set_up(viewer: Client, api: Service) -> None:
    url = reverse("admin:deployments_service_change", args=[api.pk])

    assert viewer.post(url, {"auto_rollback": "on"}).status_code == 403
    assert viewer.post(reverse("admin:deployments_setup")).status_code == 403
    assert viewer.post(reverse("admin:deployments_parity", args=["staging"])).status_code == 403


def test_parity_reads_and_shows_violations_without_values(
    everything: Client, api: Service, sandbox: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.sandbox.world.env[sandbox.service("sampelit-api-staging")]["JWT_SECRET"] = "sandbox-production-jwt-secret"
    sandbox.sandbox.world.env[sandbox.service("sampelit-web-staging")]["SUPABASE_SERVICE_KEY"] = "leaked-to-visitors"
    url = reverse("admin:deployments_parity", args=["staging"])

    with monkeypatch.context() as patched:
        patched.setattr(fingerprints, "refresh", lambda *_: pytest.fail("a page read from Render"))
        assert "are being read" in everything.post(url, follow=True).content.decode()
    jobs.read_variables()
    text = everything.get(url).content.decode()

    assert ">2 violations<" not in text
    assert text.count("1 violation<") == 2
    assert "the same value as production" in text.lower().replace("✕ ", "")
    assert "a visitor can read it here" in text.lower()
    assert "sandbox-production" not in text
    assert {(s.name, f.key) for s, f in parity.violations()} == {
        ("sampelit-api-staging", "JWT_SECRET"),
        ("sampelit-web-staging", "SUPABASE_SERVICE_KEY"),
    }


def test_set_up_reads_everything_and_creates_the_webhook(
    everything: Client, api: Service, sandbox: Harness, settings
) -> None:
    settings.OPS_BASE_URL = "https://ops.example"

    text = everything.post(reverse("admin:deployments_setup"), follow=True).content.decode()
    again = everything.post(reverse("admin:deployments_setup"), follow=True).content.decode()

    assert "Webhook created; its secret is the configured one" in text
    assert "The webhook exists" in again
    assert [hook["url"] for hook in sandbox.sandbox.world.webhooks.values()] == ["https://ops.example/webhooks/render/"]
    assert "whsec_" not in text


def test_a_plan_without_webhooks_is_no_error(everything: Client, api: Service, sandbox: Harness) -> None:
    sandbox.control("plan", name="starter")

    text = everything.post(reverse("admin:deployments_setup"), follow=True).content.decode()

    assert "Polling sees every change within a minute without it" in text


def test_panels_answer_the_two_questions(api: Service, rf) -> None:
    assert health_panel(rf.get("/")).answer == "Not probed yet"
    for _ in range(2):
        probing.probe(Service.objects.get(pk=api.pk))

    assert (health_panel(rf.get("/")).answer, health_panel(rf.get("/")).tone) == ("Healthy", "ok")
    panel = live_panel(rf.get("/"))
    assert panel.answer == api.deployments.get(status="live").short
    assert "alfonso@sampelit.example" in panel.detail


def test_previews_are_listed_with_their_end(everything: Client, api: Service) -> None:
    text = everything.get(reverse("admin:deployments_previews")).content.decode()

    assert "sampelit-web-pr-41" in text
    assert "deployments.delete_preview" in text


def test_a_running_deploy_refreshes_until_it_ends(everything: Client, api: Service) -> None:
    live = api.deployments.get(status="live")
    url = reverse("admin:deployments_live", args=[live.pk])
    assert b"data-terminal" in everything.get(url).content
    Deployment.objects.filter(pk=live.pk).update(status="build_in_progress")

    assert b"data-terminal" not in everything.get(url).content


def test_drift_of_the_blueprint_is_renders_word(everything: Client, api: Service, sandbox: Harness) -> None:
    sandbox.render.services.set_source(api.render_id, branch="hotfix")

    text = everything.get(reverse("admin:deployments_parity", args=["production"])).content.decode()

    assert "drifted or in error" in text.lower()


GOOD = b"services:\n- {name: a, type: web, runtime: node, buildCommand: b, startCommand: s}\n"


@pytest.mark.parametrize(("content", "code"), [(GOOD, 0), (b"services: 3", 1), (GOOD + b"- {name: a}\n", 1)])
def test_a_blueprint_is_validated_before_it_is_merged(
    api: Service, tmp_path: Path, content: bytes, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "render.yaml").write_bytes(content)
    try:
        call_command("validate_blueprint", str(tmp_path / "render.yaml"), "--json")
        found = 0
    except SystemExit as ended:
        found = ended.code

    assert found == code
    answer = json.loads(capsys.readouterr().out)
    assert (answer["valid"], answer["faults"] == []) == (code == 0, code == 0)
    assert answer["render"] is not None


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("who=me", 0),
        ("who=outside", 45),
        ("who=event", 14),
        ("status__exact=build_failed", 4),
        ("q=Round+conversion", 5),
        ("q=dep-nothing", 0),
        ("q=0123456789", 0),
        ("q=alfonso", 14),
        ("since=2031-01-01", 0),
    ],
)
def test_filters(everything: Client, api: Service, query: str, count: int) -> None:
    shown = everything.get(f"{reverse('admin:deployments_deployment_changelist')}?{query}")

    assert shown.context["cl"].result_count == count


def test_a_commit_or_an_id_is_searched_for_by_its_index(everything: Client, api: Service) -> None:
    live = api.deployments.get(status="live")
    url = reverse("admin:deployments_deployment_changelist")

    by_commit = everything.get(f"{url}?q={live.commit_sha[:9]}").context["cl"].queryset
    by_id = everything.get(f"{url}?q={live.render_id}").context["cl"].queryset

    assert live in by_commit
    assert list(by_id) == [live]


def test_a_deploy_offers_commits_with_titles_and_what_is_live(everything: Client, api: Service) -> None:
    live = api.deployments.get(status="live")
    older = api.deployments.filter(status="deactivated").exclude(commit_sha=live.commit_sha).first()
    assert older is not None

    asks = reverse("admin:operations_request", args=["deployments.deploy"])
    page = everything.get(asks, {"environment": "production"})

    offers = dict(re.findall(r'<option value="(\w{12})">([^<]*)</option>', page.text))
    assert f"(live on {api.name}" in offers[live.commit_sha[:12]]
    assert offers[live.commit_sha[:12]].startswith(live.title[:10])
    assert "live on" not in offers[older.commit_sha[:12]]
    assert 'list="suggested-commit"' in page.text
