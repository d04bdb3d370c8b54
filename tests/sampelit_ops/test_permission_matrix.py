"""Who may open what: the code's answers at every address against `permission_table`; an act without a line fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from copy import copy
from typing import Any

import pytest
from django.contrib import auth
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import transaction
from django.http import HttpRequest
from django.template.base import Template
from django.test import override_settings
from django.utils.safestring import SafeString
from pytest_django.fixtures import Settings

from operations.engine.kinds import registry
from providers.errors import Refused
from sampelit_ops import permission_matrix
from sampelit_ops.permission_matrix import ELSEWHERE, MatrixRow
from sampelit_ops.roles import ROLES, sync_roles
from sampelit_ops.site.admin_site import OpsAdminSite
from tests import factories, sampling
from tests.sampelit_ops.permission_table import BELONGS_NOWHERE, LET_IN
from tests.sampelit_ops.permission_table import ROLES as EVERY_ROLE

LOOKS_ONLY = ("Viewer", "Auditor")
SHUT = ("sign in", "no")
REDIRECT = "/<object_id>/"  # Django's own, to the page that then refuses
OWN = ("/admin/account/", "/admin/login/", "/admin/logout/", "/admin/password_change/", "/admin/jsi18n/")
OWN += ("/admin/guide/",)

PARTS = {"in the table": 8, "/add/": 20, "/delete/": 20, "": 20}
IN_TABLE = {line.partition(" ")[2] for line in LET_IN}


def _kind(shown: str) -> str:
    return "in the table" if shown in IN_TABLE else next((end for end in PARTS if shown.endswith(end)), "")


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


@pytest.fixture(scope="module")
def asked(django_db_setup: None, django_db_blocker: Any) -> list[MatrixRow]:
    """A share of the addresses in the table and of the others, all in a soak. Templates, frame and log are left out:
    the status is what counts here, and other tests look at every page."""
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        patch.setattr(auth, "get_user", _remembering(auth.get_user))
        patch.setattr(logging.root.manager, "disable", logging.CRITICAL)
        patch.setattr(Template, "render", lambda *_: SafeString(""))
        patch.setattr(OpsAdminSite, "each_context", lambda *_: {"has_permission": True})
        factories.world()
        known = {address.shown: address for address in permission_matrix.addresses()}
        kinds = {kind: [shown for shown in known if _kind(shown) == kind] for kind in PARTS}
        chosen = [known[shown] for kind, parts in PARTS.items() for shown in sampling.share(kinds[kind], parts)]
        with override_settings(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies"):
            rows = permission_matrix.matrix_rows(chosen)
        transaction.set_rollback(True)
    return rows


def let_in(row: MatrixRow) -> frozenset[str]:
    """The roles that are, held everywhere."""
    others = ("superuser", ELSEWHERE)
    return frozenset(who for who, answer in row.answers.items() if answer not in SHUT and who not in others)


def named(row: MatrixRow) -> frozenset[str] | None:
    """Who the table lets in, or None where it has no line."""
    return LET_IN.get(f"{row.method} {row.address}", LET_IN.get(f"ANY {row.address}"))


def test_who_is_let_in_is_what_the_table_says(asked: list[MatrixRow]) -> None:
    lines = [(row, wanted) for row in asked if (wanted := named(row)) is not None]

    assert lines
    assert {f"{row.method} {row.address}": sorted(let_in(row)) for row, wanted in lines if let_in(row) != wanted} == {}


def test_an_address_without_a_line_shows_the_same_to_every_role_and_does_nothing(asked: list[MatrixRow]) -> None:
    """A page that acts, or is open to fewer people or more, needs a line in `permission_table.LET_IN`."""
    rest = [row for row in asked if named(row) is None and not row.address.endswith(REDIRECT)]
    posts = [row for row in rest if row.method == "POST"]
    acts = [row for row in posts if {row.answers[who] for who in let_in(row)} - {"page", "not found"}]

    assert [(row.address, row.answers) for row in acts] == []
    assert [(row.method, row.address, row.answers) for row in rest if let_in(row) not in (set(), EVERY_ROLE)] == []


@pytest.mark.django_db
def test_every_line_of_the_table_is_an_address() -> None:
    known = {
        f"{method} {address.shown}" for address in permission_matrix.addresses() for method in ("ANY", "GET", "POST")
    }

    assert set(LET_IN) - known == set()


def test_nothing_breaks(asked: list[MatrixRow]) -> None:
    assert [row for row in asked if "ERROR" in row.answers.values()] == []


def test_who_acts_on_staging_only_looks_at_production(asked: list[MatrixRow]) -> None:
    """Beyond a Viewer they open what belongs to no environment yet; services and confirmation pages judge the rest."""
    beyond = {
        f"{row.method} {row.address}"
        for row in asked
        if row.answers[ELSEWHERE] not in SHUT and row.answers["Viewer"] in SHUT
    }
    shut = {f"{row.method} {row.address}" for row in asked if row.answers[ELSEWHERE] in SHUT}

    assert beyond - BELONGS_NOWHERE == set()
    assert shut & BELONGS_NOWHERE == set()


def test_staff_without_a_role_sees_nothing_but_themselves(asked: list[MatrixRow]) -> None:
    ours = [row.address for row in asked if row.method == "GET" and row.answers["no role"] == "yes"]
    others = [path for path in ours if path.startswith("/admin/") and not path.startswith(OWN)]

    assert [path for path in others if not path.endswith(REDIRECT)] == []


def test_who_looks_never_deletes_or_decides(asked: list[MatrixRow]) -> None:
    acts = [row for row in asked if row.method == "POST" and ("/delete/" in row.address or "/add/" in row.address)]
    acts = [row for row in acts if not row.address.startswith(OWN)]

    assert acts
    assert [row.address for row in acts for who in LOOKS_ONLY if row.answers[who] == "yes"] == []


@pytest.mark.django_db
def test_every_permission_of_the_roles_exists() -> None:
    assert sync_roles() == []


def test_some_role_may_ask_for_every_kind() -> None:
    held = {permission for role in ROLES for permission in role.permissions}

    assert {kind.name: kind.permission for kind in registry.kinds.values() if kind.permission not in held} == {}


def test_approvers_only_vote() -> None:
    acting = {role.name: set(role.permissions) for role in ROLES}

    assert "operations.approve_operation" in acting["Approver"]
    assert not [name for name, held in acting.items() if name != "Approver" and "operations.approve_operation" in held]
    assert not {"operations.request_operation", "operations.break_glass"} & acting["Approver"]


def test_only_in_the_demo(settings: Settings) -> None:
    settings.DEMO = False

    with pytest.raises(Refused):
        permission_matrix.table()
