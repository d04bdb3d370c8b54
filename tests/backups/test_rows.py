"""What the portal asks of runs (which count, are good, can be restored), and that a write means its own rows alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.db.models import Manager
from django.utils import timezone

from backups.export import steps as export_steps
from backups.models import Incident, Policy, Restore, Run
from backups.models.run import TRANSITIONS, RunStatus
from backups.recovery import rebuild, recover
from backups.restore import steps as restore_steps
from ledger.models import Entry
from operations.engine.claim import claim
from operations.engine.context import Limits, StepContext
from operations.models import AccessToken, Environment, Operation, Step
from tests.people import asked_for

pytestmark = pytest.mark.django_db
AT = timezone.now() - timedelta(days=1)
SEEDED = [False, True]


@pytest.fixture
def policy() -> Policy:
    environment = Environment.objects.create(slug="production", name="P", kind="production")
    return Policy.objects.create(environment=environment, name="audit-trail", tables=["a"])


@pytest.fixture
def make(policy: Policy) -> Callable[..., Run]:
    by = User.objects.create_superuser("sylvia")

    def make(status: str, seeded: bool = False, **fields: object) -> Run:
        operation = Operation.objects.create(
            kind="backups.export",
            environment=policy.environment,
            requested_by=by,
            risk="routine",
            approvals_required=0,
            content_sha256="0" * 64,
            status="awaiting_approval",
            expires_at=timezone.now(),
            seeded=seeded,
        )
        asked_for(operation)
        proven = {"proven_at": AT, "manifest_sha256": "0" * 64} if status == "proven" else {}
        return Run.objects.create(operation=operation, policy=policy, status=status, ended_at=AT, **proven, **fields)

    return make


def test_each_question_is_answered_by_just_the_runs_it_means(make) -> None:
    going = {"retired_at": AT, "purging_at": AT}
    runs = {
        make(status, seeded, stored_at=AT if stored else None, **(going if purging else {})): (
            status == "proven",
            not seeded,
            stored,
            not purging,
        )
        for status, seeded, stored, purging in product(RunStatus.values, SEEDED, SEEDED, SEEDED)
    }

    counting, good, restorable = (
        set(answer) for answer in (Run.objects.counting(), Run.objects.good(), Run.objects.restorable())
    )

    assert counting == {run for run, (proven, real, _, _) in runs.items() if proven and real}
    assert good == {run for run, (proven, real, _, whole) in runs.items() if proven and real and whole}
    assert restorable == {run for run, (_, _, stored, whole) in runs.items() if stored and whole}


def test_after_a_recovery_every_run_with_data_is_left_alone(make) -> None:
    going = {"retired_at": AT, "purging_at": AT}
    runs = {
        make("stored", stored_at=AT if stored else None, **(going if purging else {})): stored and not purging
        for stored, purging in product(SEEDED, SEEDED)
    }

    rebuild.rest(AT)

    assert set(Run.objects.filter(brought_back_at=AT)) == {run for run, rests in runs.items() if rests}


def test_a_recovery_revokes_every_living_token_once() -> None:
    olga = User.objects.create_user("olga")
    old, living = (AccessToken.objects.issue(olga, name)[0] for name in ("lost long ago", "laptop"))
    AccessToken.objects.filter(pk=old.pk).update(revoked_at=AT)
    now = timezone.now()

    answers = [recover._revoke_tokens(moment) for moment in (now, timezone.now())]

    assert answers == [1, 0]
    assert dict(AccessToken.objects.values_list("pk", "revoked_at")) == {old.pk: AT, living.pk: now}


def test_after_a_recovery_only_what_lay_beside_the_copy_lies_where_it_was_found(make) -> None:
    copy, beside, elsewhere = (make("stored", store_url=f"file:///{place}") for place in ("old", "old", "second"))

    recover._move(SimpleNamespace(run=copy.pk), SimpleNamespace(url="file:///new"))  # type: ignore[arg-type]

    places = dict(Run.objects.values_list("pk", "store_url"))
    assert places == {copy.pk: "file:///new", beside.pk: "file:///new", elsewhere.pk: "file:///second"}


def test_a_recovery_counts_only_what_it_ended_itself(make, monkeypatch) -> None:
    open_one, lost_one = (make("running").operation for _ in range(2))
    advance = type(Operation.objects).advance

    def advance_after_another(rows: Manager[Operation], pk: str, *args: str, **fields: object) -> bool:
        if pk == lost_one.pk:
            Operation.objects.filter(pk=pk).update(status="cancelled")
        return advance(rows, pk, *args, **fields)

    monkeypatch.setattr(type(Operation.objects), "advance", advance_after_another)

    assert rebuild.end_what_was_open(AT) == 1
    statuses = dict(Operation.objects.values_list("pk", "status"))
    assert statuses == {open_one.pk: "expired", lost_one.pk: "cancelled"}


@pytest.mark.parametrize(
    ("status", "resolved", "good"),
    [
        ("suspect", None, False),
        ("suspect", timedelta(hours=-1), True),
        ("suspect", timedelta(hours=1), False),
        ("proven", None, False),
        ("proven", timedelta(hours=-1), True),
        ("proven", timedelta(hours=1), False),
        ("failed", timedelta(hours=-1), False),
    ],
)
def test_a_run_that_showed_something_is_good_only_if_it_was_explained_before(
    make, policy: Policy, status: str, resolved: timedelta | None, good: bool
) -> None:
    bystander, run = make("proven"), make(status)
    incident = Incident.objects.create(code="row_edited", environment=policy.environment, subject="a")
    if resolved:
        explained = {"status": "resolved", "resolved_by": "ada", "reason": "moved", "resolved_at": AT + resolved}
        Incident.objects.filter(pk=incident.pk).update(**explained)
    incident.seen_in.add(run)

    assert set(Run.objects.good()) == ({bystander, run} if good else {bystander})


@pytest.mark.parametrize(
    ("source", "target"), [(old, new) for old, ends in TRANSITIONS.items() for new in sorted(ends)]
)
def test_a_run_advances_alone_and_only_from_where_it_stands(make, source: str, target: str) -> None:
    fields = {"proven_at": AT, "manifest_sha256": "0" * 64}
    run, twin = make(source), make(source)
    elsewhere = make("failed")

    answers = [Run.objects.advance(each.pk, source, target, **fields) for each in (run, run, elsewhere)]

    assert answers == [True, False, False]
    assert [Run.objects.get(pk=each.pk).status for each in (run, twin, elsewhere)] == [target, source, "failed"]


def claimed(run: Run) -> StepContext:
    """The run's operation is at work, with a step that only live tables need and another."""
    Operation.objects.filter(pk=run.operation_id).update(status="queued")
    rows = [Step(operation=run.operation, position=n, name=name) for n, name in enumerate(["check", "drain"])]
    Step.objects.bulk_create(rows)
    lease = claim(run.operation_id, "test")
    assert lease is not None
    run.operation.refresh_from_db()
    run.operation.parameters = {"run": run.pk, "target": "scratch"}
    return StepContext(run.operation, rows[0], Limits(60, 60), lease)


