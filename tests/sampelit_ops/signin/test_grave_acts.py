"""Every act that is grave, in one table: what it is bound to, and that no service does it without a second factor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from backups.models import Policy
from operations.approvals.break_glass import break_glass
from operations.approvals.confirmation import confirm
from operations.approvals.voting import approve
from operations.engine import kinds
from operations.engine.request import request
from operations.factors import devices
from operations.factors.acts import ACTS, Binding
from operations.factors.step_up import StepUpNeeded, note
from operations.models import Authenticator, Environment, Operation, StepUp
from operations.web.step_up import ASKS
from sampelit_ops.demo.users import create_demo_users
from sampelit_ops.signin.invitations import invite, start_over
from sampelit_ops.signin.role_changes import set_roles
from tests.operations.test_edits import POLICY
from tests.sampelit_ops.signin.codes import code_of

# Who may ask for it decides what is dealt with: the product, or what guards the product and its people.
GUARDS = {
    *("backups.place_hold", "backups.release_hold", "backups.resolve_incident"),
    *("migrations_registry.change_rules", "operations.add_environment", "operations.change_environment"),
}
PRODUCT = {
    "backups.apply_retention",  # it does what the policy says; to change the policy is grave
    *("backups.produce_evidencereport", "backups.request_export", "backups.request_restore", "backups.verify_run"),
    *("deployments.configure", "deployments.deploy", "deployments.maintain", "deployments.rollback"),
    *("migrations_registry.apply_migrationfile", "migrations_registry.baseline_stream"),
    *("migrations_registry.look_historyreading", "migrations_registry.mark_historyreading"),
    *("migrations_registry.register_migrationfile", "operations.run_rehearsal"),
}
CODES = "/admin/account/second-factor/recovery-codes/"


@dataclass
class House:
    """The demo's people, each with an authenticator, and something that waits."""

    waiting: Operation
    places: list[Environment]

    def __getattr__(self, username: str) -> User:
        return User.objects.get(username=username)


@pytest.fixture
def house(db: None, settings: Settings) -> Iterator[House]:
    settings.DEMO, settings.EMAIL_HOST = True, ""
    create_demo_users()
    place = Environment.objects.create(slug="production", name="Production", kind="production", protected=True)
    asked = {"environment": place, "parameters": {"key": "k"}, "reason": "a test"}
    return House(request("rehearsal.destructive", by=User.objects.get(username="operator"), **asked), [place])


def _page(house: House, username: str, path: str, data: dict[str, object]) -> None:
    """A page's act; what the middleware would answer is raised, as by a service."""
    client = Client()
    client.force_login(User.objects.get(username=username))
    device = Authenticator.objects.get(user__username=username, confirmed=True)
    Authenticator.objects.filter(pk=device.pk).update(last_t=-1)
    session = client.session
    session["otp_device_id"] = device.persistent_id
    session.save()
    answer = client.post(path, data)
    if answer.status_code == ASKS:
        raise StepUpNeeded(answer.context["binding"], "asked by a page")
    assert answer.status_code in (200, 302), answer.content[:300]


def _request(house: House) -> object:
    asked = {"environment": Environment.objects.portal(), "parameters": {"slug": "s", "name": "S", "kind": "staging"}}
    return request("environments.add", by=house.admin, **asked)


def _invite(house: House) -> object:
    return invite(User(username="nina", email="nina@example.com"), ["Operator"], by=house.admin)


def _confirm(house: House) -> object:
    set_roles(house.viewer, ["Viewer", "Approver"], by="system")
    return confirm(house.viewer, by=house.admin)


def _policy(house: House) -> object:
    row, _ = Policy.objects.get_or_create(environment=house.places[0], name="audit", tables=["public.a"], keep_last=9)
    given = {**POLICY, "environment": house.places[0].pk, "keep_last": 3}
    return _page(house, "admin", f"/admin/backups/policy/{row.pk}/change/", given)


def _activate(house: House) -> object:
    User.objects.filter(username="viewer").update(is_active=False)
    chosen = {"action": "activate", "_selected_action": [house.viewer.pk]}
    return _page(house, "admin", "/admin/auth/user/", chosen)


def _factor(house: House) -> object:
    new = devices.pending(house.viewer)
    return _page(house, "viewer", "/admin/account/second-factor/replace/", {"code": code_of(new)})


DONE: dict[str, tuple[str, Callable[[House], object]]] = {
    "operations.approve": ("approver", lambda house: approve(house.waiting, by=house.approver)),
    "operations.break_glass": (
        "operator",
        lambda h: break_glass(h.waiting, by=h.operator, reason="it is down"),
    ),
    "operations.request": ("admin", _request),
    "operations.confirm_approver": ("admin", _confirm),
    "backups.policy": ("admin", _policy),
    "signin.invite": ("admin", _invite),
    "signin.roles": ("admin", lambda house: set_roles(house.viewer, ["Operator"], by="admin")),
    "signin.activate": ("admin", _activate),
    "signin.start_over": ("admin", lambda house: start_over(house.viewer, by=house.admin)),
    "signin.token": ("viewer", lambda h: _page(h, "viewer", "/admin/account/tokens/", {"name": "n", "days": "3"})),
    "signin.factor": ("viewer", _factor),
    "signin.recovery_codes": (
        "viewer",
        lambda h: _page(h, "viewer", CODES, {}),
    ),
}


def test_the_table_names_every_grave_act() -> None:
    assert set(DONE) == set(ACTS)


def test_whatever_guards_the_product_and_its_people_is_grave() -> None:
    registered = kinds.registry.kinds.values()

    assert {kind.permission for kind in registered} <= GUARDS | PRODUCT
    assert {kind.name for kind in registered if kind.step_up} == {
        kind.name for kind in registered if kind.permission in GUARDS
    }


@pytest.mark.parametrize("act", sorted(ACTS))
def test_it_is_refused_without_and_done_once_with_a_factor(house: House, act: str) -> None:
    username, attempt = DONE[act]
    with pytest.raises(StepUpNeeded) as asked:
        attempt(house)
    assert asked.value.binding.act == act

    note(User.objects.get(username=username), asked.value.binding, "authenticator")
    attempt(house)

    assert StepUp.objects.get().spent_at is not None


@pytest.mark.parametrize("act", sorted(ACTS))
@pytest.mark.parametrize("other", ["act", "subject", "digest", "person"])
def test_it_is_refused_with_a_factor_for_something_else(house: House, act: str, other: str) -> None:
    username, attempt = DONE[act]
    with pytest.raises(StepUpNeeded) as asked:
        attempt(house)
    binding: Binding = asked.value.binding
    somebody = User.objects.get(username="auditor" if other == "person" else username)
    elsewhere = {"act": next(name for name in ACTS if name != act), "subject": "another", "digest": "f" * 64}
    note(somebody, binding if other == "person" else replace(binding, **{other: elsewhere[other]}), "authenticator")

    with pytest.raises(StepUpNeeded):
        attempt(house)

    assert StepUp.objects.get().spent_at is None
