"""Each check of the registry in its good and bad state: found, why, and what to do."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from deployments.models import Service
from migrations_registry.jobs import look_at_repositories
from migrations_registry.models import HistoryReading, SchemaFingerprint, StreamBaseline
from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import discover
from operations import doctor
from operations.doctor import Check
from operations.models import Environment, Heartbeat
from providers.git import source

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=3)


@pytest.fixture
def registered_production() -> Environment:
    register_files(discover([("schema_a.sql", b"CREATE TABLE a (id int)")])[0], source="tests", by="ana")
    return Environment.objects.create(slug="production", name="Production", kind="production")


def found(source: str) -> dict[str, Check]:
    checks = doctor.run(only=source)
    assert all(check.why for check in checks)
    assert all(check.fix for check in checks if check.tone in ("bad", "warn"))
    return {check.name.removeprefix("production "): check for check in checks}


def tones(source: str) -> dict[str, str]:
    return {name: check.tone for name, check in found(source).items()}


def test_a_target_nobody_reads_is_told_with_its_variables(registered_production: Environment) -> None:
    check = found("migration_history")["migration role"]
    assert (check.tone, "SAMPELIT_PRODUCTION_MIGRATION_DSN" in check.fix) == ("idle", True)
    HistoryReading.objects.create(environment=registered_production, problem="It did not accept the connection.")
    assert tones("migration_history") == {"migration role": "bad"}


def test_role_table_and_baselines(registered_production: Environment) -> None:
    row = HistoryReading.objects.create(
        environment=registered_production, read_at=timezone.now(), role="owner", obstacle="a lock"
    )
    assert tones("migration_history") == {"migration role": "bad", "history table": "warn", "baselines": "warn"}
    assert "--set stream=schema" in found("migration_history")["baselines"].fix

    HistoryReading.objects.update(role="", obstacle="")
    assert found("migration_history")["migration role"].tone == "idle"
    row.obstacle, row.has_table, row.unknown = "", True, [{"version": "1", "name": "x"}]
    row.save()
    StreamBaseline.objects.create(environment=registered_production, stream="schema", made_by="ana")
    checks = found("migration_history")
    assert checks["migration role"].found == "owner can apply and record"
    assert "1 first" in checks["history table"].found
    assert checks["baselines"].tone == "ok"

    HistoryReading.objects.update(unknown=[], read_at=LONG_AGO)
    checks = found("migration_history")
    assert (checks["history table"].tone, checks["migration reading"].tone) == ("ok", "warn")


def test_the_age_of_the_last_look_at_the_schema(registered_production: Environment) -> None:
    assert tones("fingerprints") == {"schema": "idle"}
    SchemaFingerprint.objects.create(environment=registered_production, sha256="a" * 64)
    assert (tones("fingerprints"), "0 min ago" in found("fingerprints")["schema"].found) == ({"schema": "ok"}, True)
    SchemaFingerprint.objects.update(seen_at=LONG_AGO)
    assert tones("fingerprints") == {"schema": "warn"}


def test_repositories_that_answer_and_that_do_not(
    registered_production: Environment, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "there")], check=True)
    run = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path / "there")]
    subprocess.run([*run, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    monkeypatch.setattr(source, "PROTOCOLS", ("https", "file"))
    there, gone = f"file://{tmp_path}/there", f"file://{tmp_path}/gone"
    for number, (repo, kind) in enumerate([(there, "web_service"), (gone, "web_service"), ("x", "static_site")]):
        Service.objects.create(
            render_id=f"srv-{number}", name=f"s{number}", type=kind, environment=registered_production, repo=repo
        )
    look_at_repositories()
    checks = found("repositories")
    assert {name: check.tone for name, check in checks.items()} == {
        f"repository {there}": "ok",
        f"repository {gone}": "warn",
    }
    assert "Nothing was read" in checks[f"repository {gone}"].found
    Heartbeat.objects.filter(detail__problem="").update(beat_at=LONG_AGO)
    assert tones("repositories")[f"repository {there}"] == "warn"

    settings.MIGRATIONS_SOURCE = str(tmp_path / "nowhere")
    look_at_repositories()
    (check,) = found("repositories").values()
    assert "nowhere is no directory here" in check.found
