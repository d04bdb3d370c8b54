"""A request that SQL inserted begins nothing, however few votes it needs; and votes count wherever an act reaches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection

from ledger.models import Entry
from operations.approvals.break_glass import why_not_break_glass
from operations.approvals.voting import why_not_vote
from operations.doctor.votes import requests
from operations.engine import kinds, specs
from operations.models import Environment, Operation, RoleGrant, Step
from operations.votes.judge import judge
from sampelit_ops.roles import sync_roles
from tests.people import holder, vouch_for
from tests.running import run_once
from tests.stepping import approve, request

pytestmark = pytest.mark.django_db(transaction=True)
COLUMNS = ", ".join(field.column for field in Operation._meta.concrete_fields if field.name != "id")
NEVER = {
    "as it is": "",
    "another person": "requested_by_id = (SELECT id FROM auth_user WHERE username = 'ada')",
    "with nobody's votes": "approvals_required = 0",
    "said to be harmless": "risk = 'routine', approvals_required = 0",
}


def inserted(original: Operation, changes: str) -> Operation:
    """A copy as SQL writes it, with steps, queued."""
    values = dict(part.split(" = ", 1) for part in changes.split(", ") if part)
    copied = ", ".join(
        values.get(column, "'queued'" if column == "status" else column) for column in COLUMNS.split(", ")
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO operations_operation (id, {COLUMNS}) "
            f"SELECT 'forged', {copied} FROM operations_operation WHERE id = %s",
            [original.pk],
        )
    row = Operation.objects.get(pk="forged")
    for step in original.steps.all():
        Step.objects.create(operation=row, position=step.position, name=step.name, pool=step.pool, always=step.always)
    return row


@pytest.mark.parametrize("changes", NEVER.values(), ids=NEVER)
@pytest.mark.parametrize("kind", ["rehearsal.routine", "rehearsal.sensitive", "rehearsal.destructive"])
def test_a_row_that_sql_inserted_never_begins(ask, approver, kind: str, changes: str) -> None:
    operation = inserted(ask(kind), changes)

    status = run_once(operation).status

    assert status in ("expired", "awaiting_approval")
    assert not operation.steps.exclude(status__in=["pending", "skipped"]).exists()
    assert [check.tone for check in requests(None)] == (["bad"] if status == "awaiting_approval" else ["ok"])


def test_one_that_waits_is_red(ask) -> None:
    inserted(ask("rehearsal.routine"), "")

    assert [check.tone for check in requests(None)] == ["bad"]


def test_what_was_really_asked_begins_and_the_ledger_holds_its_digest(ask) -> None:
    operation = ask("rehearsal.routine")

    assert [check.tone for check in requests(None)] == ["ok"]
    assert run_once(operation).status == "succeeded"
    entry = Entry.objects.get(code="operations.requested", subject=operation.pk)
    assert entry.payload["content_sha256"] == operation.content_sha256


class Reaching(kinds.OperationKind):
    """An act on staging that changes something for production and a preview too."""

    name, label, permission, risk = "test.reaching", "Reach", "operations.run_rehearsal", "destructive"
    steps = [specs.step("act", lambda ctx: None)]

    def reaches(self, environment: Environment, parameters: specs.Parameters) -> list[Environment]:
        return list(Environment.objects.filter(slug__in=["production", "staging", "preview"]))


@pytest.fixture
def reaching() -> Iterator[Operation]:
    sync_roles()
    kinds.register(Reaching())
    Environment.objects.create(slug="production", name="P", kind="production", protected=True)
    Environment.objects.create(slug="preview", name="V", kind="preview")
    staging = Environment.objects.create(slug="staging", name="S")
    person = holder("olga", "run_rehearsal", "break_glass")
    yield request("test.reaching", by=person, environment=staging, parameters={}, reason="a test")
    del kinds.registry.kinds["test.reaching"]


def placed(name: str, *slugs: str, role: str = "Approver") -> User:
    person = holder(name)
    group = Group.objects.get(name=role)
    if not slugs:
        person.groups.add(group)
    for slug in slugs:
        RoleGrant.objects.create(person=person, role=group, environment=Environment.objects.get(slug=slug))
    vouch_for(person)
    return User.objects.get(pk=person.pk)


PLACES = [
    (("production",), False),
    (("staging",), False),
    (("production", "staging"), False),
    (("staging", "preview"), False),
    (("production", "staging", "preview"), True),
    ((), True),
]


@pytest.mark.parametrize(("slugs", "may"), PLACES, ids=str)
def test_who_votes_holds_the_role_wherever_the_act_reaches(
    reaching: Operation, slugs: tuple[str, ...], may: bool
) -> None:
    person = placed("ada", *slugs)

    assert (why_not_vote(reaching, person) == "") is may


@pytest.mark.parametrize("lost", ["production", "staging", "preview"])
def test_a_vote_lapses_with_the_role_in_any_of_them(reaching: Operation, lost: str) -> None:
    people = [placed("ada", "production", "staging", "preview"), placed("ben")]
    for person in people:
        reaching = approve(reaching, by=person)
    RoleGrant.objects.filter(person=people[0], environment__slug=lost).delete()

    assert run_once(reaching).status == "awaiting_approval"
    assert f"ada may not vote on {lost} any more." in reaching.error
    assert sum(not one.why_not for one in judge(reaching, list(Environment.objects.all()))) == 1


@pytest.mark.parametrize(("slugs", "may"), PLACES, ids=str)
def test_who_breaks_the_glass_too(reaching: Operation, slugs: tuple[str, ...], may: bool, settings) -> None:
    settings.DEMO = True
    person = placed("ada", *slugs, role="Operator")

    assert (why_not_break_glass(reaching, person) == "") is may
