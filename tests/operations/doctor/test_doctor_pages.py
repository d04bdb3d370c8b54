"""The doctor's command and pages, the hourly round, and Connect a database."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from operations import doctor
from operations.doctor import Check, jobs
from operations.engine import tick
from operations.models import Environment, Heartbeat, Notification
from sampelit_ops.roles import sync_roles
from sampelit_ops.views.connect import roles_sql
from tests import portal_database


def _command(*args: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("doctor", *args, stdout=out, stderr=out)
    except SystemExit as stopped:
        return int(stopped.code or 0), out.getvalue()
    except CommandError as refused:
        return refused.returncode, str(refused)
    return 0, out.getvalue()


def test_the_command(db: None, store: Path) -> None:
    code, text = _command("--only", "store", "--json")
    assert code == 0
    assert json.loads(text)["status"] == "ok"
    assert set(json.loads(text)["checks"][0]) == {"name", "tone", "found", "why", "fix"}

    code, text = _command("--only", "workers")
    assert code == 1
    assert re.search(r"^RED +workers +0 alive", text, re.MULTILINE)
    assert "fix: " in text

    assert _command("--environment", "nowhere")[0] == 2
    code, text = _command("--only", "nothing")
    assert (code, "nothing was checked" in text) == (2, True)


def test_the_hourly_round_is_kept_and_told_once(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    tone = "bad"
    monkeypatch.setattr(doctor, "_sources", {"x": lambda _: [Check("x", tone, "found it")]})
    for now in ("bad", "bad", "ok", "ok"):
        tone = now
        jobs.round_of_checks()

    beat, checks = jobs.kept()
    assert beat is not None
    assert [check.tone for check in checks] == ["ok"]
    assert Notification.objects.count() == 2


def _client(role: str) -> Client:
    sync_roles()
    user = User.objects.create_user(role.lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


def test_the_page(db: None, store: Path) -> None:
    client = _client("Auditor")
    assert "No round of checks yet" in client.get("/admin/doctor/").content.decode()

    shown = client.post("/admin/doctor/", {"run": ""}, follow=True).content.decode()

    assert "A worker runs all checks within half a minute" in shown
    tick.tick(lambda job: job.name == jobs.NAME and tick.run_job(job))
    assert "portal database" in client.get("/admin/doctor/").content.decode()
    client.post("/admin/doctor/", {"test": ""})
    assert Notification.objects.filter(subject="Test message").count() == 1


def test_asked_for_again_it_runs_again_and_without_a_worker_it_says_so(db: None, store: Path) -> None:
    client, ran = _client("Auditor"), list[bool]()
    for _ in range(2):
        client.post("/admin/doctor/", {"run": ""})
        tick.tick(lambda job: ran.append(tick.claim(job)) if job.name == jobs.NAME else None)
    Heartbeat.objects.filter(name="tick").update(beat_at=timezone.now() - timedelta(minutes=5))

    shown = client.post("/admin/doctor/", {"run": ""}, follow=True).content.decode()

    assert ran == [True, True]
    assert "No worker does its duties since" in shown


def test_a_viewer_only_looks(db: None) -> None:
    client = _client("Viewer")

    assert client.get("/admin/doctor/").status_code == 200
    assert client.post("/admin/doctor/").status_code == 403
    assert client.get("/admin/connect/").status_code == 403


def test_connect(production: Environment, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", portal_database.server.dsn("postgres"))
    client = _client("Admin")

    printed = client.get("/admin/connect/").content.decode()
    checked = client.post("/admin/connect/", {"environment": "production"}).content.decode()

    assert "SAMPELIT_PRODUCTION_MIGRATION_DSN" in printed
    assert "CREATE ROLE sampelit_ops_export LOGIN BYPASSRLS" in printed
    assert "production export role" in checked
    assert "store overwrite" in checked
    assert portal_database.server.dsn("postgres") not in checked


def test_connect_without_environments(db: None) -> None:
    assert _client("Admin").get("/admin/connect/").status_code == 200


def test_the_printed_roles_are_valid_sql(db: None) -> None:
    """As the owner of a scratch server, in a transaction that is rolled back."""
    with psycopg.connect(portal_database.server.dsn("postgres")) as connection:
        connection.execute(roles_sql())
        row = connection.execute("SELECT rolbypassrls FROM pg_roles WHERE rolname = 'sampelit_ops_export'").fetchone()
        connection.rollback()

    assert row == (True,)
