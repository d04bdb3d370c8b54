"""The Recover page and its command: which ways back are offered, with what loss, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import psycopg
import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from backups.provider.sync import sync
from migrations_registry.models import MigrationFile, SchemaFingerprint
from operations.models import Environment
from providers.errors import Refused
from sampelit_ops.recover.loss import Lost, parse
from sampelit_ops.recover.migration_writer import write
from sampelit_ops.recover.options import options, restored, schema_for
from tests.supabase_platform import REF, Platform
from tests.supabase_production import export


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("table=users", Lost("table", "public.users")),
        ("column=users.company", Lost("column", "public.users", "company")),
        ("column=public.users.company", Lost("column", "public.users", "company")),
        ("rows=audit.log", Lost("rows", "audit.log")),
        ("project", Lost("project")),
        (
            "experiment=A5AC06D8-64c2-42e3-9403-560d97dae38d",
            Lost("experiment", "public.experiments", key="a5ac06d8-64c2-42e3-9403-560d97dae38d"),
        ),
    ],
)
def test_what_was_lost_is_understood(text: str, lost: Lost) -> None:
    assert parse(text) == lost
    assert parse(lost.words) == lost


@pytest.mark.parametrize(
    "text",
    ["", "table", "project=x", "row=users", "column=company", "table=a.b.c", "table=users; DROP", "experiment=12"],
)
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(Refused):
        parse(text)


@pytest.fixture
def seen(client: Client, operator: User) -> Client:
    codes = ["view_run", "view_operation", "register_migrationfile", "view_migrationfile"]
    operator.user_permissions.add(*Permission.objects.filter(codename__in=codes))
    client.force_login(operator)
    return client


def test_the_ways_back_and_the_whole_flow(act, production: Environment, platform: Platform, seen: Client) -> None:
    run = export(act)
    platform.control("POST", f"projects/{REF}/backup")
    sync(production, platform.client)
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    query = {
        "environment": "production",
        "lost": "column",
        "table": "public.users",
        "column": "company",
        "at": f"{at:%Y-%m-%dT%H:%M:%S}",
    }
    platform.change("ALTER TABLE users DROP COLUMN company")

    page = seen.get(reverse("admin:recover"), query)
    rows = page.context["rows"]
    confirmation = seen.get(rows[0].way.url)
    operation = act(rows[0].option.kind, **rows[0].option.parameters)
    again = seen.get(reverse("admin:recover"), query)
    written = seen.post(reverse("admin:recover"), {**query, "operation": operation.pk})

    assert [row.option.layer for row in rows] == ["ours", "pitr", "daily", "daily"]
    assert rows[0].option.parameters["run"] == run.pk
    assert rows[0].option.downtime.startswith("None")
    assert rows[2].option.loss_seconds < 3600
    assert rows[0].option.parameters["target"] in confirmation.content.decode()
    assert operation.status == "succeeded"
    assert "Write the migration" in again.content.decode()
    assert "/migrationfile/" in written.url
    assert operation.parameters["tables"] == "public.users"
    lost = parse("column=users.company")
    assert schema_for(production, lost, at, list(restored(production, lost, at))).endswith("_2")
    with psycopg.connect(platform.dsn("migration")) as connection:
        connection.execute("SET ROLE sampelit_owner")
        connection.execute(MigrationFile.objects.get().data)


def test_a_layer_that_cannot_help_says_why(production: Environment, platform: Platform) -> None:
    platform.control("PATCH", f"projects/{REF}", {"backups": [], "pitr_enabled": False, "plan": "free"})
    sync(production, platform.client)
    production = Environment.objects.get()  # as a page reads it
    early, late = datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC)

    before = options(production, parse("table=users"), early)
    column = options(production, parse("column=users.never_was"), late)
    whole = options(production, parse("project"), late)

    assert not any(way.kind for way in [*before, *column, *whole])
    assert "No proven run from before then holds table public.users" in before[0].note
    assert "free plan has no backups" in column[2].note
    assert "$100" in column[1].price
    assert [way.layer for way in whole] == ["pitr", "daily", "ours"]


def test_the_command_prints_json_and_how_to_start_each(act, production: Environment, platform: Platform) -> None:
    export(act)
    out, at = StringIO(), f"{datetime.now(UTC) + timedelta(seconds=2):%Y-%m-%dT%H:%M:%SZ}"

    call_command("recover_options", "--lost", "rows=experiments", "--at", at, stdout=out)

    ways = json.loads(out.getvalue())["options"]
    assert ways[0]["command"].startswith("sampelit-ops request backups.restore --environment production --set run=")
    assert "public.algorithm_audit_trail" in ways[0]["parameters"]["tables"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--lost", "nothing", "--at", "2026-01-01T00:00:00Z"], "not understood"),
        (["--lost", "project", "--at", "2026-01-01"], "time zone"),
        (["--lost", "project", "--at", "2026-01-01T00:00:00Z", "--environment", "mars"], "no environment"),
    ],
)
def test_the_command_refuses_what_it_does_not_understand(db: None, arguments: list[str], why: str) -> None:
    Environment.objects.create(slug="production")
    with pytest.raises(CommandError, match=why) as refused:
        call_command("recover_options", *arguments)
    assert refused.value.returncode == 2


def test_what_was_never_there_is_refused_by_command_and_page(db: None, client: Client) -> None:
    environment = Environment.objects.create(slug="production", kind="production")
    at = ["--at", "2026-01-01T00:00:00Z"]
    with pytest.raises(SystemExit) as nobody_looked:
        call_command("recover_options", "--lost", "table=ghost", *at, stdout=StringIO())
    seen = [["table", 'public."user"', "", "CREATE …", "0"], ["column", 'public."user".age', 'public."user"', "…", "1"]]
    SchemaFingerprint.objects.create(environment=environment, sha256="0" * 64, objects_json=seen)
    client.force_login(User.objects.create_superuser("root"))
    query = {"environment": "production", "lost": "rows", "table": "ghost", "at": "2026-01-01T00:00:00"}

    page = client.get(reverse("admin:recover"), query).content.decode()

    assert nobody_looked.value.code == 1
    assert "ever held public.ghost. Nothing was started." in page
    for lost, code in (("table=user", 1), ("column=user.age", 1), ("column=user.size", 2), ("rows=users", 2)):
        with pytest.raises((SystemExit, CommandError)) as ended:
            call_command("recover_options", "--lost", lost, *at, stdout=StringIO())
        assert getattr(ended.value, "returncode", getattr(ended.value, "code", 0)) == code, lost


def test_nothing_is_written_from_what_is_not_beside(act, production: Environment, platform: Platform) -> None:
    operation = act("backups.provider_restore_point")

    with pytest.raises(Refused, match="restored nothing beside"):
        write(operation, parse("table=users"), "olga")
    with pytest.raises(CommandError, match="no operation"):
        call_command("recover_migration", "01ABC", "--lost", "project")


def test_viewers_see_but_do_not_write(production: Environment, client: Client, operator: User) -> None:
    operator.user_permissions.set(Permission.objects.filter(codename="view_run"))
    client.force_login(operator)
    query = {"environment": "production", "lost": "project", "at": "2026-01-01T00:00:00", "operation": "x"}

    assert client.get(reverse("admin:recover"), query).status_code == 200
    assert client.post(reverse("admin:recover"), query).status_code == 403
