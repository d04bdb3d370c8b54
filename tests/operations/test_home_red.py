"""What colours the home page: a failure that somebody must look at, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from operations.engine import specs
from operations.engine.run import run_operation
from operations.models import Operation, Task
from tests.people import holder
from tests.stepping import SteppingClient

pytestmark = pytest.mark.django_db(transaction=True)


def run(operation: Operation) -> Operation:
    run_operation(operation.pk, "test", frozenset(specs.POOLS), end_process=lambda: None)
    operation.refresh_from_db()
    return operation


def failed(ask: Callable[..., Operation], **parameters: object) -> Operation:
    operation = run(ask(**parameters))
    assert operation.status == "failed"
    return operation


def red() -> bool:
    client = Client()
    client.force_login(User.objects.filter(username="vera").first() or holder("vera", "view_operation"))
    return "1 failed" in client.get(reverse("admin:index")).text


def test_a_failure_colours_it_until_somebody_says_by_name_that_they_looked(ask, approver) -> None:
    operation = failed(ask, fail="crash")
    before = red()
    client = SteppingClient()
    client.force_login(approver)
    act = reverse("admin:operations_act", args=[operation.pk, "acknowledge"])

    refused = client.post(act, {"reason": ""})
    client.post(act, {"reason": "the disk was full"})

    page = client.get(reverse("admin:operations_operation_change", args=[operation.pk])).text
    assert (before, refused.status_code, red()) == (True, 409, False)
    assert ("the disk was full" in page, "verb-acknowledge" in page) == (True, False)
    assert Task.objects.get().closed_by == approver


def test_what_was_asked_again_and_went_well_is_mended(ask) -> None:
    failed(ask, fail="crash")
    run(ask())

    assert red() is False


def test_another_thing_that_went_well_mends_nothing(ask) -> None:
    failed(ask, fail="crash")
    run(ask(key="another"))

    assert red() is True


def test_a_refusal_before_anything_was_done_is_not_red_and_one_after_it_is(ask) -> None:
    operation = failed(ask, fail="refuse")
    Operation.objects.filter(pk=operation.pk).update(error="The plan is stale. Nothing was changed.")
    later = operation.steps.filter(position__gt=0, always=False)
    begun = later.values_list("started_at", flat=True)[0]

    before = red()
    later.update(started_at=None)

    assert (begun is not None, before, red()) == (True, True, False)


def test_nobody_acknowledges_without_the_right_or_what_did_not_fail(ask, approver) -> None:
    operation = failed(ask, fail="crash")
    fine = ask(key="fine")

    answers = []
    for person, row in ((holder("vera", "view_operation"), operation), (approver, fine)):
        client = SteppingClient()
        client.force_login(person)
        act = reverse("admin:operations_act", args=[row.pk, "acknowledge"])
        answers.append(client.post(act, {"reason": "looked at it"}).status_code)

    assert answers == [403, 409]
    assert not Task.objects.exists()


def test_a_review_is_opened_when_the_thing_happened_and_only_if_one_did_it_alone(ask, monkeypatch) -> None:
    from operations.engine import kinds

    for name in ("rehearsal.routine", "rehearsal.destructive"):
        monkeypatch.setattr(kinds.get(name), "restores_service", True)
    alone, voted = ask(), ask("rehearsal.destructive", key="voted")
    asked = Task.objects.count()

    run(alone)

    assert (asked, [task.operation_id for task in Task.objects.all()]) == (0, [alone.pk])
    assert voted.status == "awaiting_approval"
