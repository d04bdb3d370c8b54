"""The queue's pages only show: nothing is unpickled, re-queued, deleted or scheduled from them."""

from __future__ import annotations

import os
import pickle
from base64 import b64encode
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse
from django_q.models import Failure, OrmQ, Schedule, Success

from tests import factories

pytestmark = pytest.mark.django_db
QUEUE = ("success", "failure", "ormq", "schedule")


class Bomb:
    """Unpickling this creates a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return os.mkdir, (self.path,)


@pytest.fixture
def looker(client: Client) -> Client:
    user = User.objects.create_user("vera", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_operation"))
    client.force_login(user)
    return client


@pytest.mark.parametrize("name", ["success", "failure"])
def test_looking_at_a_message_executes_nothing(looker: Client, tmp_path: Path, name: str) -> None:
    target = tmp_path / "exploded"
    factories.queue()
    _plant(Bomb(str(target)))
    pk = {"success": "handled-message", "failure": "failed-message"}[name]

    for url in (
        reverse(f"admin:django_q_{name}_changelist"),
        reverse(f"admin:django_q_{name}_change", args=[pk]),
        reverse(f"admin:django_q_{name}_changelist") + "?q=handled&o=1",
    ):
        assert looker.get(url).status_code == 200

    assert not target.exists()


@pytest.mark.parametrize("name", QUEUE)
def test_nobody_adds_or_deletes(client: Client, name: str) -> None:
    factories.queue()
    client.force_login(factories.person("everything"))
    first = (
        {"success": Success, "failure": Failure, "ormq": OrmQ, "schedule": Schedule}[name].objects.only("pk").first()
    )

    assert client.get(reverse(f"admin:django_q_{name}_add")).status_code == 403
    if first is not None:
        assert (
            client.post(reverse(f"admin:django_q_{name}_delete", args=[first.pk]), {"post": "yes"}).status_code == 403
        )


@pytest.mark.parametrize("model", [Success, Failure, OrmQ, Schedule])
def test_nobody_is_offered_an_action(rf: RequestFactory, model: type[Model]) -> None:
    request = rf.get("/")
    request.user = factories.person("everything")

    assert admin.site.get_model_admin(model).get_actions(request) == {}


def test_without_the_permission_the_queue_is_closed(client: Client) -> None:
    client.force_login(User.objects.create_user("nobody", is_staff=True))

    assert client.get(reverse("admin:django_q_ormq_changelist")).status_code == 403


def _plant(bomb: Bomb) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_q_task SET args = %s, result = %s", [b64encode(pickle.dumps(bomb)).decode()] * 2)
