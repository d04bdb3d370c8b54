"""Whose groups the provider has not told for too long holds nothing here, until a sign-in tells them again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from ledger.models import Entry
from ledger.registry import sentence_for
from operations import authority
from operations.models import AccessToken, Notification
from operations.tokens.use import owner
from sampelit_ops.models import Identity, Session
from sampelit_ops.roles import sync_roles
from sampelit_ops.signin.oidc.leavers import end_stale
from tests.sampelit_ops.signin.test_sign_on import issuer, sign_on, signed_in

__all__ = ["issuer"]
pytestmark = pytest.mark.django_db
DAYS = 14


@pytest.fixture
def settled(settings: Any) -> None:
    sync_roles()
    settings.EMAIL_HOST = "localhost"
    settings.OIDC_ISSUER, settings.OIDC_REFRESH_DAYS = "https://login.example.com", DAYS


def linked(name: str, role: str, days: float, issuer: str = "https://login.example.com") -> User:
    person = User.objects.create_user(name, f"{name}@example.com", is_staff=True)
    person.groups.add(Group.objects.get(name=role))
    told = timezone.now() - timedelta(days=days)
    Identity.objects.create(user=person, issuer=issuer, subject=name, refreshed_at=told)
    return person


def test_what_the_groups_gave_ends_and_people_are_told(settled: None) -> None:
    olga, ada = linked("olga", "Operator", DAYS + 1), linked("ada", "Approver", DAYS - 1)
    _, clear = AccessToken.objects.issue(olga, "laptop")

    end_stale()
    end_stale()

    assert (authority.roles(olga), authority.roles(ada)) == ([], ["Approver"])
    assert owner(clear) is None
    told = {to for row in Notification.objects.all() for to in row.recipients.splitlines()}
    assert {"olga@example.com", "ada@example.com"} <= told
    (entry,) = Entry.objects.filter(code="signin.groups_stale")
    assert sentence_for(entry) == "sign-on ended what olga held: no sign-in told of their groups for 14 days"


@pytest.mark.parametrize("why", ["by password", "of another provider", "deactivated", "nothing to end", "it is off"])
def test_others_keep_what_they_hold(settled: None, settings: Any, why: str) -> None:
    elsewhere = "https://other.example.com" if why == "of another provider" else "https://login.example.com"
    olga = linked("olga", "Operator", 900, elsewhere)
    if why == "by password":
        settings.OIDC_PASSWORD_USERS = ["olga"]
    if why == "deactivated":
        User.objects.update(is_active=False)
    if why == "nothing to end":
        olga.groups.clear()
    if why == "it is off":
        settings.OIDC_ISSUER = ""
    before = authority.roles(olga)

    end_stale()

    assert authority.roles(olga) == before
    assert not Entry.objects.filter(code="signin.groups_stale").exists()


def test_the_last_admin_stays_so_that_somebody_gets_in(settled: None) -> None:
    amir, second = linked("amir", "Admin", 900), linked("anna", "Admin", 900)

    end_stale()

    assert sorted([authority.roles(amir), authority.roles(second)]) == [[], ["Admin"]]


def test_a_sign_in_that_tells_of_groups_begins_the_days_anew(issuer: Any, settings: Any) -> None:
    first = sign_on(issuer)
    Identity.objects.filter(user__username="olga").update(refreshed_at=timezone.now() - timedelta(days=900))
    end_stale()
    assert (signed_in(first), Session.objects.filter(user__username="olga").exists()) == (False, False)

    second = sign_on(issuer)
    end_stale()

    assert signed_in(second)
    assert authority.roles(User.objects.get(username="olga")) == ["Operator@staging", "Viewer"]
