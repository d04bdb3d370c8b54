"""Each grave act, attempted as a page or a service is called, in a small house with the demo's people.

In: a House. Out: DONE, by act: who does it, and the attempt, which may be made again once a factor was shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.test import Client

from backups.models import Policy, Run
from backups.policies.defaults import accept_database
from deployments.models import Service
from migrations_registry.drift import detect
from migrations_registry.models import DriftIncident, Rehearsal, Waiver
from migrations_registry.services import rehearsals, waivers
from operations.approvals.break_glass import break_glass
from operations.approvals.confirmation import confirm
from operations.approvals.tasks import close
from operations.approvals.voting import approve, reject, revoke
from operations.engine.cancel import cancel
from operations.engine.request import request
from operations.factors import devices
from operations.factors.step_up import StepUpNeeded
from operations.models import Authenticator, Environment, Operation, Task
from operations.web.step_up import ASKS
from sampelit_ops.outsiders import attestation
from sampelit_ops.outsiders import readings as outsiders
from sampelit_ops.signin.invitations import invite, start_over
from sampelit_ops.signin.role_changes import set_roles
from tests import factories_migrations, stepping
from tests.operations.test_edits import POLICY
from tests.registering import registered
from tests.sampelit_ops.signin.codes import code_of

CODES = "/admin/account/second-factor/recovery-codes/"


@dataclass
class House:
    """The demo's people, each with an authenticator, and something that waits."""

    waiting: Operation
    places: list[Environment]

    def __getattr__(self, username: str) -> User:
        return User.objects.get(username=username)


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


def _guarding(house: House) -> Operation:
    """A request to change what production asks for, which waits for votes."""
    known = Operation.objects.filter(kind="environments.change").first()
    asked = {"environment": house.places[0], "parameters": {"votes_destructive": "1"}, "reason": "a test"}
    return known or stepping.request("environments.change", by=house.admin, **asked)


def _revoke(house: House) -> object:
    operation = _guarding(house)
    if not operation.approvals.exists():
        stepping.approve(operation, by=house.approver)
    return revoke(operation, by=house.approver)


def _accept(house: House) -> object:
    policy, _ = Policy.objects.get_or_create(environment=house.places[0], name="audit", tables=["public.a"])
    return accept_database(policy, house.admin)


def _review(house: House) -> object:
    task, _ = Task.objects.get_or_create(
        dedupe_key="r", defaults={"kind": "review_break_glass", "title": "Review it", "not_by": house.operator}
    )
    return close(task, by=house.approver, resolution="it was right")


def _switch(house: House) -> object:
    service, _ = Service.objects.get_or_create(
        render_id="srv-1", defaults={"name": "api", "type": "web_service", "environment": house.places[0]}
    )
    return _page(house, "admin", f"/admin/deployments/service/{service.pk}/change/", {"auto_rollback": "on"})


def _accept_drift(house: House) -> object:
    if not DriftIncident.objects.exists():
        factories_migrations.drift(house.places[0])
    return detect.resolve(DriftIncident.objects.get(), by="operator", reason="meant")


def _agree(house: House) -> object:
    if not Waiver.objects.exists():
        file = registered(b"ALTER TABLE a DROP COLUMN b;\n")
        waivers.propose(file, "MD-DROP-COLUMN", 1, reason="empty", by=house.operator)
    return waivers.approve(Waiver.objects.get(), by=house.approver)


def _waive_rehearsal(house: House) -> object:
    if not Rehearsal.objects.exists():
        policy = Policy.objects.create(environment=house.places[0], name="p", tables=["public.a"])
        run = Run.objects.create(operation=house.waiting, policy=policy)
        file = registered(b"ALTER TABLE a DROP COLUMN b;\n")
        where = {"environment": house.places[0], "run": run, "operation": "0" * 26}
        Rehearsal.objects.create(file=file, status="failed", requested_by="system", **where)
    return rehearsals.waive(Rehearsal.objects.get(), reason="the copy is older", by=house.approver)


def _attest(house: House) -> object:
    found = outsiders.kept()[1] or outsiders.read_all()
    return attestation.attest(by=house.admin, seen=attestation.digest(found))


def _deactivate(house: House) -> object:
    chosen = {"action": "deactivate", "_selected_action": [house.viewer.pk, house.auditor.pk]}
    return _page(house, "admin", "/admin/auth/user/", chosen)


def _contact(house: House) -> object:
    given = {"email": "elsewhere@example.com", "roles": "Viewer", "first_name": "Vera", "last_name": "Viewer"}
    return _page(house, "admin", f"/admin/auth/user/{house.viewer.pk}/change/", given)


DONE: dict[str, tuple[str, Callable[[House], object]]] = {
    "operations.approve": ("approver", lambda house: approve(house.waiting, by=house.approver)),
    "operations.break_glass": (
        "operator",
        lambda h: break_glass(h.waiting, by=h.operator, reason="it is down"),
    ),
    "operations.reject": ("approver", lambda h: reject(_guarding(h), by=h.approver, comment="no")),
    "operations.revoke": ("approver", _revoke),
    "operations.cancel": ("admin", lambda h: cancel(_guarding(h), by=h.admin)),
    "operations.review": ("approver", _review),
    "operations.request": ("admin", _request),
    "operations.confirm_approver": ("admin", _confirm),
    "backups.policy": ("admin", _policy),
    "backups.accept_database": ("admin", _accept),
    "deployments.service": ("admin", _switch),
    "migrations.accept_drift": ("operator", _accept_drift),
    "migrations.agree_waiver": ("approver", _agree),
    "migrations.waive_rehearsal": ("approver", _waive_rehearsal),
    "outsiders.attest": ("admin", _attest),
    "signin.invite": ("admin", _invite),
    "signin.roles": ("admin", lambda house: set_roles(house.viewer, ["Operator"], by="admin")),
    "signin.activate": ("admin", _activate),
    "signin.deactivate": ("admin", _deactivate),
    "signin.contact": ("admin", _contact),
    "signin.start_over": ("admin", lambda house: start_over(house.viewer, by=house.admin)),
    "signin.token": ("viewer", lambda h: _page(h, "viewer", "/admin/account/tokens/", {"name": "n", "days": "3"})),
    "signin.factor": ("viewer", _factor),
    "signin.recovery_codes": (
        "viewer",
        lambda h: _page(h, "viewer", CODES, {}),
    ),
}
