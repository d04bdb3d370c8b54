"""Who could pass by the portal: asked of the sandbox and of real catalogues, attested by name for a month."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import psycopg
import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from ledger.models import Entry
from ledger.registry import sentence_for
from operations.models import Environment, Heartbeat
from providers.errors import ProviderError, Refused
from providers.render.owners import Member, Owner
from sampelit_ops.outsiders import attestation, readings
from sampelit_ops.outsiders.readings import Outsider, Reading
from tests import stepping
from tests.people import holder

pytestmark = pytest.mark.django_db
attest = stepping.stepping(attestation.attest)


def keep(*found: Reading) -> str:
    detail = {"readings": [json.loads(json.dumps(reading, default=vars)) for reading in found]}
    Heartbeat.objects.update_or_create(name=readings.KEPT, defaults={"beat_at": timezone.now(), "detail": detail})
    return attestation.digest(list(found))


def one(who: str = "olga", **more: Any) -> Reading:
    return Reading("Render", [Outsider(who, "ADMIN of Sampelit")], "2026-11-01", **more)


def tone() -> tuple[str, str]:
    (check,) = attestation.outsiders(None)
    return check.tone, check.found


class RenderApi:
    """As `providers.render`, which its contract test compares with Render's own file."""

    def __init__(self, *members: Member) -> None:
        self.owners, self.found = self, members

    def list(self) -> list[Owner]:
        return [Owner("tea-1", "Sampelit", type="team"), Owner("usr-1", "Ben", "ben@example.com", "user")]

    def members(self, owner: str) -> tuple[Member, ...]:
        return self.found


@pytest.fixture
def render(monkeypatch: pytest.MonkeyPatch) -> None:
    api = RenderApi(Member("Olga", "olga@example.com", "ADMIN", True), Member("Vera", "", "NEW_WORD", False))
    monkeypatch.setattr(readings.render_client, "render", lambda: api)


def test_workspaces_are_listed_with_their_roles_and_what_to_mend(render: None) -> None:
    by_place = {reading.place: reading.outsiders for reading in readings.read_all()}

    assert by_place["Render"] == [
        Outsider("Vera", "NEW_WORD of Sampelit", readings.NO_FACTOR, "tea-1"),
        Outsider("ben@example.com", "owner of Ben", part="usr-1"),
        Outsider("olga@example.com", "ADMIN of Sampelit", part="tea-1"),
    ]


def test_a_source_that_is_away_keeps_its_last_answer(render: None, monkeypatch: pytest.MonkeyPatch) -> None:
    before = readings.read_all()[0]

    def away() -> None:
        raise ProviderError("Render does not answer", retryable=True)

    monkeypatch.setattr(readings.render_client, "render", away)
    after = readings.read_all()[0]

    assert (after.outsiders, after.at) == (before.outsiders, before.at)
    assert "does not answer" in after.problem
    assert readings.kept()[1][0] == after


def test_a_part_that_is_away_keeps_its_own_and_nobody_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a part that answered said before is over: another role, a second factor, somebody who left."""
    said = {"tea-1": [Member("Olga", "o@x", "ADMIN", False), Member("Left", "l@x", "ADMIN", True)], "tea-2": []}
    said["tea-2"] = [Member("Olga", "o@x", "DEVELOPER", True)]

    class Api(RenderApi):
        def list(self) -> list[Owner]:
            return [Owner(key, key, type="team") for key in said]

        def members(self, owner: str) -> Any:
            if not said[owner]:
                raise ProviderError("away", retryable=True)
            return said[owner]

    monkeypatch.setattr(readings.render_client, "render", Api)
    readings.read_all()
    said |= {"tea-1": [Member("Olga", "o@x", "VIEWER", True)], "tea-2": []}

    found = readings.read_all()[0]

    assert [(one.who, one.can, one.note) for one in found.outsiders] == [
        ("o@x", "DEVELOPER of tea-2", ""),
        ("o@x", "VIEWER of tea-1", ""),
    ]
    assert "away" in found.problem


def test_owners_of_tables_are_read_from_the_catalogue() -> None:
    """Of login roles: a superuser, an owner, a member of an owner, who passes row security; no other."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE ROLE out_owner LOGIN; CREATE ROLE out_group; CREATE ROLE out_member LOGIN IN ROLE out_group;"
            "CREATE ROLE out_bypass LOGIN BYPASSRLS; CREATE ROLE out_reader LOGIN;"
            "CREATE ROLE out_super LOGIN SUPERUSER;"
            "CREATE TABLE out_a (id int); CREATE TABLE out_b (id int);"
            "ALTER TABLE out_a OWNER TO out_owner; ALTER TABLE out_b OWNER TO out_group;"
            "GRANT SELECT, INSERT ON out_a TO out_reader"
        )
        cursor.execute(readings.OWNERS)
        found = {role: can for role, can in cursor.fetchall() if role.startswith("out_")}

    assert found == {
        "out_owner": "owns 1 tables",
        "out_member": "owns 1 tables",
        "out_bypass": "passes by row security",
        "out_super": "superuser",
    }


