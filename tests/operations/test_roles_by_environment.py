"""A role on one environment: what it lets a person do there, everywhere else not, through each of the three doors."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from operations.approvals.voting import reject
from operations.authority import VOTE, holders, holders_anywhere, holds, places, why_not
from operations.engine import kinds
from operations.engine.request import check_permission, request
from operations.models import AccessToken, Environment, Operation, RoleGrant
from operations.models.token_scopes import SCOPES
from sampelit_ops.roles import ROLES, sync_roles
from tests.people import vouch_for
from tests.stepping import approve

SLUGS = ("production", "staging")
PLACEMENTS: tuple[frozenset[str], ...] = (
    frozenset(),
    frozenset({"everywhere"}),
    *(frozenset({slug}) for slug in SLUGS),
    frozenset(SLUGS),
)
DOORS = ("service", "page", "shell")


@pytest.fixture
def where(db: None) -> dict[str, Environment]:
    sync_roles()
    return {
        slug: Environment.objects.create(slug=slug, name=slug, kind=slug, protected=True, votes_routine=2)
        for slug in SLUGS
    }


def placed(username: str, role: str, placement: frozenset[str]) -> User:
    """Somebody who looks everywhere and holds the role where the placement says."""
    person = User.objects.create_user(username, f"{username}@example.com", is_staff=True)
    person.groups.add(Group.objects.get(name="Viewer"))
    group = Group.objects.get(name=role)
    if "everywhere" in placement:
        person.groups.add(group)
    for environment in Environment.objects.filter(slug__in=placement):
        RoleGrant.objects.create(person=person, role=group, environment=environment)
    if role == "Approver":
        vouch_for(person)
    return User.objects.get(pk=person.pk)


def covers(placement: frozenset[str], slug: str) -> bool:
    return bool(placement & {slug, "everywhere"})


@pytest.mark.parametrize("placement", PLACEMENTS, ids=lambda placement: "+".join(sorted(placement)) or "nowhere")
def test_every_kind_may_be_asked_for_exactly_where_the_role_is_held(
    where: dict[str, Environment], placement: frozenset[str]
) -> None:
    people = {role.name: placed(role.name.lower(), role.name, placement) for role in ROLES if role.acts}

    for role, kind, slug in product(people, kinds.registry.kinds.values(), SLUGS):
        granted = Group.objects.get(name=role).permissions.filter(codename=kind.permission.partition(".")[2]).exists()
        allowed = _allowed(lambda: check_permission(kind, people[role], where[slug]))  # noqa: B023 - called at once
        place = "everywhere" if kind.everywhere else slug
        assert allowed is (granted and covers(placement, place)), f"{role} {sorted(placement)}: {kind.name} on {slug}"


@pytest.mark.parametrize("door", DOORS)
def test_three_doors_give_one_answer_to_a_request(
    where: dict[str, Environment], door: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}
    for number, placement in enumerate(PLACEMENTS):
        person = placed(f"olga{number}", "Operator", placement)
        for slug in SLUGS:
            asked[number, slug] = _ask(door, person, where[slug], client, monkeypatch)

    assert asked == {(n, slug): covers(placement, slug) for n, placement in enumerate(PLACEMENTS) for slug in SLUGS}


@pytest.mark.parametrize(("door", "verb"), list(product(DOORS, ("approve", "reject"))))
def test_three_doors_give_one_answer_to_a_vote(
    where: dict[str, Environment], door: str, verb: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    olga = placed("olga", "Operator", frozenset({"everywhere"}))
    counted = {}
    for number, placement in enumerate(PLACEMENTS):
        person = placed(f"ada{number}", "Approver", placement)
        for slug in SLUGS:
            row = request("rehearsal.routine", by=olga, environment=where[slug], parameters={"key": f"{number}"})
            counted[number, slug] = _vote(door, verb, person, row, client, monkeypatch)

    assert counted == {(n, slug): covers(placement, slug) for n, placement in enumerate(PLACEMENTS) for slug in SLUGS}


def test_everybody_with_a_role_somewhere_looks_everywhere(where: dict[str, Environment], client: Client) -> None:
    stella = placed("stella", "Operator", frozenset({"staging"}))
    stella.groups.clear()
    stella = User.objects.get(pk=stella.pk)
    client.force_login(stella)
    olga = placed("olga", "Operator", frozenset({"everywhere"}))
    row = request("rehearsal.routine", by=olga, environment=where["production"], parameters={"key": "k"})

    shown = client.get(reverse("admin:operations_operation_change", args=[row.pk]))

    assert shown.status_code == 200
    assert "You may act on staging, not on production." in shown.content.decode()
    assert client.get(reverse("admin:operations_operation_changelist")).status_code == 200
    assert not holds(stella, "operations.cancel_operation", where["production"])


def test_who_may_and_where_agree_with_each_other(where: dict[str, Environment]) -> None:
    people = [placed(f"ada{n}", "Approver", placement) for n, placement in enumerate(PLACEMENTS)]

    for person, (slug, environment) in product(people, where.items()):
        may = holds(person, VOTE, environment)
        assert may is holders(VOTE, environment).filter(pk=person.pk).exists()
        assert may is places(person, VOTE).filter(slug=slug).exists()
        assert may is (why_not(person, VOTE, environment, "Only approvers vote.") == "")
    assert [holds(person, VOTE, None) for person in people] == [False, True, False, False, False]
    assert holders_anywhere(VOTE).count() == len(PLACEMENTS) - 1


def test_another_name_for_the_same_database_opens_nothing(where: dict[str, Environment]) -> None:
    people = [placed(f"ada{n}", "Approver", placement) for n, placement in enumerate(PLACEMENTS)]
    Environment.objects.update(system_identifier="7", database_oid=5, database_name="postgres")
    staging = Environment.objects.get(slug="staging")

    may = [holds(person, VOTE, staging) for person in people]

    assert may == [False, True, False, False, True]
    assert [holders(VOTE, staging).filter(pk=person.pk).exists() for person in people] == may
    assert [places(person, VOTE).filter(slug="staging").exists() for person in people] == may


def test_an_act_that_reaches_further_needs_the_role_there_too(
    where: dict[str, Environment], monkeypatch: pytest.MonkeyPatch
) -> None:
    stella, olga = (placed(f"olga{n}", "Operator", frozenset(slugs)) for n, slugs in enumerate((["staging"], SLUGS)))
    kind = kinds.get("rehearsal.routine")
    monkeypatch.setattr(kind, "reaches", lambda environment, parameters: list(where.values()))

    answers = [
        _allowed(lambda: request(kind.name, by=by, environment=where["staging"], parameters={"key": "k"}))  # noqa: B023
        for by in (stella, olga)
    ]

    assert answers == [False, True]


def test_an_ended_account_keeps_nothing(where: dict[str, Environment]) -> None:
    stella = placed("stella", "Approver", frozenset(SLUGS))
    User.objects.filter(pk=stella.pk).update(is_active=False)
    stella = User.objects.get(pk=stella.pk)

    assert not any(holds(stella, permission, where["staging"]) for permission in (VOTE, "operations.view_operation"))
    assert not stella.has_perm("operations.view_operation")
    assert not holders(VOTE, where["staging"]).exists()


def _allowed(act: Callable[[], Any]) -> bool:
    try:
        act()
    except PermissionDenied:
        return False
    return True


def _ask(door: str, by: User, where: Environment, client: Client, monkeypatch: pytest.MonkeyPatch) -> bool:
    before = Operation.objects.count()
    key = f"{by.username}-{where.slug}"
    if door == "service":
        _allowed(lambda: request("rehearsal.routine", by=by, environment=where, parameters={"key": key}))
    elif door == "page":
        client.force_login(by)
        path = reverse("admin:operations_request", args=["rehearsal.routine"])
        given = {"environment": where.slug, "key": key}
        client.post(f"{path}?environment={where.slug}&key={key}", given)
    else:
        _shell(by, monkeypatch, "request", "rehearsal.routine", "--environment", where.slug, "--set", f"key={key}")
    return Operation.objects.count() > before


def _vote(door: str, verb: str, by: User, row: Operation, client: Client, monkeypatch: pytest.MonkeyPatch) -> bool:
    if door == "service":
        _allowed(lambda: {"approve": approve, "reject": reject}[verb](row, by=by, comment="no"))
    elif door == "page":
        client.force_login(by)
        client.post(reverse("admin:operations_act", args=[row.pk, verb]), {"reason": "not today"})
    else:
        _shell(by, monkeypatch, verb, row.pk, "--reason", "not today")
    return row.approvals.filter(approved_by=by).exists()


def _shell(by: User, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setenv("OPS_TOKEN", AccessToken.objects.issue(by, "laptop", scopes=SCOPES)[1])
    try:
        call_command("ops", *arguments)
    except (SystemExit, CommandError):
        pass
