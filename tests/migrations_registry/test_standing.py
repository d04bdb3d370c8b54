"""A review says where its file stands: what is in the way before anybody asks, and what was done when it is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from migrations_registry.models import Application, MigrationFile, StreamBaseline
from operations.models import Environment
from tests.people import holder
from tests.registering import CALM, registered

pytestmark = pytest.mark.django_db
ASK, WHY = "Ask to apply it…", 'id="why-request"'


@pytest.fixture
def file(bare_production: Environment, operator: User, client: Client) -> MigrationFile:
    client.force_login(operator)
    return registered(CALM)


def shown(client: Client, file: MigrationFile) -> str:
    return client.get(reverse("admin:migrations_registry_migrationfile_change", args=[file.pk])).text


def test_a_stream_that_is_not_baselined_is_told_with_the_way_on(file: MigrationFile, client: Client) -> None:
    may = ("view_migrationfile", "view_environment", "apply_migrationfile", "baseline_stream")
    ways = [f"migrations.baseline/?environment=production&amp;stream={file.stream}", "migrations.path/?environment"]

    text = shown(client, file)
    client.force_login(holder("bea", *may))
    whole = shown(client, file)

    assert (ASK in text, WHY in text, "is not baselined on production" in text) == (False, True, True)
    assert [(way in text, way in whole) for way in ways] == [(False, True)] * 2


def test_what_stands_in_no_way_is_asked_for(file: MigrationFile, client: Client) -> None:
    StreamBaseline.objects.create(environment=Environment.objects.get(), stream=file.stream, operation="x", made_by="y")

    assert ASK in shown(client, file)


def test_what_was_applied_is_not_asked_for_again_and_says_what_was_done(file: MigrationFile, client: Client) -> None:
    place = Environment.objects.get()
    StreamBaseline.objects.create(environment=place, stream=file.stream, operation="x", made_by="y")
    row = Application.objects.create(
        file=file, environment=place, operation="x", status="applied", ended_at=timezone.now()
    )

    text = shown(client, file)

    assert (ASK in text, "Nobody has asked for it" in text, WHY in text) == (False, False, False)
    assert reverse("admin:migrations_registry_application_change", args=[row.pk]) in text


def test_a_frozen_environment_is_told_before_it_is_asked(file: MigrationFile, client: Client) -> None:
    place = Environment.objects.get()
    StreamBaseline.objects.create(environment=place, stream=file.stream, operation="x", made_by="y")
    Environment.objects.filter(pk=place.pk).update(frozen_until=timezone.now() + timedelta(hours=1))

    text = shown(client, file)

    assert (ASK in text, "is frozen until" in text) == (False, True)


def test_what_was_undone_says_so_and_what_comes_before_it_is_asked_for_again(
    file: MigrationFile, client: Client
) -> None:
    place = Environment.objects.get()
    StreamBaseline.objects.create(environment=place, stream=file.stream, operation="x", made_by="y")
    row = Application.objects.create(file=file, environment=place, operation="x", status="applied", undone_by="01UNDO")

    client.force_login(
        holder("ulla", "view_migrationfile", "view_application", "view_environment", "mark_historyreading")
    )
    page = client.get(reverse("admin:migrations_registry_application_change", args=[row.pk])).text
    text = shown(client, file)

    for told in (page, text):
        assert "What it destroyed was brought back" in told
        assert reverse("admin:operations_operation_change", args=["01UNDO"]) in told
        assert "Undo…" not in told
    assert f"migrations.mark/?environment=production&amp;versions={file.version}&amp;state=reverted" in text


def test_whoever_may_undo_it_finds_that_on_the_page_of_the_file(file: MigrationFile, client: Client) -> None:
    place = Environment.objects.get()
    StreamBaseline.objects.create(environment=place, stream=file.stream, operation="x", made_by="y")
    Application.objects.create(file=file, environment=place, operation="01APPLIED", status="applied")
    client.force_login(holder("ulla", "view_migrationfile", "undo_application", "view_environment"))

    assert "migrations.undo/?environment=production&amp;application=01APPLIED" in shown(client, file)
