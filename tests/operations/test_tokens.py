"""A personal token's life: made, used, seen, ended; only its hash is stored."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger import registry
from ledger.models import Entry
from operations import doctor
from operations.factors import devices
from operations.models import AccessToken, Environment, RoleGrant
from operations.tokens.use import make, owner
from providers.errors import Refused
from tests.people import holder

pytestmark = pytest.mark.django_db
FAR = "203.0.113.7 50000 10.0.0.1 22"


@pytest.fixture
def vera() -> User:
    return holder("vera", "view_operation")


def said(code: str) -> list[str]:
    return [registry.sentence_for(entry) for entry in Entry.objects.filter(code=code).order_by("sequence")]


def ops(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("ops", "token", *arguments, stdout=out, stderr=out)
    except CommandError as refused:
        return refused.returncode, f"{out.getvalue()}{refused}"
    return 0, out.getvalue()


CHANGES: dict[str, Callable[[User, Environment], object]] = {
    "password": lambda vera, _: (vera.set_password("another long password"), vera.save()),
    "role": lambda vera, _: vera.groups.add(Group.objects.create(name="Auditor")),
    "role on one environment": lambda vera, place: RoleGrant.objects.create(
        person=vera, role=Group.objects.create(name="Operator"), environment=place
    ),
    "authenticator": lambda vera, _: devices.enrol(vera),
    "recovery codes": lambda vera, _: devices.new_recovery_codes(vera),
    "superuser": lambda vera, _: User.objects.filter(pk=vera.pk).update(is_superuser=True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_ends_with_what_it_rests_on_whichever_way_that_changed(
    vera: User, production: Environment, change: str
) -> None:
    clear = make(vera, "laptop", 30, ["request"], None)
    assert owner(clear) == vera

    CHANGES[change](User.objects.get(pk=vera.pk), production)

    assert owner(clear) is None
    assert said("signin.token_revoked") == [
        "system revoked the personal token laptop of vera because the password, a role or a second factor has changed"
    ]


def test_one_from_before_this_was_asked_is_bound_at_its_first_use(vera: User) -> None:
    _, clear = AccessToken.objects.issue(vera, "old")

    assert owner(clear) == vera
    devices.enrol(vera)
    assert owner(clear) is None


def test_what_an_entry_says_of_a_token(vera: User, production: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    clear = make(vera, "laptop", 30, ["vote"], production)
    for address in ("", FAR, FAR, "not an address"):
        monkeypatch.setenv("SSH_CONNECTION", address)
        owner(clear)

    row = AccessToken.objects.get()
    assert said("signin.token_created") == ["vera created the personal token laptop, for read, vote on production"]
    assert len(said("signin.token_used")) == 2
    assert "from 203.0.113.7, where it was never used" in said("signin.token_used")[1]
    assert (row.used_from[1], row.last_used_at is None) == ("203.0.113.7", False)
    assert clear not in str(AccessToken.objects.values().get())


def test_the_addresses_of_a_token_are_bounded(vera: User, monkeypatch: pytest.MonkeyPatch) -> None:
    clear = make(vera, "laptop", 30, [], None)
    for number in range(30):
        monkeypatch.setenv("SSH_CONNECTION", f"203.0.113.{number} 1 10.0.0.1 22")
        owner(clear)

    assert len(AccessToken.objects.get().used_from) == 20


@pytest.mark.parametrize("days", [0, -1, 8, 10_000])
def test_none_lives_longer_than_the_setting(vera: User, settings, days: int) -> None:
    settings.OPS_TOKEN_DAYS = 7

    with pytest.raises(Refused, match="1 to 7 days"):
        make(vera, "laptop", days, [], None)

    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("scopes", [[], ["vote"], ["read", "everything"]])
def test_the_database_refuses_scopes_that_do_not_exist(vera: User, scopes: list[str]) -> None:
    row, _ = AccessToken.objects.issue(vera, "laptop")

    with pytest.raises(IntegrityError), transaction.atomic():
        AccessToken.objects.filter(pk=row.pk).update(scopes=scopes)


def test_the_shell_lists_and_ends_ones_own(vera: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_TOKEN", make(vera, "laptop", 30, [], None))
    lost, clear = AccessToken.objects.issue(vera, "lost")
    others, _ = AccessToken.objects.issue(holder("ada"), "hers")

    code, listed = ops("list", "--json")

    assert (code, {row["name"] for row in json.loads(listed)}) == (0, {"laptop", "lost"})
    assert ops("revoke", str(others.pk))[0] == 2
    assert ops("list", "--all")[0] == 2
    assert ops("revoke", str(lost.pk))[0] == 0
    assert owner(clear) is None
    assert "No living" not in ops("list")[1]
    others.refresh_from_db()
    assert others.revoked_at is None


def test_an_admin_ends_the_token_of_another(vera: User, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = holder("amir", "auth.change_user")
    monkeypatch.setenv("OPS_TOKEN", make(admin, "desk", 30, ["admin"], None))
    row, clear = AccessToken.objects.issue(vera, "lost")

    code, shown = ops("revoke", str(row.pk), "--all")

    assert (code, "vera" in shown, owner(clear)) == (0, True, None)
    assert said("signin.token_revoked") == ["amir revoked the personal token lost of vera"]
    assert ops("revoke", str(row.pk), "--all")[0] == 2


def test_the_doctor_names_tokens_that_live_too_long_or_lie_about(vera: User) -> None:
    make(vera, "fine", 30, [], None)
    assert [check.tone for check in doctor.run(only="tokens")] == ["ok"]
    for name in ("endless", "forgotten"):
        AccessToken.objects.issue(vera, name, 80 if name == "forgotten" else 4_000)
    AccessToken.objects.filter(name="forgotten").update(created_at=timezone.now() - timedelta(days=91))

    check = doctor.run(only="tokens")[0]

    assert check.tone == "warn"
    assert ("endless of vera lives longer" in check.found, "forgotten of vera was not" in check.found) == (True, True)
    assert "fine" not in check.found
