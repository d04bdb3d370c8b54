"""Every write of the engine names the row it means: another operation in mid-life, and its steps, stay as they were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.fixtures import Settings

from operations import databases
from operations.engine import kinds, specs
from operations.engine.cancel import cancel
from operations.engine.claim import claim
from operations.engine.context import Limits, StepContext
from operations.engine.run import run_operation
from operations.models import AccessToken, Environment, Operation, Step, StepStatus
from operations.tokens import use
from operations.worker import supervisor
from providers.postgres.identity import Identity


def _run(operation: Operation, by: User) -> None:
    run_operation(operation.pk, "test", frozenset(specs.POOLS), end_process=lambda: None)


def _cancel_while_it_runs(operation: Operation, by: User) -> None:
    claim(operation.pk, "test")
    cancel(operation, by=by)


def _run_what_was_cancelled(operation: Operation, by: User) -> None:
    Operation.objects.filter(pk=operation.pk).update(cancel_requested_at=timezone.now())
    _run(operation, by)


def _run_what_died_in_its_always_step(operation: Operation, by: User) -> None:
    Operation.objects.filter(pk=operation.pk).update(outcome="failed")
    operation.steps.exclude(name="tidy").update(status=StepStatus.FAILED, ended_at=timezone.now())
    operation.steps.filter(name="tidy").update(status=StepStatus.RUNNING, attempt=1)
    _run(operation, by)


def _run_what_lost_its_always_step(operation: Operation, by: User) -> None:
    operation.steps.filter(name="prepare").update(status=StepStatus.SUCCEEDED, ended_at=timezone.now(), attempt=1)
    kinds.get(operation.kind).steps = [specs.step("other", lambda _: None)]
    _run(operation, by)


def _rows(operation: Operation) -> list[Any]:
    steps = Step.objects.filter(operation=operation).order_by("position")
    return [Operation.objects.filter(pk=operation.pk).values().get(), *steps.values()]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("act", "ends"),
    [
        (_run, "succeeded"),
        (_cancel_while_it_runs, "running"),
        (_run_what_was_cancelled, "cancelled"),
        (_run_what_died_in_its_always_step, "running"),
        (_run_what_lost_its_always_step, "failed"),
    ],
)
def test_no_act_touches_another_operation(
    ask: Callable[..., Operation],
    operator: User,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[Operation, User], None],
    ends: str,
) -> None:
    settings.OPS_LEASE_SECONDS = 60
    monkeypatch.setattr(kinds.get("rehearsal.routine"), "steps", kinds.get("rehearsal.routine").steps)
    operation, bystander = ask(), ask(key="other")
    claim(bystander.pk, "elsewhere")
    before = _rows(bystander)

    act(operation, operator)

    operation.refresh_from_db()
    assert operation.status == ends
    assert _rows(bystander) == before


@pytest.mark.django_db
def test_a_step_journals_its_own_state(ask: Callable[..., Operation]) -> None:
    operation, other = ask(), ask(key="other")
    lease = claim(operation.pk, "test")
    assert lease is not None
    context = StepContext(operation, operation.steps.all()[1], Limits(60, 60), lease)
    context.state["rows"] = 7

    context.save_state()

    assert [step.detail for step in operation.steps.all()] == [{}, {"rows": 7}, {}]
    assert {str(step.detail) for step in other.steps.all()} == {"{}"}


@pytest.mark.django_db
def test_the_portal_itself_is_nobodys_product() -> None:
    for kind in Environment.Kind.values:
        Environment.objects.create(slug=kind, name=kind, kind=kind)

    assert set(Environment.objects.of_the_product().values_list("slug", flat=True)) == {
        "production",
        "staging",
        "preview",
    }


@pytest.mark.django_db
def test_a_database_is_recorded_once_and_for_one_environment() -> None:
    first, second = Identity("", 1, "one"), Identity("", 2, "two")
    mine, other = (Environment.objects.create(slug=slug, name=slug) for slug in ("mine", "other"))

    answers = [databases._write(Environment.objects.get(pk=mine.pk), found) for found in (first, second)]
    databases._write(other, first)
    for server in ("7", "8"):
        databases._complete(Environment.objects.get(pk=mine.pk), Identity(server, 1, "one"))

    mine.refresh_from_db()
    other.refresh_from_db()
    assert answers == [True, False]
    assert databases.recorded(mine) == Identity("7", 1, "one")
    assert databases.recorded(other) == Identity("", 1, "one")


@pytest.mark.django_db
def test_environments_are_of_one_database_or_have_one_name_by_their_rows() -> None:
    facts = {
        "mine": ("7", 1, "one"),
        "the-same": ("7", 1, "renamed"),
        "cannot-tell": ("", 1, "one"),
        "cannot-tell-either": ("", 1, "two"),
        "another-server": ("8", 1, "one"),
        "another-oid": ("7", 2, "one"),
        "unknown": ("", None, ""),
    }
    for slug, (server, oid, name) in facts.items():
        values = {"system_identifier": server, "database_oid": oid, "database_name": name}
        Environment.objects.create(slug=slug, name=slug)
        Environment.objects.filter(slug=slug).update(**values)

    def alike(slug: str) -> set[str]:
        found = Environment.objects.of_one_database(Environment.objects.get(slug=slug))
        return set(found.values_list("slug", flat=True))

    assert alike("mine") == {"the-same", "cannot-tell", "cannot-tell-either"}
    assert alike("cannot-tell") == {"mine", "the-same", "another-server", "cannot-tell-either"}
    assert alike("unknown") == set()
    assert [row.slug for row in Environment.objects.named("The_Same")] == ["the-same"]


@pytest.mark.django_db
def test_a_worker_that_ends_gives_back_what_it_still_holds(ask: Callable[..., Operation], monkeypatch) -> None:
    """What another has claimed meanwhile, or holds anyhow, stays theirs."""
    ending = supervisor.Supervisor([])
    first, second, other = (ask(key=key) for key in "abc")
    for operation, owner in ((first, f"{ending.id}/1"), (second, f"{ending.id}/2"), (other, "elsewhere/1")):
        claim(operation.pk, owner)
    woken: list[str] = []

    def wake_while_another_claims(operation: Operation) -> None:
        woken.append(operation.pk)
        Operation.objects.filter(pk__in={first.pk, second.pk} - {*woken}).update(fence=2, lease_owner="new/1")

    monkeypatch.setattr(supervisor, "wake", wake_while_another_claims)
    ending._release()

    released, *claimed = woken
    owners = dict(Operation.objects.values_list("pk", "lease_owner"))
    assert owners == {released: "", claimed[0]: "new/1", other.pk: "elsewhere/1"}
    assert Operation.objects.exclude(lease_until=None).count() == 2


@pytest.mark.django_db
def test_the_use_of_a_token_is_noted_at_no_other(operator: User) -> None:
    _, clear = AccessToken.objects.issue(operator, "laptop")
    other, _ = AccessToken.objects.issue(operator, "never used")

    assert use.owner(clear) == operator

    assert AccessToken.objects.exclude(last_used_at=None).count() == 1
    other.refresh_from_db()
    assert other.last_used_at is None