def test_a_product_is_asked_by_whichever_role_is_here(production: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    (without,) = [reading for reading in readings.read_all() if reading.place == "the database of production"]
    known = connection.settings_dict
    dsn = psycopg.conninfo.make_conninfo(
        host=known["HOST"], port=known["PORT"], dbname=known["NAME"], user=known["USER"], password=known["PASSWORD"]
    )
    monkeypatch.setattr(readings, "reading_dsn", lambda environment: dsn)

    (reading,) = [reading for reading in readings.read_all() if reading.place == "the database of production"]

    assert "is set in this process" in without.problem
    assert Outsider(str(known["USER"]), "superuser") in reading.outsiders


@pytest.mark.usefixtures("one_clock")
def test_it_is_attested_by_name_and_for_a_month(settings: Any) -> None:
    settings.DEMO = False
    assert tone() == ("warn", "nobody has attested who could pass by")
    amir = holder("amir", "auth.change_user")
    attest(by=amir, seen=keep(one(), Reading("Supabase", problem="away")))

    (entry,) = Entry.objects.filter(code=attestation.ATTESTED)
    assert sentence_for(entry) == "amir attested who could pass by the portal: 1 in all"
    assert json.loads(entry.data)["unread"] == ["Supabase"]
    assert tone()[0] == "ok"
    with time_machine.travel(timezone.now() + timedelta(days=32)):
        assert tone()[0] == "warn"
    keep(one("somebody else"))
    assert tone() == ("warn", f"changed since amir attested it on {timezone.now():%Y-%m-%d}")


def test_only_what_was_shown_is_attested_and_only_by_who_may() -> None:
    seen = keep(one())
    keep(one(), Reading("Supabase", [Outsider("ada", "Owner of Sampelit")]))

    with pytest.raises(Refused, match="another one by now"):
        attest(by=holder("amir", "auth.change_user"), seen=seen)
    with pytest.raises(PermissionDenied):
        attest(by=holder("vera", "operations.view_heartbeat"), seen=attestation.digest(readings.kept()[1]))
    assert not Entry.objects.filter(code=attestation.ATTESTED).exists()


def test_the_page_shows_and_attests_it() -> None:
    keep(one("<b>olga</b>", problem="Render was away"))
    client, url = stepping.SteppingClient(), reverse("admin:outsiders")
    client.force_login(holder("amir", "auth.change_user", "operations.view_heartbeat"))
    shown = client.get(url)
    assert "&lt;b&gt;olga" in shown.text
    assert "Render was away" in shown.text

    client.post(url, {"seen": shown.context["digest"]})

    assert Entry.objects.get(code=attestation.ATTESTED).actor == "amir"
    assert "Last attested by amir" in client.get(url).text


def test_the_shell_lists_and_attests_it(render: None, settings: Any) -> None:
    settings.DEMO = True
    amir = holder("amir", "auth.change_user")
    code = stepping.devices.new_recovery_codes(amir)[0]
    out, err = StringIO(), StringIO()

    call_command("outsiders", "--attest", "--as", "amir", "--code", code, stdout=out, stderr=err)

    assert "  olga@example.com: ADMIN of Sampelit" in out.getvalue()
    assert Entry.objects.get(code=attestation.ATTESTED).actor == "amir"
