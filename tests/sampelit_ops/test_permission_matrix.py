"""Who may open what: the table of docs/permissions.md is what the code answers; a new address without a line fails."""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import pytest
from django.contrib import auth
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import HttpRequest
from django.template.base import Template
from django.utils.safestring import SafeString
from pytest_django.fixtures import Settings

from providers.errors import Refused
from sampelit_ops import permission_matrix
from sampelit_ops.admin_site import OpsAdminSite
from sampelit_ops.roles import ROLES, sync_roles
from tests import factories, sampling

PAGE = Path(__file__).parents[2] / "docs" / "permissions.md"
REWRITE = bool(os.environ.get("WRITE_PERMISSIONS"))
pytestmark = pytest.mark.django_db
LOOKS_ONLY = ("Viewer", "Auditor")


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    """The documented table, one dictionary a line."""
    _, mark, rest = PAGE.read_text().partition("| Address")
    lines = [line.strip("| \n").split(" | ") for line in (mark + rest).splitlines()]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[2:]]


def _remembering(real: Callable[[HttpRequest], AbstractBaseUser | AnonymousUser]) -> Callable[[HttpRequest], Any]:
    """The same few people ask thousands of times: who they are and what they may is read once each."""
    known: dict[str, Any] = {}

    def get_user(request: HttpRequest) -> Any:
        key = request.session.get(auth.SESSION_KEY)
        if key is None:
            return real(request)
        if key not in known:
            known[key] = real(request)
            known[key].get_all_permissions()
        return copy(known[key])

    return get_user


def test_the_page_says_what_the_code_answers(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Templates, frame and log are left out: the status is what counts here, and other tests look at every page.

    Every address must have its line; a third of them is asked for each run, all by `.ci/run`.
    """
    monkeypatch.setattr(auth, "get_user", _remembering(auth.get_user))
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)
    monkeypatch.setattr(Template, "render", lambda *_: SafeString(""))
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    monkeypatch.setattr(OpsAdminSite, "each_context", lambda *_: {"has_permission": True})
    factories.world()
    every = list(permission_matrix.addresses())
    asked = every if REWRITE else [address for address in every if sampling.chosen(address.shown, 3)]
    monkeypatch.setattr(permission_matrix, "addresses", lambda: asked)
    found = permission_matrix.table()
    words, mark, rest = PAGE.read_text().partition("| Address")
    if REWRITE:
        PAGE.write_text(words + found)
        return
    shown = {_address(line) for line in found.splitlines()[2:]}
    lines = (mark + rest).splitlines()
    written = [*lines[:2], *(line for line in lines[2:] if _address(line) in shown)]

    assert {_address(line) for line in lines[2:]} == {f"`{address.shown}`" for address in every}
    changes = "\n".join(difflib.unified_diff(written, found.splitlines(), "docs", "code", "", "", 0, ""))
    assert not changes, (
        f"docs/permissions.md differs from the code. Review, then run again with WRITE_PERMISSIONS=1:\n{changes}"
    )


def _address(line: str) -> str:
    return line.strip("| ").partition(" | ")[0].replace("\\|", "|")


def test_nothing_breaks(rows: list[dict[str, str]]) -> None:
    assert not [row for row in rows if "ERROR" in row.values()]


def test_strangers_see_nothing(rows: list[dict[str, str]]) -> None:
    open_to_all = {row["Address"].strip("`") for row in rows if row["anonymous"] == "yes"}

    assert open_to_all <= {
        *("/", "/healthz", "/readyz", "/favicon.ico", "/admin/login/", "/admin/logout/"),
        "/admin/account/welcome/<uidb64>/<token>/",
    }


OWN = ("/admin/account/", "/admin/login/", "/admin/logout/", "/admin/password_change/", "/admin/jsi18n/")
REDIRECT = "/<object_id>/"  # Django's own, to the page that then refuses


def test_staff_without_a_role_sees_nothing_but_themselves(rows: list[dict[str, str]]) -> None:
    ours = [row["Address"].strip("`") for row in rows if row["Method"] == "GET" and row["no role"] == "yes"]
    others = [each for each in ours if each.startswith("/admin/") and not each.startswith(OWN)]

    assert not [each for each in others if not each.endswith(REDIRECT)]


def test_who_looks_never_deletes_or_decides(rows: list[dict[str, str]]) -> None:
    acts = [
        row for row in rows if row["Method"] == "POST" and ("/delete/" in row["Address"] or "/add/" in row["Address"])
    ]

    assert acts
    assert not [row for row in acts for who in LOOKS_ONLY if row[who] == "yes"]


def test_every_permission_of_the_roles_exists(db: None) -> None:
    assert sync_roles() == []


def test_approvers_only_vote() -> None:
    acting = {role.name: set(role.permissions) for role in ROLES}

    assert "operations.approve_operation" in acting["Approver"]
    assert not [name for name, held in acting.items() if name != "Approver" and "operations.approve_operation" in held]
    assert not {"operations.request_operation", "operations.break_glass"} & acting["Approver"]


def test_only_in_the_demo(settings: Settings) -> None:
    settings.DEMO = False

    with pytest.raises(Refused):
        permission_matrix.table()
