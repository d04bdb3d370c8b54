"""Nobody unauthenticated costs much: bodies, fields and headers are refused by their size, before a look at them."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.test.client import FakePayload

from sampelit_ops import permission_matrix
from sampelit_ops.permission_matrix import BODY
from tests import factories, sampling

pytestmark = pytest.mark.django_db
MOST_SECONDS = 0.1
CHARACTERS = [chr(code) for code in range(1, 128) if chr(code) not in "\r\n"] + ["é", "😀"]
HEADERS = (
    "Origin",
    "Referer",
    "Cookie",
    "User-Agent",
    "X-Request-ID",
    "X-Forwarded-For",
    "Authorization",
    "Accept-Language",
)
FIELDS = (
    "username",
    "password",
    "next",
    "reason",
    "comment",
    "typed",
    "q",
    "code",
    "resolution",
    "text",
    "csrfmiddlewaretoken",
)


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


def _texts() -> Iterator[tuple[str, str]]:
    for character in CHARACTERS:
        yield repr(character), character * 1_000_000
    chance = random.Random(sampling.SEED)
    yield "random", "".join(chr(chance.randrange(32, 0x2FFF)) for _ in range(2_000_000))


def _cost(client: Client, path: str, text: str, name: str) -> float:
    """The least CPU of two tries, without what the client itself takes to write the body."""
    fields = {**BODY, name: text[:200_000]}  # what a form's limit lets through to the fields
    request = {"path": path, "data": fields} if name in FIELDS else {"path": path, "headers": {name: text}}
    costs = []
    for _ in range(2):
        with_body = time.thread_time()
        client.post(**request)
        whole = time.thread_time() - with_body
        began = time.thread_time()
        client._encode_data(client._encode_json(fields, ""), "multipart/form-data; boundary=BoUnDaRyStRiNg")
        costs.append(whole - (time.thread_time() - began if name in FIELDS else 0))
    return min(costs)


@pytest.mark.parametrize("signed_in", [False, True], ids=["anonymous", "signed in"])
def test_no_field_and_no_header_costs_a_tenth_of_a_second(
    client: Client, signed_in: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1 MB of every character and 2 MB of random text; a seeded few of them outside the soak (SOAK=1)."""
    monkeypatch.setattr(logging.root, "handlers", [])
    if signed_in:
        factories.world()
        client.force_login(User.objects.create_superuser("measured", password="x"))
        client.get("/admin/")
    paths = (
        sorted({each.path for each in permission_matrix.addresses()})
        if signed_in
        else ["/admin/login/", "/webhooks/render/"]
    )
    asked = [
        (path, shown, text, name)
        for shown, text in _texts()
        for path in paths
        for name in (*HEADERS, *FIELDS)
        if sampling.chosen(f"{path}{shown}{name}", 6_000 if signed_in else 100)
    ]
    client.get("/admin/login/")

    dear = [(path, shown, name) for path, shown, text, name in asked if _cost(client, path, text, name) > MOST_SECONDS]

    assert asked
    assert dear == []
