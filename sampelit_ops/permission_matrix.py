"""Who may open what: every address × GET and POST × every role, everywhere or on staging alone, asked of the code.

In: the rows of this database as samples. Out: answers, or a table of them. Each POST runs in a savepoint that is rolled
back, messages to workers are never sent, and the people who ask exist only meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import models, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from operations.models import Environment, Operation, RoleGrant
from providers.errors import Refused
from sampelit_ops.roles import ACTING, ROLES, sync_roles

METHODS = ("GET", "POST")
NO_ROLE = "no role"  # staff without any permission
ELSEWHERE = "all on staging"  # every role that acts, on another environment than that of the rows
WHO = ("anonymous", NO_ROLE, *(role.name for role in ROLES), ELSEWHERE, "superuser")
VALUES = {
    "verb": ("approve", "reject", "revoke", "cancel", "retry", "break-glass"),
    "kind": ("csv",),
    "name": ("rehearsal.routine",),
    "slug": ("production",),
    "about": ("environment-production",),
    "app_label": ("operations",),
    "uidb64": ("MQ",),
    "url": ("nothing-here/",),
}
BODY = {
    "form_key": f"{0:032}-1+",  # of any form; what is sent with it makes each one of its own
    "environment": "production",
    "key": "matrix",
    "reason": "asked by the matrix",
    "resolution": "looked at it",
    "text": "seen by the matrix",
    "name": "matrix",
    "days": "30",
    "email": "matrix@example.com",
    "slug": "matrix",
    "kind": "staging",
}
ANSWERS = {403: "no", 401: "no", 404: "not found", 405: "–", 400: "bad request", 409: "conflict", 428: "factor"}


@dataclass(frozen=True)
class Address:
    """One pattern with sample values, and the path that they make."""

    shown: str
    path: str


@dataclass(frozen=True)
class MatrixRow:
    """What one address answers to one method, by who asked."""

    address: str
    method: str
    answers: dict[str, str]


def matrix_rows(asked: Iterable[Address]) -> list[MatrixRow]:
    """Each address × method × person. `page`: a POST was answered with a page and nothing was done, `conflict`: a
    rule or the present state said no.

    Refused outside the demo and the tests.
    """
    if not settings.DEMO:
        raise Refused("The matrix sends requests of every kind; it runs only with DEMO=1. Nothing was sent.")
    with transaction.atomic():
        sync_roles()
        clients = {who: _client(who) for who in WHO}
        rows = [
            MatrixRow(address.shown, method, {who: _answer(clients[who], address.path, method) for who in WHO})
            for address in asked
            for method in METHODS
        ]
        transaction.set_rollback(True)
    return rows


def table() -> str:
    """The whole matrix as Markdown."""
    head = ["Address", "Method", *WHO]
    lines = [head, ["---"] * len(head), *(_cells(row) for row in matrix_rows(addresses()))]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def addresses() -> Iterator[Address]:
    """Every pattern; one with a verb counts once for each verb."""
    for route, names in _patterns(get_resolver().url_patterns):
        for chosen in product(*(_values(name, route) for name in names)):
            values = dict(zip(names, chosen, strict=True))
            shown = "/" + "".join(f"<{part}>" if part in values else part for part in _parts(route))
            verb = f" ({values['verb']})" if "verb" in values else ""
            yield Address(shown + verb, "/" + "".join(str(values.get(part, part)) for part in _parts(route)))


def _patterns(patterns: Iterable[Any], before: str = "") -> Iterator[tuple[str, list[str]]]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route, [part for part in _parts(route) if part in _names(route)]


def _parts(route: str) -> list[str]:
    """The route cut at its parameters: literal, name, literal, …"""
    plain = route.replace("^(?P<", "<").replace("(?P<", "<").rstrip("$")
    parts: list[str] = []
    for piece in plain.split("<"):
        name, closed, rest = piece.partition(">")
        if not closed:
            parts.append(piece)
            continue
        parts += [name.split(":")[-1], rest[rest.index(")") + 1 :] if ")" in rest else rest]
    return [part for part in parts if part]


def _names(route: str) -> set[str]:
    return {piece.partition(">")[0].split(":")[-1] for piece in route.split("<")[1:]}


def _values(name: str, route: str) -> tuple[str, ...]:
    if name in VALUES:
        return VALUES[name]
    parts = route.split("/")
    if parts[0] == "admin" and len(parts) > 2 and name in ("pk", "object_id"):
        return (_sample(parts[1], parts[2]),)
    return ("1",)


def _sample(app: str, name: str) -> str:
    try:
        model: type[models.Model] = apps.get_model(app, name)
    except LookupError:
        return "1"
    if model is Operation:
        waiting = Operation.objects.filter(status="awaiting_approval").order_by("pk").first()
        return waiting.pk if waiting else "1"
    return str(model._default_manager.order_by("pk").values_list("pk", flat=True).first() or "1")


def _client(who: str) -> Client:
    client = Client(raise_request_exception=False)
    if who != "anonymous":
        user = User.objects.create(username=f"matrix-{who}", is_staff=True, is_superuser=who == "superuser")
        user.groups.set(Group.objects.filter(name=who))
        if who == ELSEWHERE:
            _place(user)
        client.force_login(user)
        client.get("/admin/jsi18n/")
    return client


def _place(user: User) -> None:
    staging = Environment.objects.filter(slug="staging").first()
    acting = Group.objects.filter(name__in=ACTING) if staging else Group.objects.none()
    RoleGrant.objects.bulk_create(RoleGrant(person=user, role=role, environment=staging) for role in acting)


def _cells(row: MatrixRow) -> list[str]:
    shown = row.address.replace("|", "\\|")
    return [f"`{shown}`", row.method, *row.answers.values()]


def _answer(client: Client, path: str, method: str) -> str:
    if method == "GET":
        answer = client.get(path)
    else:
        signed_in = {name: morsel.value for name, morsel in client.cookies.items()}
        with transaction.atomic():
            shown = f"?{urlencode(BODY)}" if "/operation/request/" in path else ""  # only what was shown acts
            answer = client.post(f"{path}{shown}", BODY)
            transaction.set_rollback(True)
        client.cookies.load(signed_in)  # a sign-out was rolled back as well
    where = answer.headers.get("Location", "")
    if where.startswith("/admin/login/"):
        return "sign in"
    if where == "/admin/" and path.count("/") > 4:  # Django's way to say that there is no such row
        return "not found"
    if answer.status_code in ANSWERS:
        return ANSWERS[answer.status_code]
    if answer.status_code == 500:
        return "ERROR"
    return "page" if method == "POST" and answer.status_code in (200, 422) else "yes"
