"""Each accident of the demo really happens in a sandbox, its alarm answers, and it can be put back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import stamina
from django.contrib.auth.models import User
from django.core.management import call_command

from backups.models import Incident, Run
from backups.policies.defaults import ensure_policies
from deployments.render.sync import poll
from migrations_registry.drift import detect as drift_detect
from migrations_registry.models import DriftIncident
from operations.engine.run import run_operation
from operations.models import Environment, Operation
from providers.errors import Refused
from sampelit_ops.demo.accidents import alarms, causes, provoke
from tests.render_sandbox import running

pytestmark = pytest.mark.django_db(transaction=True)
COLUMN = "SELECT string_agg(updated_at::text, ',' ORDER BY id) FROM subscriptions"


@pytest.fixture
def demo_production(settings, tmp_path: Path, monkeypatch, sampelit_copy, reused_drill) -> Environment:
    settings.BACKUP_STORE = f"file://{tmp_path}/store"
    for role in ("export", "migration"):
        monkeypatch.setenv(f"SAMPELIT_PRODUCTION_{role.upper()}_DSN", sampelit_copy[role])
    people()
    environment = Environment.objects.create(slug="production", name="P", kind="production", protected=True)
    ensure_policies(environment)
    return environment


def people() -> None:
    """The operator, in whose name the demo asks for exports, and an admin."""
    User.objects.create(username="operator", is_staff=True, is_superuser=True)
    User.objects.create(username="admin", is_staff=True, is_superuser=True)


@pytest.fixture
def work() -> Callable[[], None]:
    """What the demo's worker does: run every export that was asked for."""

    def work() -> None:
        for operation in Operation.objects.filter(status="queued", kind="backups.export"):
            run_operation(operation.pk, "test", frozenset({"export", "prove"}), end_process=lambda: None)

    return work


def test_a_forged_row_is_answered_by_an_incident(demo_production, work, client, sampelit_copy) -> None:
    causes._look_by_export("the first export")
    work()
    client.force_login(User.objects.get(username="admin"))
    whole = conversions(sampelit_copy)

    client.post("/admin/demo/alarms/", {"accident": "forge-row", "act": "provoke"})
    forged = conversions(sampelit_copy)
    awaited = client.get("/admin/demo/alarms/").content.decode()
    work()
    page = client.get("/admin/demo/alarms/").content.decode()

    incident = Incident.objects.get()
    assert "Awaited" in awaited
    assert f"/admin/backups/incident/{incident.pk}/change/" in page
    assert incident.code == "conversion_changed"
    with pytest.raises(Refused, match="put it back first"):
        provoke.provoke("forge-row", "admin")
    before = incident.evidence["rows"][0]["before"]
    assert dict(whole.items() - forged.items()) == {before["id"]: before["conversion_value"]}
    call_command("demo_alarm", "forge-row", "--put-back")
    assert conversions(sampelit_copy) == whole


def conversions(dsns: dict[str, str]) -> dict[str, str | None]:
    with psycopg.connect(dsns["admin"]) as connection:
        return dict(connection.execute("SELECT id::text, conversion_value::text FROM algorithm_audit_trail").fetchall())


def test_a_dropped_column_is_answered_by_drift(demo_production, sampelit_copy) -> None:
    drift_detect.hourly()
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        before = connection.execute(COLUMN).fetchone()

    provoke.provoke("drop-column", "admin")
    drift_detect.hourly()

    answer = alarms.answers()[0]
    assert (
        answer.url == f"/admin/migrations_registry/driftincident/{DriftIncident.objects.get(status='open').pk}/change/"
    )
    provoke.put_back("drop-column", "admin")
    drift_detect.hourly()
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        assert connection.execute(COLUMN).fetchone() == before
    assert not DriftIncident.objects.filter(status="open").exists()


def test_a_store_whose_key_expired_is_answered_by_a_failed_run_and_works_again(demo_production, work, settings) -> None:
    Path(settings.BACKUP_STORE.removeprefix("file://")).mkdir()

    provoke.provoke("expire-key", "admin")
    work()
    answer = alarms.answers()[0]
    provoke.put_back("expire-key", "admin")
    causes._look_by_export("again")
    work()

    failed, proven = Run.objects.order_by("-started_at")[1], Run.objects.order_by("-started_at")[0]
    assert (failed.status, answer.url) == ("failed", f"/admin/backups/run/{failed.pk}/change/")
    assert "could not" in failed.reason
    assert proven.status == "proven"


def test_a_failed_deploy_is_answered_by_its_deployment(demo_production, settings) -> None:
    phases = {"build_in_progress": 0.0, "pre_deploy_in_progress": 0.0, "update_in_progress": 0.0}
    with stamina.set_testing(True, attempts=2), running(phases=phases) as harness:
        settings.RENDER_API_KEY, settings.RENDER_API_BASE = harness.sandbox.api_key, harness.sandbox.base
        poll()

        provoke.provoke("fail-deploy", "admin")
        poll()

    answer = alarms.answers()[0]
    assert answer.seconds is not None
    assert answer.url.startswith("/admin/deployments/deployment/")
    with pytest.raises(Refused, match="needs no putting back"):
        provoke.put_back("fail-deploy", "admin")


@pytest.mark.parametrize(
    ("name", "variable", "value"),
    [
        ("forge-row", "SAMPELIT_PRODUCTION_MIGRATION_DSN", "postgresql://a:b@db.example.com/postgres"),
        ("drop-column", "SAMPELIT_PRODUCTION_MIGRATION_DSN", ""),
        ("fail-deploy", "", "https://api.render.com/v1"),
        ("expire-key", "", "s3://bucket/prefix"),
        ("nothing", "", ""),
    ],
)
def test_only_the_sandbox_of_this_machine_is_ever_touched(
    settings, monkeypatch, name: str, variable: str, value: str
) -> None:
    settings.RENDER_API_BASE = value or "https://api.render.com/v1"
    settings.BACKUP_STORE = value or "s3://bucket/prefix"
    if variable:
        monkeypatch.setenv(variable, value)

    with pytest.raises(Refused, match="Nothing was done"):
        provoke.provoke(name, "admin")

    assert not alarms.answers()


def test_outside_the_demo_there_is_no_such_page_and_only_admins_see_it(settings, client) -> None:
    people()
    User.objects.filter(username="operator").update(is_superuser=False)
    client.force_login(User.objects.get(username="operator"))
    assert client.get("/admin/demo/alarms/").status_code == 403
    client.force_login(User.objects.get(username="admin"))
    assert client.get("/admin/demo/alarms/").status_code == 200

    settings.DEMO = False

    assert client.get("/admin/demo/alarms/").status_code in (302, 404)
    with pytest.raises(Refused, match="in the demo only"):
        provoke.provoke("forge-row", "admin")
