"""Nobody unauthenticated costs much: bodies, fields and headers are refused by their size, before a look at them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.test.client import FakePayload

pytestmark = pytest.mark.django_db


class Unread(FakePayload):
    """A body that nobody may read."""

    def read(self, *_: object, **__: object) -> bytes:
        pytest.fail("the body was read")


def _send_unread(client: Client, path: str, length: int, kind: str = "multipart/form-data; boundary=x") -> int:
    extra = {"CONTENT_LENGTH": str(length), "CONTENT_TYPE": kind, "wsgi.input": Unread()}
    return client.generic("POST", path, **extra).status_code


@pytest.mark.parametrize(
    "path", ["/admin/login/", "/admin/migrations_registry/migrationfile/register/", "/webhooks/render/"]
)
def test_two_hundred_megabytes_of_nobody_are_refused_unread(client: Client, path: str) -> None:
    assert _send_unread(client, path, 200 * 2**20) == 413


def test_an_upload_page_takes_much_only_from_who_may_upload(client: Client) -> None:
    path = "/admin/migrations_registry/migrationfile/register/"
    user = User.objects.create(username="looks", is_staff=True)
    client.force_login(user)
    client.get("/admin/jsi18n/")

    assert _send_unread(client, path, 2**21) == 413

    user.user_permissions.add(Permission.objects.get(codename="register_migrationfile"))
    client.force_login(User.objects.get(pk=user.pk))
    assert _send_unread(client, path, 2**27) == 413
    assert client.post(path, {"repository": "x"}).status_code != 413


def test_a_body_without_a_length_is_refused(client: Client) -> None:
    assert client.post("/admin/login/", headers={"Transfer-Encoding": "chunked"}).status_code == 411


@pytest.mark.parametrize("length", ["-1", "abc", "1" * 20, "²"])
def test_a_length_that_is_none(client: Client, length: str) -> None:
    assert client.generic("POST", "/admin/login/", CONTENT_LENGTH=length).status_code == 400


def test_an_ordinary_request_is_let_through(client: Client) -> None:
    answer = client.post("/admin/login/", {"username": "nobody", "password": "x" * 200})

    assert answer.status_code == 200


def test_a_page_refuses_in_a_sentence(client: Client) -> None:
    answer = client.get("/admin/login/", {"next": "x" * 9_000})

    assert answer.status_code == 414
    assert b"Nothing was read and nothing was changed." in answer.content
