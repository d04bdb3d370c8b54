"""The doctor: the registry, each check in its good and bad state, the command, the pages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone
from pytest_django.fixtures import Settings

from operations import doctor
from operations.doctor import Check, databases
from operations.models import Environment, Heartbeat
from providers import memory
from providers.errors import ProviderError
from providers.http import public_address
from sampelit_ops.roles import sync_roles
from tests import portal_database


def _tones(checks: list[Check]) -> dict[str, str]:
    return {check.name: check.tone for check in checks}


def test_a_check_that_breaks_is_red_and_redacted(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_one(environment: Environment | None) -> Iterator[Check]:
        raise RuntimeError("postgresql://u:hunter2@h/d")
        yield

    monkeypatch.setitem(doctor._sources, "broken_one", broken_one)

    checks = doctor.run(only="broken_one")

    assert [(check.name, check.tone) for check in checks] == [("broken one", "bad")]
    assert "hunter2" not in checks[0].found


def test_worst_first(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    tones = ["ok", "bad", "idle", "warn"]
    monkeypatch.setattr(doctor, "_sources", {"x": lambda _: [Check(tone, tone, "") for tone in tones]})

    assert [check.tone for check in doctor.run()] == ["bad", "warn", "ok", "idle"]
    assert doctor.worst(doctor.run()) == "bad"
    assert doctor.worst([]) == "ok"


def test_workers_and_canaries(db: None, settings: Settings) -> None:
    assert set(_tones(doctor.run(only="workers")).values()) == {"bad"}
    for name in ("worker:a", *(f"canary:{queue}" for queue in settings.OPS_QUEUES.values())):
        Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": timezone.now()})
    assert set(_tones(doctor.run(only="workers")).values()) == {"ok"}

    Heartbeat.objects.filter(name="canary:urgent").update(beat_at=timezone.now() - timedelta(minutes=5))

    assert _tones(doctor.run(only="workers"))["canary urgent"] == "bad"


def test_database_migrations_and_clock(db: None) -> None:
    tones = {**_tones(doctor.run(only="portal_database")), **_tones(doctor.run(only="migrations"))}

    assert tones | _tones(doctor.run(only="clock")) == {"portal database": "ok", "migrations": "ok", "clock": "ok"}


@pytest.mark.parametrize(("valid", "age", "tone"), [(True, 0, "ok"), (True, 5, "warn"), (False, 0, "bad")])
def test_ledger(db: None, valid: bool, age: int, tone: str) -> None:
    at = timezone.now() - timedelta(hours=age)
    Heartbeat.objects.create(name="ledger.verified", beat_at=at, detail={"valid": valid, "entries": 3})

    assert _tones(doctor.run(only="ledger")) == {"ledger": tone}


@pytest.mark.parametrize(("approvers", "demo", "tone"), [(0, False, "bad"), (1, False, "warn"), (2, False, "ok")])
def test_approvers(db: None, settings: Settings, approvers: int, demo: bool, tone: str) -> None:
    settings.DEMO = demo
    sync_roles()
    for n in range(approvers):
        User.objects.create_user(f"ada{n}").groups.add(Group.objects.get(name="Approver"))
    User.objects.create_user("gone", is_active=False).groups.add(Group.objects.get(name="Approver"))

    assert _tones(doctor.run(only="approvers")) == {"approvers": tone}


@pytest.mark.parametrize(
    ("name", "value", "tone"),
    [
        ("SECRET_KEY", "x" * 50, "ok"),
        ("SECRET_KEY", "B0jrphAPOY7pg92AN0c9MN4yecczLMdwnx4OkA1KFUk=", "ok"),  # as Render's generateValue makes it
        ("SECRET_KEY", "short", "bad"),
        ("SECRET_KEY", "", "bad"),
        ("BACKUP_AGE_RECIPIENTS", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p", "ok"),
        ("BACKUP_AGE_RECIPIENTS", "age1nonsense", "bad"),
        ("RENDER_API_KEY", "rnd_0123456789", "ok"),
        ("RENDER_API_KEY", "nonsense", "bad"),
        ("RENDER_API_KEY", "", "idle"),
        ("RENDER_WEBHOOK_SECRET", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "ok"),
        ("RENDER_WEBHOOK_SECRET", "whsec_x", "bad"),
        ("SUPABASE_ACCESS_TOKEN", "sbp_0123456789", "ok"),
    ],
)
def test_secrets(
    db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, value: str, tone: str
) -> None:
    settings.DEMO = False
    monkeypatch.setenv(name, value)

    checks = doctor.run(only="secrets")

    assert _tones(checks)[name] == tone
    assert not value or all(value not in check.found + check.fix for check in checks)


@pytest.mark.parametrize(
    ("held", "tone", "found"),
    [
        (None, "warn", "no worker tells"),
        ([(True, True)], "ok", "set and well-formed at the export worker"),
        ([(False, False)], "bad", "not set at the export worker"),
        ([(True, True), (True, False)], "bad", "set, but malformed at the export worker"),
        ([(True, True), (False, False)], "bad", "not set at the export worker"),
    ],
)
def test_what_only_a_worker_holds_is_told_by_its_beat(
    db: None,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    held: list[tuple[bool, bool]] | None,
    tone: str,
    found: str,
) -> None:
    settings.DEMO = False
    monkeypatch.delenv("BACKUP_SIGNING_KEY", raising=False)
    for number, word in enumerate(held or []):
        detail = {"queues": ["export", "urgent"], "holds": {"BACKUP_SIGNING_KEY": word}}
        Heartbeat.objects.create(name=f"worker:{number}", beat_at=timezone.now(), detail=detail)
    old = {"queues": ["export"], "holds": {"BACKUP_SIGNING_KEY": (False, False)}}
    Heartbeat.objects.create(name="worker:gone", beat_at=timezone.now() - timedelta(hours=1), detail=old)

    checks = {check.name: check for check in doctor.run(only="secrets")}

    assert (checks["BACKUP_SIGNING_KEY"].tone, checks["BACKUP_SIGNING_KEY"].found) == (tone, found)


@pytest.mark.parametrize(
    ("used", "limit", "tone"),
    [(300, 512, "ok"), (345, 512, "warn"), (470, 512, "bad"), (None, 512, "idle"), (300, None, "idle")],
)
def test_a_plan_that_is_too_small_is_seen(
    db: None, monkeypatch: pytest.MonkeyPatch, used: int | None, limit: int | None, tone: str
) -> None:
    sizes = tuple(None if size is None else size << 20 for size in (used, limit))
    monkeypatch.setattr(memory, "used_bytes", lambda: sizes[0])
    monkeypatch.setattr(memory, "limit_bytes", lambda: sizes[1])
    detail = {"queues": ["export", "urgent"], "memory": sizes}
    Heartbeat.objects.create(name="worker:a", beat_at=timezone.now(), detail=detail)

    assert _tones(doctor.run(only="plan_memory")) == {"memory here": tone, "memory of export and urgent": tone}


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel shows variables in /proc on Linux only")
def test_a_key_that_a_process_of_somebody_else_shows(db: None, settings: Settings) -> None:
    settings.BACKUP_AGE_IDENTITY = f"AGE-SECRET-KEY-1{uuid4().hex.upper()}"
    hidden = doctor.run(only="secrets")
    with subprocess.Popen(["sleep", "600"], env={"ANY": settings.BACKUP_AGE_IDENTITY}) as shell:
        shown = {check.name: check for check in doctor.run(only="secrets")}
        shell.kill()

    assert "keys of other processes" not in _tones(hidden)
    assert shown["keys of other processes"].tone == "warn"
    assert f"process {shell.pid}" in shown["keys of other processes"].found


@pytest.mark.parametrize(("status", "tone"), [(400, "ok"), (403, "bad"), (404, "bad")])
def test_slack(db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch, status: int, tone: str) -> None:
    settings.SLACK_WEBHOOK_URL = "https://hooks.slack.com/services/x"

    def answer(*_: object) -> int:
        raise public_address.Answered("hooks.slack.com", status)

    monkeypatch.setattr(public_address, "post", answer)

    assert _tones(doctor.run(only="slack")) == {"slack": tone}


def test_mail_that_does_not_answer(db: None, settings: Settings) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    settings.EMAIL_BACKEND = "providers.http.smtp.EmailBackend"

    assert _tones(doctor.run(only="mail")) == {"mail": "bad"}


def test_the_store_is_probed(db: None, store: Path) -> None:
    assert _tones(doctor.run(only="store")) == {"store": "ok", "store overwrite": "ok"}
    assert _tones(doctor.run(only="store")) == {"store": "ok", "store overwrite": "ok"}


def test_a_store_that_cannot_be_written(db: None, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings.BACKUP_STORE = f"file://{tmp_path}/file"

    assert _tones(doctor.run(only="store")) == {"store": "bad"}


def test_a_database_as_superuser(production: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", portal_database.server.dsn("postgres"))

    tones = _tones(list(databases.database(production, "export")))

    assert tones["production export role"] == "warn"
    assert tones["production export port"] == "ok"
    assert tones["production export version"] == "ok"
    assert "bad" not in tones.values()


@pytest.mark.parametrize(
    ("dsn", "check"),
    [
        ("postgresql://u:hunter2@127.0.0.1:6543/d", "production export port"),
        ("postgresql://u:hunter2@127.0.0.1:9/d", "production export connection"),
        ("not a dsn", "production export DSN"),
    ],
)
def test_a_bad_database(production: Environment, monkeypatch: pytest.MonkeyPatch, dsn: str, check: str) -> None:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", dsn)

    checks = doctor.run(production, only="databases")

    assert _tones(checks)[check] == "bad"
    assert all("hunter2" not in check.found for check in checks)


def test_a_round_says_one_line_a_database(production: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", portal_database.server.dsn("postgres"))

    checks = {check.name: check for check in doctor.run(only="databases")}

    assert sorted(checks) == [
        "production export database",
        "production migration database",
        "production restore database",
    ]
    assert "PostgreSQL" in checks["production migration database"].found
    assert len(doctor.run(production, only="databases")) > 5


def test_only_ipv6_is_amber(production: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "_families", lambda host: {"IPv6"})

    tones = _tones(list(databases._address("x", "postgresql://u@db.ref.supabase.co/postgres")))

    assert tones["x address"] == "warn"
    assert tones["x sslmode"] == "warn"


def test_a_provider_error_is_a_red_check(production: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(url: str) -> object:
        raise ProviderError("the bucket is gone")

    monkeypatch.setattr("providers.storage.factory.open_store", refuse)

    assert _tones(doctor.run(only="store")) == {"store": "bad"}