@pytest.fixture
def restoring(make) -> Callable[[str], StepContext]:
    """A claimed operation with a restore of this status."""

    def restoring(status: str) -> StepContext:
        run = make("proven")
        Restore.objects.create(operation=run.operation, run=run, target="scratch", status=status)
        return claimed(run)

    return restoring


@pytest.mark.parametrize(
    ("status", "settled", "reason"),
    [
        ("running", "failed", "The operation was cancelled."),
        ("stored", "stored", "The proof did not happen: The operation was cancelled."),
        ("suspect", "suspect", ""),
    ],
)
def test_a_run_that_is_not_proven_says_why_and_no_other_does(make, status: str, settled: str, reason: str) -> None:
    mine, other = make(status), make(status)

    export_steps.settle(claimed(mine))

    assert Run.objects.filter(pk=mine.pk).values_list("status", "reason").get() == (settled, reason)
    assert Run.objects.filter(pk=other.pk).values_list("status", "reason").get() == (status, "")


def test_a_restore_skips_its_own_steps_for_live_tables(restoring) -> None:
    mine, other = restoring("running"), restoring("running")

    restore_steps._skip_what_live_needs(mine)

    skipped = Step.objects.filter(status="skipped").values_list("operation", "name")
    assert list(skipped) == [(mine.operation.pk, "drain")]
    assert other.operation.steps.filter(status="pending").count() == 2


@pytest.mark.parametrize(
    ("status", "settled"), [("running", "failed"), ("succeeded", "succeeded"), ("failed", "failed")]
)
def test_a_restore_that_never_ended_fails_with_its_operation_and_no_other(restoring, status: str, settled: str) -> None:
    mine, other = restoring(status), restoring("running")

    restore_steps.settle(mine)

    assert Restore.objects.get(operation=mine.operation).status == ("failed" if status == "running" else status)
    assert Restore.objects.get(operation=other.operation).status == "running"
    told = Entry.objects.filter(code="backups.restore.failed").exists()
    assert told is (status == "running")
