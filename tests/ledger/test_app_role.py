"""With exactly the credentials of the portal's own role the portal works, and nobody rewrites the ledger or a vote."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from uuid import uuid4

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from psycopg.sql import SQL, Identifier

from ledger import app_role
from ledger.models import Entry
from ledger.services import checkpoint, record, verify
from operations import doctor
from operations.approvals.voting import reevaluate, revoke
from operations.engine.deciding import places_of
from operations.engine.tick import wake_due
from operations.models import Environment, Operation
from operations.votes.judge import counted
from providers.errors import Refused
from sampelit_ops import command_line
from tests import factories
from tests.app_role import PASSWORD, connected_as, made
from tests.browser.pages import pages
from tests.operations import test_votes_forged
from tests.people import holder
from tests.stepping import approve

pytestmark = pytest.mark.django_db(transaction=True)

REWRITES = {
    "update": "UPDATE ledger_entry SET actor = 'nobody'",
    "delete": "DELETE FROM ledger_entry",
    "truncate": "TRUNCATE ledger_entry",
    "truncate all": "TRUNCATE ledger_entry, ledger_head, ledger_checkpoint CASCADE",
    "no triggers": "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
    "no user triggers": "ALTER TABLE ledger_entry DISABLE TRIGGER USER",
    "drop trigger": "DROP TRIGGER ledger_entry_no_update_delete ON ledger_entry",
    "drop": "DROP TABLE ledger_entry",
    "rename": "ALTER TABLE ledger_entry RENAME TO older",
    "column": "ALTER TABLE ledger_entry DROP COLUMN mac",
    "function": "CREATE OR REPLACE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
    " $$BEGIN RETURN NEW; END$$",
    "drop function": "DROP FUNCTION ledger_refuse_change() CASCADE",
    "trigger of its own": "CREATE TRIGGER mine BEFORE INSERT ON ledger_entry FOR EACH ROW"
    " EXECUTE FUNCTION ledger_refuse_change()",
    "rule": "CREATE RULE mine AS ON INSERT TO ledger_entry DO INSTEAD NOTHING",
    "policy": "ALTER TABLE ledger_entry ENABLE ROW LEVEL SECURITY",
    "owner": "ALTER TABLE ledger_entry OWNER TO current_user",
    "replication": "SET session_replication_role = replica",
    "set role": "SET ROLE {owner}",
    "session authorization": "SET SESSION AUTHORIZATION {owner}",
    "membership": "GRANT {owner} TO {role}",
    "superuser": "ALTER ROLE {role} SUPERUSER",
    "grant to itself": "GRANT UPDATE ON ledger_entry TO {role}; UPDATE ledger_entry SET actor = 'nobody'",
    "shadow": "CREATE TABLE public.ledger_entry_2 (id int)",
    "head back": "UPDATE ledger_head SET sequence = 0",
    "head away": "DELETE FROM ledger_head",
    "head's id": "UPDATE ledger_head SET id = 2",
    "head emptied": "TRUNCATE ledger_head",
    "checkpoints": "UPDATE ledger_checkpoint SET head_sha256 = repeat('0', 64)",
    "checkpoints away": "DELETE FROM ledger_checkpoint",
    "copy over": "COPY ledger_entry FROM PROGRAM 'true'",
    "migrations": "DELETE FROM django_migrations",
    "votes away": "DELETE FROM operations_approval",
    "operations away": "DELETE FROM operations_operation",
    "vote guard": "ALTER TABLE operations_approval DISABLE TRIGGER ALL",
    "person guard": "ALTER TABLE auth_user DISABLE TRIGGER ALL",
    "machine": "DELETE FROM operations_machineaccount",
    "setting": "ALTER DATABASE {database} SET session_replication_role = replica",
    "role's setting": "ALTER ROLE {role} SET session_replication_role = replica",
}


@pytest.fixture
def role() -> Iterator[str]:
    with made() as name:
        yield name


@pytest.fixture
def as_app(role: str) -> Iterator[str]:
    """Django itself is connected as the portal's role."""
    with connected_as(role):
        yield role


def connected(role: str) -> psycopg.Connection:
    database = connection.settings_dict
    return psycopg.connect(
        host=database["HOST"],
        port=database["PORT"],
        dbname=database["NAME"],
        user=role,
        password=PASSWORD,
        autocommit=True,
    )


def written() -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sequence, actor, sha256 FROM ledger_entry ORDER BY 1")
        entries = cursor.fetchall()
        cursor.execute("SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1")
        triggers = cursor.fetchall()
        cursor.execute("SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1, 2")
        return [*entries, *triggers, *cursor.fetchall()]


@pytest.mark.parametrize("name", REWRITES)
def test_the_portals_role_rewrites_nothing(role: str, name: str) -> None:
    record("operations.requested", actor="ada")
    checkpoint()
    before, database = written(), connection.settings_dict
    names = {"owner": database["USER"], "role": role, "database": database["NAME"]}
    statement = SQL(REWRITES[name]).format(**{key: Identifier(value) for key, value in names.items()})

    with connected(role) as thief, pytest.raises(psycopg.Error) as refused:
        thief.execute(statement)

    assert isinstance(refused.value, psycopg.errors.InsufficientPrivilege | psycopg.errors.RestrictViolation), refused
    assert written() == before
    assert verify().valid


