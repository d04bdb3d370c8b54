"""Nobody votes for what failed in its rehearsal, a second person waives that, and what waits is rehearsed by itself."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backups.models import Policy, Run
from ledger.models import Entry
from migrations_registry.models import MigrationFile, Rehearsal
from migrations_registry.rehearsal import automatic
from migrations_registry.rehearsal.automatic import rehearse_requests
from migrations_registry.services import rehearsals
from operations.approvals import voting
from operations.engine.request import request
from operations.models import Environment, Operation
from providers.errors import Refused
from tests.factories import person
from tests.migrations_registry.applying import add_supabase
from tests.people import vouch_for
from tests.stepping import approve, stepping

pytestmark = pytest.mark.django_db
waive = stepping(rehearsals.waive)


@pytest.fixture
def asked(bare_production: Environment, ana: User) -> Operation:
    """A destructive file waits for two votes."""
    file = add_supabase(2, "DROP TABLE users")
    parameters = {"file": file.sha256}
    return request("migrations.apply", by=ana, environment=bare_production, parameters=parameters, reason="test")


@pytest.fixture
def run(asked: Operation) -> Run:
    policy = Policy.objects.create(environment=asked.environment, name="p", tables=["public.users"])
    ended = {"status": "proven", "proven_at": timezone.now(), "manifest_sha256": "0" * 64}
    return Run.objects.create(operation=asked, policy=policy, snapshot_at=timezone.now(), **ended)


def approver(name: str) -> User:
    return vouch_for(person(name))


def rehearsal(run: Run, status: str = "failed", by: str = "system", **more: Any) -> Rehearsal:
    fields = {"environment": run.policy.environment, "status": status, "content_sha256": "0" * 64, "error": "it broke"}
    return Rehearsal.objects.create(
        file=MigrationFile.objects.get(),
        run=run,
        operation=f"{timezone.now():%H%M%S%f}",
        requested_by=by,
        **fields,
        **more,
    )


@pytest.mark.parametrize("status", ["passed", "unable"])
def test_only_a_failure_speaks_against_votes(status: str, asked: Operation, run: Run) -> None:
    rehearsal(run, status)

    approve(asked, by=approver("ben"))

    assert asked.approvals.count() == 1


def test_nobody_votes_for_what_failed_until_a_second_person_waives_it(asked: Operation, run: Run) -> None:
    ben, row = approver("ben"), rehearsal(run)
    with pytest.raises(Refused, match=r"Its rehearsal failed at .* and nobody waived that: it broke"):
        approve(asked, by=ben)

    waive(row, reason="the copy lacks the partner's data", by=ben)
    approve(asked, by=ben)

    assert asked.approvals.count() == 1
    assert Entry.objects.filter(code="migrations_registry.rehearsal.waived", actor="ben").exists()


def test_a_refusal_is_always_possible(asked: Operation, run: Run) -> None:
    rehearsal(run)

    voting.reject(asked, by=approver("ben"), comment="no")

    asked.refresh_from_db()
    assert asked.status == "rejected"


def test_whoever_asked_for_anything_does_not_waive(asked: Operation, run: Run, ana: User) -> None:
    rehearsed_by_ben, ben = rehearsal(run, by="ben"), person("ben")
    with pytest.raises(Refused, match="somebody else must waive"):
        waive(rehearsed_by_ben, reason="x", by=ben)
    with pytest.raises(IntegrityError), transaction.atomic():
        Rehearsal.objects.update(waived_by="ben", waived_at=timezone.now(), waiver="x")
    waive(rehearsed_by_ben, reason="x", by=ana)
    with pytest.raises(Refused, match="whoever requested it waived that"):
        approve(asked, by=approver("cleo"))


def test_waiving_needs_the_right_and_a_reason_and_a_failure(run: Run) -> None:
    row, passed = rehearsal(run), rehearsal(run, "passed")
    with pytest.raises(PermissionDenied):
        waive(row, reason="x", by=person("dora", is_superuser=False))
    with pytest.raises(Refused, match="Say why"):
        waive(row, reason=" ", by=person("ben"))
    with pytest.raises(Refused, match="did not fail"):
        waive(passed, reason="x", by=User.objects.get(username="ben"))


def test_the_first_waiver_stays(run: Run) -> None:
    row, ben, cleo = rehearsal(run), approver("ben"), approver("cleo")
    waive(row, reason="the copy lacks the partner's data", by=ben)

    with pytest.raises(Refused, match="was waived already"):
        waive(row, reason="me too", by=cleo)

    row.refresh_from_db()
    assert (row.waived_by, row.waiver) == ("ben", "the copy lacks the partner's data")


def test_a_request_that_waits_is_rehearsed_once_by_itself(
    asked: Operation, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", "postgresql://nobody@127.0.0.1:9/none")
    monkeypatch.setattr("operations.engine.request.identify", lambda *_: None)
    monkeypatch.setattr("operations.engine.request.bound_to", lambda *_: {})

    rehearse_requests()
    rehearse_requests()

    (own,) = Operation.objects.filter(kind="migrations.rehearse")
    assert (own.requested_by.username, own.parameters) == ("system", asked.parameters)


@pytest.mark.parametrize("more", [{}, {"streams": "all"}])
def test_a_path_of_every_stream_is_rehearsed_as_one(
    more: dict[str, str], asked: Operation, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted: list[dict[str, str]] = []
    monkeypatch.setattr(automatic, "request", lambda *_, parameters, **__: wanted.append(parameters))
    path = Operation(kind="migrations.path", environment=asked.environment, requested_at=timezone.now())
    path.parameters = {
        **more,
        "file": "x",
        "acts": [{"parameters": {"stream": "supabase"}}, {"parameters": {"file": "x"}}],
    }

    automatic.rehearse_for(path)

    assert wanted == [{"file": "x", **more}]


@pytest.mark.parametrize("change", [{"protected": False}, {"slug": "elsewhere"}])
def test_others_are_not(change: dict[str, Any], asked: Operation, run: Run) -> None:
    if "slug" in change:
        run.policy.environment = Environment.objects.create(slug="elsewhere", kind="staging")
        run.policy.save()
    else:
        Environment.objects.update(**change)

    rehearse_requests()

    assert not Operation.objects.filter(kind="migrations.rehearse").exists()


def test_the_review_shows_what_was_read_whole_beside_what_was_written_anew(run: Run, client: Client) -> None:
    line = {"line": 1, "lock": "SHARE", "claimed": "SHARE", "locks": ["public.a: SHARE"], "rewritten": [], "seconds": 1}
    line |= {"scanned": ["public.read_whole"], "forecast_seconds": 2, "wal_bytes": 10, "disagreements": []}
    report = {"statements": [line], "effects": {"0": [{"said": "index i added"}]}, "blocked_seconds": 2}
    row = rehearsal(run, "passed", report=report)
    client.force_login(person("dora"))

    page = client.get(
        reverse("admin:migrations_registry_migrationfile_change", args=[row.file.pk]), {"environment": "production"}
    )

    for told in ("public.read_whole", "1 measured effect<", "Nobody could write to public.a for about 2 s"):
        assert told in page.content.decode()
