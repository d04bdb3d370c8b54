"""People with and without a second factor, their codes, and a portal outside the demo."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from operations.factors import devices
from operations.models import Authenticator
from sampelit_ops.roles import sync_roles
from tests.sampelit_ops.signin.codes import PASSWORD

LOGIN = "/admin/login/"


@pytest.fixture(autouse=True)
def outside_the_demo(settings: Settings) -> None:
    settings.DEMO = False
    settings.OPS_FACTOR_FOR = "acting"  # Vera and Aldo only look; test_second_factor.py asks for the default
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def person(db: None) -> Callable[..., User]:
    sync_roles()

    def make(username: str, *roles: str) -> User:
        user = User.objects.create_user(username, f"{username}@example.com", PASSWORD, is_staff=True)
        user.groups.set(Group.objects.filter(name__in=roles))
        return user

    return make


@pytest.fixture
def enrolled(person: Callable[..., User]) -> Callable[..., Authenticator]:
    def make(username: str, *roles: str) -> Authenticator:
        return devices.enrol(person(username, *roles), "app")

    return make


@pytest.fixture
def sign_in(client: Client) -> Callable[..., object]:
    def attempt(username: str, code: str = "", password: str = PASSWORD, **extra: str) -> object:
        given = {"username": username, "password": password, "otp_token": code, "next": reverse("admin:index")}
        return client.post(LOGIN, given, **extra)

    return attempt


@pytest.fixture
def signed_in(client: Client) -> Callable[[], bool]:
    return lambda: "_auth_user_id" in client.session
