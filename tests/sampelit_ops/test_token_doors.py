"""What a personal token opens: every door of the shell by scope and by environment, and nothing on the web."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from django.utils import timezone

from backups.models import Policy, Slot
from deployments.models import AdvisorFinding
from migrations_registry.drift import detect
from migrations_registry.history.supabase_cli_export import Adopted
from migrations_registry.management.commands import adopt_supabase_cli
from migrations_registry.models import DriftIncident
from operations import authority, cli
from operations.engine import kinds
from operations.engine.request import request
from operations.management.verbs import OF_ONE, OTHERS
from operations.models import AccessToken, Environment, Operation
from operations.models.token_scopes import SCOPES, scope_of
from operations.tokens.use import owner
from sampelit_ops.roles import ROLES, sync_roles
from tests.people import holder
from tests.sampelit_ops.token_doors import DOORS, Door

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
# Beyond looking; a permission of a role that is in neither belongs to `request`.
OF_VOTE = {
    *("operations.approve_operation", "operations.break_glass", "migrations_registry.approve_waiver"),
    *("backups.release_hold", "migrations_registry.approve_rehearsal"),
}
OF_ADMIN = {
    *("auth.add_user", "auth.change_user", "operations.add_environment", "operations.change_environment"),
    *("deployments.change_service", "backups.add_policy", "backups.change_policy", "migrations_registry.change_rules"),
}


@pytest.fixture
def mona(production: Environment) -> User:
    """Holds every role everywhere: whatever is refused to her is refused by her token."""
    sync_roles()
    mona = User.objects.create_user("mona", "mona@example.com", "long enough password", is_staff=True)
    mona.groups.set(Group.objects.all())
    return mona


@pytest.fixture
def world(mona: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the doors of the table speak of, on staging; looks into databases are answered here."""
    olga = holder("olga", "run_rehearsal")
    staging = Environment.objects.create(slug="staging", name="Staging", votes_sensitive=1)
    waits = request("rehearsal.sensitive", by=olga, environment=staging, parameters={"key": "k"}, reason="a test")
    finding = AdvisorFinding.objects.create(environment=staging, advisor="security", name="n", title="t", level="WARN")
    policy = Policy.objects.create(environment=staging, name="audit-trail")
    Slot.objects.create(policy=policy, at=timezone.now(), status="late")
    incident = DriftIncident(environment=staging)
    monkeypatch.setattr(detect, "resolve", lambda *args, **values: None)
    monkeypatch.setattr(detect, "look", lambda environment: incident)
    monkeypatch.setattr(adopt_supabase_cli, "adopt", lambda directory: Adopted([], [], []))
    monkeypatch.setattr(adopt_supabase_cli, "unmarked", lambda environment: (["main"], []))
    return {"$ID": waits.pk, "$FINDING": str(finding.pk), "$DIRECTORY": str(tmp_path)}


def refusal_by_token(command: tuple[str, ...]) -> bool:
    """Whether the command was refused for what the token is for; whatever else happens is not the token's doing."""
    out, err, said = StringIO(), StringIO(), ""
    try:
        with transaction.atomic():
            call_command(*command, stdout=out, stderr=err)
            raise CommandError("roll back")
    except (CommandError, SystemExit) as ended:
        said = str(ended)
    return "The token “" in said + err.getvalue()


def opens(door: Door, scopes: list[str], limit: str) -> bool:
    return door.scope in scopes and (door.scope == "read" or limit in ("", door.place))


@pytest.mark.parametrize("limit", ["", "staging", "production"])
@pytest.mark.parametrize("scopes", [["read"], ["request"], ["vote"], ["admin"], list(SCOPES)], ids=" ".join)
def test_a_token_opens_the_doors_of_its_scopes_where_it_is_for(
    mona: User, world: dict[str, str], monkeypatch: pytest.MonkeyPatch, scopes: list[str], limit: str
) -> None:
    place = Environment.objects.filter(slug=limit).first()
    _, clear = AccessToken.objects.issue(mona, "laptop", scopes=scopes, environment=place)
    monkeypatch.setenv("OPS_TOKEN", clear)

    refused = {door.command: refusal_by_token(tuple(world.get(word, word) for word in door.command)) for door in DOORS}

    assert refused == {door.command: not opens(door, ["read", *scopes], limit) for door in DOORS}


def test_the_table_holds_every_door() -> None:
    acting = {path.stem for path in ROOT.glob("*/management/commands/*.py") if "cli.actor(" in path.read_text()}
    verbs = {door.command[1] for door in DOORS if door.command[0] == "ops"}

    assert acting == {door.command[0] for door in DOORS}
    assert verbs == {*OF_ONE, *OTHERS} - {"kinds", "ledger"}  # which ask nobody who they are


def test_a_kind_asks_for_the_scope_of_its_permission() -> None:
    held = {permission for role in ROLES for permission in role.permissions if ".view_" not in permission}
    scopes = {permission: scope_of(permission) for permission in held}

    assert {name for name, scope in scopes.items() if scope == "vote"} == OF_VOTE
    assert {name for name, scope in scopes.items() if scope == "admin"} == OF_ADMIN
    assert {scopes[name] for name in held - OF_VOTE - OF_ADMIN} == {"request"}
    assert {scope_of(kind.permission) for kind in kinds.registry.kinds.values()} == {"request", "vote", "admin"}


def test_what_the_door_let_in_the_service_holds_to_the_token_as_well(
    mona: User, world: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    staging = Environment.objects.get(slug="staging")
    _, clear = AccessToken.objects.issue(mona, "laptop", scopes=["request"], environment=staging)
    monkeypatch.setenv("OPS_TOKEN", clear)
    by = cli.actor({}, "operations.request_operation", staging)

    for name in ("operations.approve_operation", "operations.change_environment"):
        assert not authority.holds(by, name, staging)
        assert "this needs the scope" in authority.why_not(by, name, staging, "")
    assert authority.holds(by, "operations.request_operation", staging)
    assert not authority.holds(by, "operations.request_operation", None)
    assert [place.slug for place in authority.places(by, "operations.request_operation")] == ["staging"]
    assert authority.holds(by, "operations.view_operation", None)


def test_one_database_is_one_place_for_a_token_too(mona: User, world: dict[str, str]) -> None:
    same = {"system_identifier": "7", "database_oid": 5, "database_name": "app"}
    Environment.objects.filter(slug__in=["staging", "production"]).update(**same)
    staging = Environment.objects.get(slug="staging")
    _, limited = AccessToken.objects.issue(mona, "limited", environment=staging)
    _, whole = AccessToken.objects.issue(mona, "whole")

    assert not authority.holds(owner(limited), "operations.request_operation", staging)
    assert authority.holds(owner(whole), "operations.request_operation", staging)


@pytest.mark.parametrize("header", ["Bearer {}", "Token {}", "Basic {}"])
def test_no_page_opens_to_a_token(mona: User, header: str) -> None:
    _, clear = AccessToken.objects.issue(mona, "laptop", scopes=SCOPES)

    for address in ("/admin/", "/admin/operations/operation/", "/metrics"):
        answer = Client().get(address, headers={"authorization": header.format(clear)})
        assert answer.status_code in (302, 401, 403, 404), address
    assert not Operation.objects.exists()
