"""Malformed ids, query parameters and fields at every address: 404 or 400 or a page, never 500."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.template.base import Template
from django.test import Client, override_settings
from django.urls import get_resolver
from django.utils.safestring import SafeString

from sampelit_ops import permission_matrix
from sampelit_ops.permission_matrix import BODY
from sampelit_ops.site.admin_site import OpsAdminSite
from tests import factories, sampling
from tests.sampelit_ops.forms import asked_names, filters

BAD = {
    "a NUL": "\0",
    "a NUL inside": "1\x002",
    "half a character": "%ED%A0%80",
    "broken UTF-8": "%FF%FE",
    "a word": "abc",
    "negative": "-1",
    "too large": "9" * 40,
    "larger than a bigint": "9223372036854775808",
    "a fraction": "1.5",
    "no number": "NaN",
    "long": "x" * 700,
    "deep": "[" * 300,
    "quoting": "'\"\\_5F__",
}
VALUES = tuple(BAD.values())
PARTS = 6_007  # a prime, so that a run's share goes through all values and names


def _escaped(value: str) -> str:
    return value if value.startswith("%") else quote(value, safe="")


def _paths() -> Iterator[str]:
    """Each address with one parameter after the other malformed."""
    for route, names in permission_matrix._patterns(get_resolver().url_patterns):
        good = {name: permission_matrix._values(name, route)[0] for name in names}
        for name in names:
            for value in BAD.values():
                values = {**good, name: _escaped(value)}
                yield "/" + "".join(str(values.get(part, part)) for part in permission_matrix._parts(route))


def _all_paths() -> list[str]:
    return list(dict.fromkeys(each.path for each in permission_matrix.addresses()))


def _some(asked: list[tuple[str, str]]) -> list[tuple[tuple[str, str], str]]:
    """This run's share of what is asked with every malformed value."""
    turns = (divmod(turn, len(VALUES)) for turn in sampling.turns(len(asked) * len(VALUES), PARTS))
    return [(asked[row], VALUES[value]) for row, value in turns]


@pytest.fixture
def superuser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)
    monkeypatch.setattr(Template, "render", lambda *_: SafeString(""))
    monkeypatch.setattr(OpsAdminSite, "each_context", lambda *_: {"has_permission": True})
    factories.world()
    with override_settings(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies"):
        client = Client(raise_request_exception=False)
        client.force_login(User.objects.create_superuser("malformed", password="x"))
        client.get("/admin/jsi18n/")
        yield client


def _breaks(client: Client, method: str, path: str, body: dict[str, Any] | None = None) -> bool:
    signed_in = {name: morsel.value for name, morsel in client.cookies.items()}
    with transaction.atomic():
        answer = client.get(path) if method == "GET" else client.post(path, body or BODY)
        transaction.set_rollback(True)
    client.cookies.load(signed_in)
    return answer.status_code >= 500 and not path.startswith("/readyz")


@pytest.mark.django_db
def test_malformed_ids(superuser: Client) -> None:
    paths = sampling.share(dict.fromkeys(_paths()), 48)

    assert paths
    assert [path for path in paths if _breaks(superuser, "GET", path) or _breaks(superuser, "POST", path)] == []


@pytest.mark.django_db
def test_malformed_query_parameters(superuser: Client) -> None:
    names = asked_names()
    asked = [(path, name) for path in _all_paths() for name in sorted(names | filters(path))]
    paths = [f"{path}?{name}={_escaped(value)}" for (path, name), value in _some(asked)]

    assert paths
    assert [path for path in paths if _breaks(superuser, "GET", path)] == []


@pytest.mark.django_db
def test_malformed_fields(superuser: Client) -> None:
    names = sorted(asked_names() | set(BODY))
    chosen = _some([(path, name) for path in _all_paths() for name in names])

    assert chosen
    assert [
        (path, name, value) for (path, name), value in chosen if _breaks(superuser, "POST", path, {**BODY, name: value})
    ] == []


@pytest.mark.django_db
def test_a_cookie_with_a_nul(client: Client) -> None:
    assert client.get("/admin/", headers={"cookie": r'ops_session="\000abc"'}).status_code == 400
