"""What is kept besides ordinary tables: in our runs, elsewhere, nowhere, and red where it is there and nowhere."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backups.models import ProviderBackup
from backups.web.outside import ELSEWHERE, NOWHERE, RUN, Copies, kept
from operations.models import Environment
from providers import postgres
from providers.postgres.schema.outside import TOPICS, Outside, read_outside
from tests.backups.schema.conftest import database as database

PLATFORM = (
    "CREATE SCHEMA auth; CREATE TABLE auth.users (x int); INSERT INTO auth.users VALUES (1);"
    "CREATE SCHEMA storage; CREATE TABLE storage.objects (x int); INSERT INTO storage.objects VALUES (1);"
    "CREATE SCHEMA vault; CREATE TABLE vault.secrets (x int); INSERT INTO vault.secrets VALUES (1);"
    "CREATE SCHEMA cron; CREATE TABLE cron.job (x int); INSERT INTO cron.job VALUES (1);"
    "CREATE TABLE t (x int); GRANT SELECT ON t TO anon; SELECT lo_create(5);"
    "CREATE UNLOGGED TABLE u (x int); INSERT INTO u VALUES (1); CREATE PUBLICATION p FOR TABLE t;"
    "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE f (x int) SERVER s;"
    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 5000', current_database()); END $$;"
    "CREATE EXTENSION dict_int; CREATE TABLE e (x int); INSERT INTO e VALUES (1);"
    "ALTER EXTENSION dict_int ADD TABLE e"
)


def test_every_topic_is_counted(database) -> None:
    with postgres.connect(database(PLATFORM)) as connection:
        found = read_outside(connection)

    assert [item.topic for item in found] == list(TOPICS)
    assert [item.topic for item in found if not item.count] == ["subscriptions"]
    assert next(item.names for item in found if item.topic == "extension tables") == ("public.e",)


NONE, ALL, PARTS = Copies((), False), Copies(("*",), False), Copies(("auth.*", "public.u"), True)
WHERE = [
    ("auth", ("auth.users",), NOWHERE, NOWHERE, RUN),
    ("storage rows", ("storage.objects",), NOWHERE, NOWHERE, ELSEWHERE),
    ("storage files", ("x",), NOWHERE, NOWHERE, NOWHERE),
    ("vault", ("vault.secrets",), NOWHERE, NOWHERE, ELSEWHERE),
    ("cron jobs", ("cron.job",), NOWHERE, NOWHERE, ELSEWHERE),
    ("roles", ("anon",), NOWHERE, RUN, RUN),
    ("settings", ("anon",), NOWHERE, RUN, RUN),
    ("large objects", ("5",), NOWHERE, RUN, RUN),
    ("unlogged tables", ("public.u",), NOWHERE, RUN, RUN),
    ("extension tables", ("public.e",), NOWHERE, NOWHERE, ELSEWHERE),
    ("foreign tables", ("public.f",), ELSEWHERE, ELSEWHERE, ELSEWHERE),
    ("publications", ("p",), NOWHERE, RUN, RUN),
    ("subscriptions", ("s",), NOWHERE, RUN, RUN),
]


@pytest.mark.parametrize(("topic", "names", "none", "all_", "parts"), WHERE, ids=[row[0] for row in WHERE])
def test_where_a_topic_is_kept(topic: str, names: tuple[str, ...], none: str, all_: str, parts: str) -> None:
    lines = [kept([Outside(topic, 1, names)], copies)[0] for copies in (NONE, ALL, PARTS)]

    assert [line.where for line in lines] == [none, all_, parts]
    assert [line.tone == "bad" for line in lines] == [line.where == NOWHERE for line in lines]
    assert all(line.sentence for line in lines)


def test_what_is_not_there_is_no_alarm() -> None:
    assert {line.tone for line in kept([Outside(topic, 0) for topic in TOPICS], NONE)} == {"idle"}


@pytest.mark.django_db(transaction=True)
def test_the_page_and_the_command_are_red_for_files_alone(
    admin_client: Client, production: Environment, database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", database(PLATFORM))
    ProviderBackup.objects.create(
        environment=production, ref="r", external_id="1", kind="daily", status="COMPLETED", taken_at=timezone.now()
    )

    page = admin_client.get(reverse("admin:backups_coverage")).content.decode()
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("coverage", environment="production", json=True, stdout=out)

    assert "Storage objects are not in a database backup" in page
    assert ended.value.code == 1
    lines = json.loads(out.getvalue())["outside"]
    assert [one["topic"] for one in lines if one["count"] and one["where"] == NOWHERE] == ["storage files"]
