"""Registered contents, plans, waivers, policies and the operation that asks to apply a file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from ledger.services import verify
from migrations_registry.discovery import Found
from migrations_registry.kinds.apply import preflight
from migrations_registry.models import MigrationFile, RulePolicy, Waiver
from migrations_registry.services.planning import review
from migrations_registry.services.registration import register_files
from migrations_registry.services.waivers import approve, propose
from operations.approvals.voting import approve as vote
from operations.engine.accept import accept
from operations.engine.claim import claim
from operations.engine.request import request
from operations.models import Environment, Operation, Status
from providers.errors import Refused
from sampelit_ops.demo import migrations

pytestmark = pytest.mark.django_db
CALM, BAD = b"ALTER TABLE orders ADD COLUMN x int;\n", b"-- old\nALTER TABLE orders DROP COLUMN note;\n"


def found(data: bytes, path: str = "migration_01_a.sql") -> Found:
    """A discovered file."""
    return Found(path, hashlib.sha256(data).hexdigest(), "migration", "01", data)


def registered(data: bytes, path: str = "migration_01_a.sql") -> MigrationFile:
    """A registered content."""
    register_files([found(data, path)], source="test", by="operator")
    return MigrationFile.objects.get(path=path, sha256=hashlib.sha256(data).hexdigest())


@pytest.fixture
def production() -> Environment:
    return Environment.objects.create(slug="production", name="Production", kind="production", protected=True)


def person(name: str, *codenames: str) -> User:
    user = User.objects.create(username=name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return User.objects.get(pk=user.pk)


@pytest.fixture
def operator() -> User:
    return person("operator", "apply_migrationfile", "request_operation", "waive_finding", "view_migrationfile",
                  "register_migrationfile", "approve_operation", "approve_waiver")  # fmt: skip


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
        MigrationFile.objects.create(path="x", sha256="0" * 64, stream="schema", version="x", revision=1, position=1,
                                     content=b"y", size_bytes=1, source="", risk="routine", ruleset="r")  # fmt: skip


def test_a_destructive_file_waits_for_two_other_people(production: Environment, operator: User) -> None:
    file = registered(BAD)

    operation = request("migrations.apply", by=operator, environment=production, parameters={"file": file.sha256[:12]})

    assert (operation.status, operation.risk, operation.approvals_required) == (
        Status.AWAITING_APPROVAL,
        "destructive",
        2,
    )
    assert operation.parameters == {"file": file.sha256}
    with pytest.raises((Refused, PermissionDenied)):
        vote(operation, by=operator)
    for name in ("approver", "approver2"):
        vote(operation, by=person(name, "approve_operation"))
    operation.refresh_from_db()
    assert operation.status == Status.QUEUED


@pytest.mark.parametrize("change", ["new bytes", "rules"])
def test_an_approved_request_expires_when_what_it_bound_changed(
    production: Environment, operator: User, change: str
) -> None:
    file = registered(BAD)
    operation = request("migrations.apply", by=operator, environment=production, parameters={"file": file.sha256})
    for name in ("approver", "approver2"):
        vote(operation, by=person(name, "approve_operation"))

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


def test_live_facts_sharpen_the_judgement(
    production: Environment, proof_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", proof_dsn)
    wider = registered(b"ALTER TABLE orders ALTER COLUMN code TYPE varchar(80)")
    dropped = registered(b"DROP TABLE lines", "migration_02_b.sql")

    assert review(wider, production).plan.risk == "routine"
    assert review(wider, production, live=False).plan.risk == "sensitive"
    loss = review(dropped, production).plan.losses[0]
    assert (loss.line, loss.rows) == (1, 200)
    RulePolicy.objects.create(version=1, created_by="admin", rows=100)
    index = registered(b"CREATE INDEX ON orders (note)", "migration_03_c.sql")
    assert review(index, production).plan.risk == "destructive"
    assert review(index, production, live=False).plan.risk == "sensitive"


def test_a_routine_file_needs_nobody(production: Environment, operator: User) -> None:
    operation = request(
        "migrations.apply", by=operator, environment=production, parameters={"file": registered(CALM).sha256}
    )

    assert (operation.risk, operation.status) == ("routine", Status.QUEUED)


def test_requests_that_are_refused(production: Environment, operator: User) -> None:
    old, _ = registered(CALM), registered(BAD)
    dark = registered(b"DROP TABEL x", "migration_02_b.sql")

    for sha256, why in ((old.sha256, "newer revision"), (dark.sha256, "grammar refuses"), ("f" * 64, "No registered")):
        with pytest.raises(Refused, match=why):
            request("migrations.apply", by=operator, environment=production, parameters={"file": sha256})
    with pytest.raises(PermissionDenied):
        request("migrations.apply", by=person("viewer"), environment=production, parameters={"file": dark.sha256})
    assert not Operation.objects.exists()


def test_preflight_refuses_while_the_stream_is_not_baselined(production: Environment) -> None:
    class Context:
        parameters = {"file": registered(CALM).sha256}
        environment = production

    with pytest.raises(Refused, match="not baselined on production, nothing was changed"):
        preflight(Context())  # type: ignore[arg-type]


def test_content_binds_bytes_target_policy_and_waivers(production: Environment, operator: User) -> None:
    file = registered(BAD)
    staging = Environment.objects.create(slug="staging", name="Staging")
    before = review(file, production).content

    assert review(file, production).content == before
    assert review(file, staging).content != before
    waiver = propose(file, "MD-DROP-COLUMN", 2, reason="empty since 2024", by=operator)
    assert review(file, production).content == before
    approve(waiver, by=person("second", "approve_waiver"))
    waived = review(file, production)
    assert waived.content != before
    assert waived.plan.risk == "routine"
    RulePolicy.objects.create(version=1, created_by="admin", severities={"ML-ADD-COLUMN": "data"})
    assert review(file, production).content != waived.content


def test_a_waiver_needs_a_reason_and_somebody_else(operator: User) -> None:
    file = registered(BAD)

    with pytest.raises(Refused, match="reason"):
        propose(file, "MD-DROP-COLUMN", 2, reason=" ", by=operator)
    with pytest.raises(Refused, match="no finding"):
        propose(file, "MD-DROP-TABLE", 2, reason="x", by=operator)
    waiver = propose(file, "MD-DROP-COLUMN", 2, reason="empty", by=operator)
    with pytest.raises(Refused, match="somebody else"):
        approve(waiver, by=operator)
    with pytest.raises(IntegrityError, match="second_person"), transaction.atomic():
        Waiver.objects.filter(pk=waiver.pk).update(approved_by=operator.username, approved_at=waiver.requested_at)
    with pytest.raises(PermissionDenied):
        approve(waiver, by=person("viewer"))


def test_rules_change_only_by_an_operation(production: Environment) -> None:
    admin = person("admin", "change_rules")

    operation = request("migrations.change_rules", by=admin, environment=production,
                        parameters={"rows": "5000", "severities": '{"ML-ADD-COLUMN": "data"}'})  # fmt: skip

    assert (operation.risk, operation.status) == ("sensitive", Status.AWAITING_APPROVAL)
    for bad in (
        {"rows": "-1"},
        {"severities": "["},
        {"severities": '{"X": "data"}'},
        {"severities": '{"MP-UNPARSED": "data"}'},
    ):
        with pytest.raises(Refused):
            request("migrations.change_rules", by=admin, environment=production, parameters=bad)


def test_pages(production: Environment, operator: User, client: Client) -> None:
    registered(CALM)
    file = registered(BAD)
    client.force_login(operator)

    listed = client.get(reverse("admin:migrations_registry_migrationfile_changelist"))
    shown = client.get(reverse("admin:migrations_registry_migrationfile_change", args=[file.pk]))
    upload = client.get(reverse("admin:migrations_upload"))

    assert [each.status_code for each in (listed, shown, upload)] == [200, 200, 200]
    text = shown.content.decode()
    assert "MD-DROP-COLUMN" in text
    assert "Since revision 1" in text
    assert "Judged without live facts" in text
    assert 'class="line bad"' in text


def test_upload_registers_and_says_what_it_refused(operator: User, client: Client) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    client.force_login(operator)
    place = reverse("admin:migrations_upload")

    good = client.post(place, {"upload": SimpleUploadedFile("schema_a.sql", CALM)})
    bad = client.post(place, {"upload": SimpleUploadedFile("schema_b.sql", b"SELECT 1;\n\\i x")})
    none = client.post(place, {"upload": SimpleUploadedFile("notes.txt", b"x")})

    assert good.status_code == 302
    assert "schema_b.sql:2" in bad.content.decode()
    assert "no readable zip" in none.content.decode()
    assert [file.path for file in MigrationFile.objects.all()] == ["schema_a.sql"]


def test_the_shell_of_the_database_cannot_cheat(production: Environment) -> None:
    registered(CALM)

    with pytest.raises(DatabaseError, match="never changes"), connection.cursor() as cursor:
        cursor.execute("UPDATE migrations_registry_migrationfile SET path = 'other.sql'")


def test_analyze_sql_with_an_environment(
    production: Environment,
    proof_dsn: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "a.sql").write_text("ALTER TABLE orders ALTER COLUMN code TYPE varchar(80)")
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", proof_dsn)

    call_command("analyze_sql", str(tmp_path / "a.sql"), "--environment", "production", "--format", "json")

    assert json.loads(capsys.readouterr().out)["risk"] == "routine"
    with pytest.raises(CommandError, match="no environment nowhere"):
        call_command("analyze_sql", str(tmp_path / "a.sql"), "--environment", "nowhere")


def test_discover_registers_for_an_environment(production: Environment, tmp_path: Path) -> None:
    (tmp_path / "schema_a.sql").write_bytes(CALM)

    call_command("discover_migrations", str(tmp_path), "--environment", "production")
    call_command("discover_migrations", str(tmp_path), "--environment", "production")

    assert [(file.path, file.discovered_by) for file in MigrationFile.objects.all()] == [("schema_a.sql", "system")]


def test_the_demo_registers_its_files_once() -> None:
    assert (migrations.register(), migrations.register()) == (3, 0)
    assert [file.risk for file in MigrationFile.objects.order_by("position")] == ["routine", "sensitive", "destructive"]
