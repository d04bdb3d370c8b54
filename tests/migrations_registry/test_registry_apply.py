"""Registered contents, and the operation that asks to apply one: votes, digests, refusals."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, connection, transaction

from ledger.services import verify
from migrations_registry.kinds.apply import find, preflight
from migrations_registry.models import MigrationFile, RulePolicy
from migrations_registry.services.planning import review
from migrations_registry.services.waivers import propose
from operations.engine.claim import claim
from operations.engine.claim_checks import accept
from operations.engine.request import request
from operations.models import Environment, Operation, Status
from providers.errors import Refused
from tests.people import holder
from tests.registering import BAD, CALM, registered
from tests.stepping import agree
from tests.stepping import approve as vote

pytestmark = pytest.mark.django_db


def test_new_bytes_are_a_new_revision() -> None:
    first, again, second = registered(CALM), registered(CALM), registered(BAD)

    assert first == again
    assert (second.revision, second.previous) == (2, first)
    assert (first.risk, second.risk) == ("routine", "destructive")
    assert second.findings.filter(rule="MD-DROP-COLUMN", line=2).exists()
    assert list(MigrationFile.objects.newest()) == [second]
    assert verify().valid


def test_the_database_refuses_to_rewrite_a_content() -> None:
    file = registered(CALM)

    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        MigrationFile.objects.filter(pk=file.pk).update(content=BAD)
    with pytest.raises(IntegrityError, match="sha256_of_content"), transaction.atomic():
        MigrationFile.objects.create(
            path="x",
            sha256="0" * 64,
            stream="schema",
            version="x",
            revision=1,
            position=1,
            content=b"y",
            size_bytes=1,
            source="",
            risk="routine",
            ruleset="r",
        )


def test_a_destructive_file_waits_for_two_other_people(bare_production: Environment, operator: User) -> None:
    file = registered(BAD)

    operation = request(
        "migrations.apply", by=operator, environment=bare_production, parameters={"file": file.sha256[:12]}
    )

    assert (operation.status, operation.risk, operation.approvals_required) == (
        Status.AWAITING_APPROVAL,
        "destructive",
        2,
    )
    assert operation.parameters == {"file": file.sha256}
    with pytest.raises((Refused, PermissionDenied)):
        vote(operation, by=operator)
    for name in ("approver", "approver2"):
        vote(operation, by=holder(name, "approve_operation"))
    operation.refresh_from_db()
    assert operation.status == Status.QUEUED


@pytest.mark.parametrize("change", ["new bytes", "rules"])
def test_an_approved_request_expires_when_what_it_bound_changed(
    bare_production: Environment, operator: User, change: str
) -> None:
    file = registered(BAD)
    operation = request("migrations.apply", by=operator, environment=bare_production, parameters={"file": file.sha256})
    for name in ("approver", "approver2"):
        vote(operation, by=holder(name, "approve_operation"))

    if change == "rules":
        RulePolicy.objects.create(version=1, created_by="admin")
    else:
        registered(CALM)
    lease = claim(operation.pk, "worker")

    assert lease is not None
    assert accept(lease) is None
    operation.refresh_from_db()
    assert operation.status == Status.EXPIRED
    assert "changed since it was asked" in operation.error


def test_a_routine_file_needs_nobody(bare_production: Environment, operator: User) -> None:
    operation = request(
        "migrations.apply", by=operator, environment=bare_production, parameters={"file": registered(CALM).sha256}
    )

    assert (operation.risk, operation.status) == ("routine", Status.QUEUED)


def test_a_file_is_asked_for_by_what_names_one_alone() -> None:
    """By path or name the newest revision; what is kept with the request is the digest of its bytes."""
    old, new = registered(CALM, "db/a.sql"), registered(BAD, "db/a.sql")
    registered(b"SELECT 1;", "other/b.sql")
    registered(b"SELECT 2;", "db/b.sql")

    assert [find(given) for given in ("db/a.sql", "a.sql", new.sha256[:8], old.sha256)] == [new, new, new, old]
    for given, why in {
        "b.sql": "several migrations.*db/b.sql: .*other/b.sql: ",
        ".sql": "No registered",
        "%.sql": "No registered",
        "sql": "No registered",
        "": "No registered",
    }.items():
        with pytest.raises(Refused, match=why):
            find(given)


def test_requests_that_are_refused(bare_production: Environment, operator: User) -> None:
    old, _ = registered(CALM), registered(BAD)
    dark = registered(b"DROP TABEL x", "migration_02_b.sql")

    for sha256, why in ((old.sha256, "newer revision"), (dark.sha256, "cannot be read"), ("f" * 64, "No registered")):
        with pytest.raises(Refused, match=why):
            request("migrations.apply", by=operator, environment=bare_production, parameters={"file": sha256})
    with pytest.raises(PermissionDenied):
        request("migrations.apply", by=holder("viewer"), environment=bare_production, parameters={"file": dark.sha256})
    assert not Operation.objects.exists()


def test_preflight_refuses_while_the_stream_is_not_baselined(bare_production: Environment) -> None:
    class Context:
        parameters = {"file": registered(CALM).sha256}
        environment = bare_production

    with pytest.raises(Refused, match="not baselined on production, nothing was changed"):
        preflight(Context())  # type: ignore[arg-type]


def test_content_binds_bytes_target_policy_and_waivers(bare_production: Environment, operator: User) -> None:
    file = registered(BAD)
    staging = Environment.objects.create(slug="staging", name="Staging")
    before = review(file, bare_production).content

    assert review(file, bare_production).content == before
    assert review(file, staging).content != before
    waiver = propose(file, "MD-DROP-COLUMN", 2, reason="empty since 2024", by=operator)
    assert review(file, bare_production).content == before
    agree(waiver, by=holder("second", "approve_waiver"))
    waived = review(file, bare_production)
    assert waived.content != before
    assert waived.plan.risk == "destructive"
    RulePolicy.objects.create(version=1, created_by="admin", severities={"ML-ADD-COLUMN": "data"})
    assert review(file, bare_production).content != waived.content


def test_the_shell_of_the_database_cannot_cheat(bare_production: Environment) -> None:
    registered(CALM)

    with pytest.raises(DatabaseError, match="never changes"), connection.cursor() as cursor:
        cursor.execute("UPDATE migrations_registry_migrationfile SET path = 'other.sql'")
