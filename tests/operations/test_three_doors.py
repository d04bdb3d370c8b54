"""What is done with an operation or a task: role, placement and environment give one answer through every door."""

from __future__ import annotations

from itertools import product

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from operations.engine import kinds
from operations.engine.cancel import cancel, why_not_cancel
from operations.engine.request import check_permission, request
from operations.models import Environment, Operation, Task
from operations.web.verbs import verbs
from sampelit_ops.roles import ROLES
from tests.operations.test_roles_by_environment import DOORS, PLACEMENTS, SLUGS, _shell, covers, placed, where
from tests.sampelit_ops.signin.codes import code_of
from tests.stepping import SteppingClient, authenticator, break_glass, close, retry

__all__ = ["where"]
KIND = "rehearsal.routine"
NEEDED = {
    "cancel": ("cancel_operation", "run_rehearsal"),
    "retry": ("run_rehearsal",),
    "break-glass": ("break_glass",),
}
SERVICES = {"cancel": cancel, "retry": retry, "break-glass": break_glass}
REASON = "a reason that is long enough"
ACTING = [role.name for role in ROLES if role.acts]


def may(role: str, placement: frozenset[str], slug: str, codenames: tuple[str, ...]) -> bool:
    """By the table of roles alone."""
    held = Group.objects.get(name=role).permissions.filter(codename__in=codenames).exists()
    return held and covers(placement, slug)


@pytest.fixture
def boss(where: dict[str, Environment]) -> User:
    return placed("boss", "Operator", frozenset({"everywhere"}))


def prepared(verb: str, boss: User, environment: Environment, key: str) -> Operation:
    operation = request(KIND, by=boss, environment=environment, parameters={"key": key})
    return cancel(operation, by=boss) if verb == "retry" else operation


def was_done(verb: str, operation: Operation) -> bool:
    operation.refresh_from_db()
    if verb == "cancel":
        return operation.status == "cancelled"
    return operation.retries.exists() if verb == "retry" else operation.break_glass_by_id is not None


def through(
    door: str, verb: str, by: User, operation: Operation, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    if door == "service":
        try:
            SERVICES[verb](operation, by=by, reason=REASON)
        except PermissionDenied:
            pass
    elif door == "page":
        client.force_login(by)
        client.post(reverse("admin:operations_act", args=[operation.pk, verb]), {"reason": REASON})
    else:
        code = ["--code", code_of(authenticator(by))] if verb == "break-glass" else []
        _shell(by, monkeypatch, verb, operation.pk, "--reason", REASON, *code)


@pytest.mark.parametrize("role", ACTING)
@pytest.mark.parametrize(("door", "verb"), list(product(DOORS, SERVICES)))
def test_each_door_gives_the_answer_of_the_table(
    door: str,
    verb: str,
    role: str,
    where: dict[str, Environment],
    boss: User,
    monkeypatch: pytest.MonkeyPatch,
    settings,
) -> None:
    settings.DEMO = True  # elsewhere each of them enrols a second factor first
    answers, wanted = {}, {}
    for number, placement in enumerate(PLACEMENTS):
        for slug in SLUGS:
            person = placed(f"person{number}-{slug}", role, placement)
            operation = prepared(verb, boss, where[slug], f"{number}-{slug}")
            through(door, verb, person, operation, SteppingClient(), monkeypatch)
            answers[number, slug] = was_done(verb, operation)
            wanted[number, slug] = may(role, placement, slug, NEEDED[verb])

    assert answers == wanted


@pytest.mark.parametrize("role", ACTING)
@pytest.mark.parametrize("door", ["service", "page"])
def test_a_task_is_closed_where_the_role_is_held(
    door: str, role: str, where: dict[str, Environment], client: Client
) -> None:
    answers, wanted = {}, {}
    for number, placement in enumerate(PLACEMENTS):
        person = placed(f"person{number}", role, placement)
        for slug in SLUGS:
            task = Task.objects.create(
                kind=Task.Kind.REVIEW_BREAK_GLASS, title="t", environment=where[slug], dedupe_key=f"{number}-{slug}"
            )
            if door == "service":
                try:
                    close(task, by=person, resolution=REASON)
                except PermissionDenied:
                    pass
            else:
                client.force_login(person)
                client.post(reverse("admin:operations_close_task", args=[task.pk]), {"resolution": REASON})
            task.refresh_from_db()
            answers[number, slug] = task.closed_at is not None
            wanted[number, slug] = may(role, placement, slug, ("close_task",))

    assert answers == wanted


@pytest.mark.parametrize("role", ACTING)
def test_for_every_kind_the_page_offers_what_the_service_does(
    role: str, where: dict[str, Environment], boss: User
) -> None:
    """Retry and cancel, for acts on one environment and for those that concern all."""
    people = [placed(f"person{number}", role, placement) for number, placement in enumerate(PLACEMENTS)]

    for kind, person, slug in product(kinds.registry.kinds.values(), people, SLUGS):
        row = Operation(kind=kind.name, environment=where[slug], requested_by=boss, status="failed", risk="routine")
        try:
            check_permission(kind, person, where[slug])
            allowed = True
        except PermissionDenied:
            allowed = False
        offered = {verb.name: verb for verb in verbs(row, person)}["retry"]
        assert (offered.why_not == "") is allowed, f"{kind.name} on {slug} by {person}"
        assert not allowed or why_not_cancel(row, person) == "", f"{kind.name} on {slug} by {person}"