def test_the_portal_works_as_that_role(as_app: str, client: Client) -> None:
    world = factories.world()
    voter = holder("avery", "approve_operation")
    asked = Operation.objects.get(parameters__key="waiting")
    client.force_login(world.everything)

    approve(asked, by=voter)
    wake_due()
    checkpoint()
    shown = {url: client.get(url).status_code for _, address in pages() if (url := address())}

    assert set(shown.values()) <= {200, 302, 404}
    assert Entry.objects.filter(code="operations.approved").exists()
    assert verify().valid
    assert app_role.owner_gaps() == []
    assert {check.tone for check in doctor.run(only="ledger_owner")} == {"ok"}


def test_a_vote_is_taken_back_as_that_role(as_app: str) -> None:
    production = factories.environments()
    made = factories.operations(factories.person("vera"), factories.person("avery"), production)

    revoke(made["half approved"], by=User.objects.get(username="avery"))

    assert made["half approved"].approvals.get().revoked_at


@pytest.mark.parametrize("with_entry", [False, True])
def test_a_vote_that_is_inserted_as_that_role_counts_for_nothing(as_app: str, with_entry: bool) -> None:
    """Also where the ledger goes on with a right hash in the name of somebody who may vote."""
    factories.world()
    asked, voter = Operation.objects.get(parameters__key="waiting"), holder("avery", "approve_operation")

    test_votes_forged.insert_vote(asked, voter.username)
    if with_entry:
        test_votes_forged.forged_entry(asked, voter.username, mac="a" * 64)
    reevaluate()

    asked.refresh_from_db()
    assert asked.status == "awaiting_approval"
    assert counted(asked, places_of(asked)) == []


def test_forms_act_as_that_role(as_app: str, client: Client) -> None:
    Environment.objects.create(slug="production", name="Production", kind="production")
    client.force_login(factories.person("vera"))
    url = reverse("admin:operations_request", args=["rehearsal.routine"]) + "?environment=production&key=k"

    assert client.post(url, {"environment": "production", "key": "k", "reason": "r"}).status_code == 302
    assert Operation.objects.count() == 1


def test_the_owner_is_told_as_a_gap() -> None:
    (gap, *_) = app_role.owner_gaps()

    assert gap.endswith("is a superuser")
    assert any(check.name == "ledger owner" and "owns" in check.found for check in doctor.run(only="ledger_owner"))


def test_one_more_right_is_told_as_a_gap(role: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT TRUNCATE ON ledger_head TO {role}")
    owner = connection.settings_dict["USER"], connection.settings_dict["PASSWORD"]
    connection.close()
    connection.settings_dict.update(USER=role, PASSWORD=PASSWORD)
    try:
        assert app_role.owner_gaps() == [f"{role} may change ledger_head"]
    finally:
        connection.close()
        connection.settings_dict.update(USER=owner[0], PASSWORD=owner[1])


def test_granting_again_takes_back_what_was_too_much(role: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT ALL ON ledger_entry, operations_approval TO {role}")

    app_role.grant(role, "")

    with connected(role) as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("UPDATE ledger_entry SET actor = 'x'")


def test_every_table_of_the_portal_is_granted(role: str) -> None:
    with connected(role) as app:
        for table in connection.introspection.table_names():
            app.execute(SQL("SELECT 1 FROM {} LIMIT 1").format(Identifier(table)))


@pytest.mark.parametrize("how", ["owner", "member"])
def test_who_owns_the_tables_is_not_made_the_portals_role(how: str, role: str) -> None:
    owner = str(connection.settings_dict["USER"])
    with connection.cursor() as cursor:
        cursor.execute(f'GRANT "{owner}" TO {role}')

    with pytest.raises(Refused, match="Nothing was granted"):
        app_role.grant(owner if how == "owner" else role, PASSWORD)
    with connection.cursor() as cursor:
        cursor.execute(f'REVOKE "{owner}" FROM {role}')


def test_the_command_takes_the_role_from_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    name, out = f"app_{uuid4().hex[:12]}", StringIO()
    monkeypatch.setitem(command_line.given, "DATABASE_URL", f"postgresql://{name}:p%40ss@127.0.0.1/x")

    call_command("app_role", stdout=out)

    assert name in out.getvalue()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.mark.parametrize("command", ["migrate", "app_role", "check"])
def test_the_owners_commands_run_as_the_owner(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    import os

    monkeypatch.setenv("DATABASE_URL", "postgresql://app@127.0.0.1/x")
    monkeypatch.setenv("MIGRATION_DATABASE_URL", "postgresql://owner@127.0.0.1/x")

    command_line.as_owner(["manage.py", "tick"])
    assert os.environ["DATABASE_URL"] == "postgresql://app@127.0.0.1/x"
    command_line.as_owner(["manage.py", command])

    assert os.environ["DATABASE_URL"] == "postgresql://owner@127.0.0.1/x"
    assert command_line.given.pop("DATABASE_URL") == "postgresql://app@127.0.0.1/x"
