"""What ends people's access holds the rows first, then writes the ledger, as whoever uses one of their tokens does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from pytest_django.fixtures import Settings

from operations.models import AccessToken
from sampelit_ops.signin.sessions import end_access
from tests.ledger_last import late, ledger_last
from tests.stepping import SteppingClient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(person: Callable[..., User], settings: Settings) -> list[User]:
    """Each is signed in and has a token."""
    settings.DEMO, settings.EMAIL_HOST = True, "smtp.example.com"
    both = [person("vera", "Viewer"), person("ben", "Operator")]
    for user in both:
        Client().force_login(user)
        AccessToken.objects.issue(user, "laptop")
    return both


@pytest.fixture
def admin(person: Callable[..., User]) -> Client:
    client = SteppingClient()
    client.force_login(person("amir", "Admin"))
    return client


@pytest.mark.parametrize("action", ["deactivate", "start_over"])
def test_access_ends(admin: Client, people: list[User], action: str) -> None:
    chosen = people[:1] if action == "start_over" else people

    with ledger_last():
        admin.post("/admin/auth/user/", {"action": action, "_selected_action": [user.pk for user in chosen]})

    assert User.objects.filter(is_active=False).count() == (2 if action == "deactivate" else 0)
    assert AccessToken.objects.filter(revoked_at=None).count() == (0 if action == "deactivate" else 1)


def test_name_address_and_roles_change_at_once(admin: Client, people: list[User]) -> None:
    given = {"first_name": "Vera", "email": "new@example.com", "roles": ["Viewer", "Approver"]}

    with ledger_last():
        admin.post(f"/admin/auth/user/{people[0].pk}/change/", given)

    assert set(people[0].groups.values_list("name", flat=True)) == {"Viewer", "Approver"}
    assert not AccessToken.objects.filter(user=people[0], revoked_at=None).exists()


def test_sessions_and_tokens_end_together(people: list[User]) -> None:
    with ledger_last(), transaction.atomic():
        end_access(people[0], actor="amir", why="a test")


def test_a_row_taken_under_the_head_is_named() -> None:
    head, token = 'SELECT 1 FROM "ledger_head" FOR NO KEY UPDATE', 'UPDATE "operations_accesstoken" SET a = 1'

    assert late(["BEGIN", token, head, token, "COMMIT", head]) == []
    assert late(["BEGIN", head, token]) == [token]
