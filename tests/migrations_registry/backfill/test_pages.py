"""The doors of a backfill: the button beside the file, Pause and Resume beside the walk, the same from the shell."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from migrations_registry.backfill import steps
from migrations_registry.models import Application, MigrationFile
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import Environment, Operation
from tests.migrations_registry.applying import POOLS, add_supabase, finish

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def walking(
    orders: None, baselined: Environment, ana: User, fill: MigrationFile, monkeypatch: pytest.MonkeyPatch
) -> Operation:
    monkeypatch.setattr(steps, "SLICE_SECONDS", 0)
    operation = request("migrations.backfill", by=ana, environment=baselined, parameters={"file": fill.sha256})
    run_operation(operation.pk, "test", POOLS, end_process=lambda: None)
    operation.refresh_from_db()
    assert operation.status == "running"
    return operation


def test_pause_and_resume_stand_beside_the_walk_and_progress_on_its_operation(
    walking: Operation, ana: User, client: Client
) -> None:
    client.force_login(ana)
    page = reverse("admin:migrations_registry_application_change", args=[Application.objects.get().pk])

    running = client.get(page).content.decode()
    asked = client.get(f"{reverse('admin:operations_request', args=['migrations.pause'])}?backfill={walking.pk}")
    Application.objects.update(paused_by="ana")
    paused = client.get(page).content.decode()
    shown = client.get(reverse("admin:operations_operation_change", args=[walking.pk])).content.decode()

    assert "Pause…" in running
    assert "Keys passed" in running
    assert f"backfill={walking.pk}&amp;state=paused" in running
    assert asked.status_code == 200
    assert walking.subject in asked.content.decode()
    assert "Resume…" in paused
    assert "keys" in shown


def test_the_file_of_one_update_has_the_button_and_no_other(
    orders: None, baselined: Environment, ana: User, client: Client
) -> None:
    client.force_login(ana)
    texts = {"UPDATE orders SET cents = 1 WHERE cents IS NULL": True, "COMMENT ON TABLE orders IS 'x'": False}
    for number, (text, has_button) in enumerate(texts.items(), 2):
        file = add_supabase(number, text)

        page = client.get(reverse("admin:migrations_registry_migrationfile_change", args=[file.pk])).content.decode()

        assert ("Run it in batches…" in page) is has_button, text


def test_the_shell_pauses_too(walking: Operation, ana: User, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.DEMO = True
    call_command(
        *("ops", "request", "migrations.pause", "--environment", "production", "--as", "ana", "--json"),
        *("--set", f"backfill={walking.pk}", "--set", "state=paused", "--reason", "a busy hour"),
    )
    asked = json.loads(capsys.readouterr().out)

    assert finish(Operation.objects.get(pk=asked["id"])).status == "succeeded"
    assert Application.objects.get().paused_by == "ana"
