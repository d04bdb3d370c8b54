"""The demo's people: the printed lines really sign in, every start prints the same, and never outside the demo."""

from __future__ import annotations

import base64

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_otp.oath import TOTP
from pytest_django.fixtures import Settings

from operations.authority import holds
from operations.engine import kinds
from operations.factors import devices
from operations.models import Authenticator, Environment
from providers.errors import Refused
from sampelit_ops.demo.users import PEOPLE, code_of, create_demo_users, place_demo_users


@pytest.fixture(autouse=True)
def demo(settings: Settings, outside_the_demo: None) -> None:
    settings.DEMO = True


def test_the_printed_lines_sign_in(db: None) -> None:
    for username, password, base32 in create_demo_users():
        client = Client()
        form = {"username": username, "password": password, "next": "/admin/account/tokens/"}

        refused = client.post("/admin/login/", form)
        answer = client.post("/admin/login/", {**form, "otp_token": f"{TOTP(base64.b32decode(base32)).token():06d}"})

        assert refused.status_code == 200, f"{username} was let in without a code"
        assert answer.status_code == 302, username
        assert client.get("/admin/account/tokens/").status_code == 200


def test_a_printed_code_works_and_the_next_one_too(db: None) -> None:
    create_demo_users()
    ada = User.objects.get(username="approver")

    first = code_of("approver")
    devices.verify(ada, first)
    second = code_of("approver")
    devices.verify(ada, second)

    assert first != second


def test_every_start_is_the_same_and_repairs(db: None) -> None:
    first = create_demo_users()
    User.objects.filter(username="viewer").update(is_active=False, is_superuser=True)
    Authenticator.objects.filter(user__username="operator").delete()

    assert create_demo_users() == first
    assert [username for username, *_ in first] == list(PEOPLE)
    viewer = User.objects.get(username="viewer")
    assert (viewer.is_active, viewer.is_superuser) == (True, False)
    assert Authenticator.objects.filter(user__username="operator", confirmed=True).count() == 1
    assert [group.name for group in User.objects.get(username="approver2").groups.all()] == ["Approver"]


def test_one_acts_on_staging_and_only_looks_at_production(db: None) -> None:
    places = [Environment.objects.create(slug=slug, name=slug, kind=slug) for slug in ("staging", "production")]

    for _ in range(2):
        create_demo_users()
        place_demo_users()

    stager = User.objects.get(username="stager")
    kind = kinds.get("deployments.deploy")
    assert [holds(stager, kind.permission, place) for place in places] == [True, False]
    assert stager.has_perm("operations.view_operation")


def test_another_secret_key_makes_other_people(db: None, settings: Settings) -> None:
    first = create_demo_users()
    settings.SHARED_KEY = "another " * 8

    second = create_demo_users()

    assert all(a[1:] != b[1:] for a, b in zip(first, second, strict=True))
    assert User.objects.get(username="admin").check_password(second[-1][1])


def test_never_outside_the_demo(db: None, settings: Settings) -> None:
    settings.DEMO = False

    with pytest.raises(Refused):
        create_demo_users()

    assert not User.objects.exists()
