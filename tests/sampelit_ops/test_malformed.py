"""Malformed ids, query parameters and fields at every address: 404 or 400 or a page, never 500."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Set
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.http import QueryDict
from django.template.base import Template
from django.test import Client, override_settings
from django.urls import get_resolver
from django.utils.safestring import SafeString

from operations.web.form_key import OneTimeForms
from sampelit_ops import permission_matrix
from sampelit_ops.permission_matrix import BODY
from sampelit_ops.site.admin_site import OpsAdminSite
from sampelit_ops.web.request_bounds import RequestBounds
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
ANY = "*"
QUIET = ((QueryDict, "copy"), (QueryDict, "urlencode"), (OneTimeForms, "process_view"), (RequestBounds, "process_view"))


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


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names that a page looked up in what it was sent; ANY where it read all that there are. A copy for the links
    of a list reads nothing, and the middleware treats all names alike."""
    names, quiet = set[str](), [False]

    def watch(method: str, note: Callable[..., object]) -> None:
        before = getattr(QueryDict, method)

        def watched(self: QueryDict, *given: Any, **more: Any) -> Any:
            if len(self) and not quiet[0]:
                note(*given[:1])
            return before(self, *given, **more)

        monkeypatch.setattr(QueryDict, method, watched)

    def hush(owner: type, method: str) -> None:
        before = getattr(owner, method)

        def hushed(*given: Any, **more: Any) -> Any:
            outer, quiet[0] = quiet[0], True
            try:
                return before(*given, **more)
            finally:
                quiet[0] = outer

        monkeypatch.setattr(owner, method, hushed)

    for method in ("__getitem__", "get", "getlist", "__contains__", "pop"):
        watch(method, lambda name: names.add(str(name)))
    for method in ("items", "lists", "values", "keys", "dict", "__iter__"):
        watch(method, lambda: names.add(ANY))
    for owner, method in QUIET:
        hush(owner, method)
    return names


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


def _broken(
    client: Client, looked_up: set[str], path: str, names: Set[str], ask: Callable[[str, str], tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    """Every name that the page looks up, also those that it asks for only once another was sent, malformed in each
    way."""
    looked_up.clear()
    _breaks(client, *ask("", ""))
    done, broken = set[str](), list[tuple[Any, ...]]()
    some = set(sampling.share(names, 40))
    while left := (looked_up | (some if ANY in looked_up else set())) - done - {ANY}:
        done |= left
        asked = [ask(name, value) for name in sorted(left) for value in BAD.values()]
        broken += [each for each in asked if _breaks(client, *each)]
    return broken


@pytest.mark.django_db
def test_malformed_query_parameters(superuser: Client, looked_up: set[str]) -> None:
    paths = sampling.share(_all_paths(), 60)

    assert paths
    for path in paths:
        ask = lambda name, value, to=path: ("GET", f"{to}?{name}={_escaped(value)}")  # noqa: E731
        assert _broken(superuser, looked_up, path, asked_names() | filters(path), ask) == []


@pytest.mark.django_db
def test_malformed_fields(superuser: Client, looked_up: set[str]) -> None:
    paths = sampling.share(_all_paths(), 150)

    assert paths
    for path in paths:
        ask = lambda name, value, to=path: ("POST", to, {**BODY, name: value})  # noqa: E731
        assert _broken(superuser, looked_up, path, asked_names() | set(BODY), ask) == []


@pytest.mark.django_db
def test_what_a_page_looks_up_is_noticed(superuser: Client, looked_up: set[str]) -> None:
    """Without it the two above would send nothing."""
    superuser.get("/admin/backups/run/coverage/?=")
    assert "environment" in looked_up
    superuser.get("/admin/operations/operation/?status=failed")
    assert {"q", ANY} <= looked_up


@pytest.mark.django_db
def test_a_cookie_with_a_nul(client: Client) -> None:
    assert client.get("/admin/", headers={"cookie": r'ops_session="\000abc"'}).status_code == 400
