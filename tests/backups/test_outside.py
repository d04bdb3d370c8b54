"""What is kept besides ordinary tables: in our runs, elsewhere, nowhere, and red where it is there and nowhere."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from backups.evidence.inputs import Material
from backups.evidence.portal_records import not_covered
from backups.models import Policy, ProviderBackup, Run
from backups.policies.outside import ELSEWHERE, HERE, NOT_WANTED, NOWHERE, RUN, Copies, kept, kept_by
from backups.web.coverage import coverage
from backups.web.home import kept_nowhere
from operations.models import Environment
from providers import postgres
from providers.postgres.schema.outside import TOPICS, Outside, read_outside
from tests.backups.conftest import ended
from tests.backups.schema.conftest import database as database

PLATFORM = (
    "CREATE SCHEMA auth; CREATE TABLE auth.users (x int); INSERT INTO auth.users VALUES (1);"
    "CREATE SCHEMA storage; CREATE TABLE storage.objects (x int); INSERT INTO storage.objects VALUES (1);"
    "CREATE SCHEMA vault; CREATE TABLE vault.secrets (x int); INSERT INTO vault.secrets VALUES (1);"
    "CREATE SCHEMA cron; CREATE TABLE cron.job (jobname text, schedule text, command text, nodename text, nodeport int,"
    " database text, username text, active bool, jobid int); INSERT INTO cron.job VALUES ('nightly');"
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


@pytest.mark.parametrize("topic", TOPICS)
def test_what_nobody_wants_is_no_alarm_and_what_is_kept_is_still_told(topic: str) -> None:
    """Whatever is nowhere, or elsewhere alone: saying that no copy is wanted takes the red away, nothing else."""
    for copies in (NONE, ALL, PARTS):
        (wanted,) = kept([Outside(topic, 1, ("x.y",))], copies)
        (unwanted,) = kept([Outside(topic, 1, ("x.y",))], replace(copies, not_wanted=frozenset({topic})))

        assert (unwanted.where == NOT_WANTED) == (wanted.where == NOWHERE)
        assert unwanted.where in (NOT_WANTED, wanted.where)
        assert unwanted.tone != "bad"


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


UNWANTED = ("storage rows", "storage files", "vault", "cron jobs", "extension tables")


@pytest.mark.django_db(transaction=True)
def test_a_run_says_what_it_holds_until_a_person_says_what_is_not_wanted(
    admin_client: Client, production: Environment, ask, database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its page, home, the doctor and the evidence, each from what was there when the run was made."""
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", database(PLATFORM))
    audit = Policy.objects.filter(environment=production, name="audit-trail")
    audit.update(tables=["public.t", "public.u"])
    operation = ended(ask())
    request = RequestFactory().get("/")
    request.user = User.objects.get(username="admin")

    def where() -> dict[str, str]:
        run = Run.objects.select_related("policy__environment").get(operation=operation)
        return {line.topic: line.where for line in kept_by(run)}

    run = Run.objects.get(operation=operation)
    page = admin_client.get(reverse("admin:backups_run_change", args=[run.pk])).content.decode()
    (said,) = not_covered(Material(((run, None),), run.snapshot_at))
    panel, (check,) = kept_nowhere(request), coverage(production)

    assert where() == {
        **dict.fromkeys(("roles", "settings", "unlogged tables"), HERE),
        **dict.fromkeys(("auth", "large objects", "publications", "foreign tables"), ELSEWHERE),
        **dict.fromkeys(UNWANTED, NOWHERE),
    }
    assert all(f"{place.capitalize()}</span>" in page for place in (HERE, ELSEWHERE, NOWHERE))
    assert "storage files (1), nowhere" in said
    assert panel is not None
    assert (panel.tone, "storage files" in panel.answer, check.tone) == ("bad", True, "bad")
    audit.update(not_wanted=[*UNWANTED])
    del request.recent_runs  # type: ignore[attr-defined]
    assert [topic for topic, place in where().items() if place == NOT_WANTED] == [*UNWANTED]
    assert kept_nowhere(request) is None
    assert next(coverage(production)).tone != "bad"
