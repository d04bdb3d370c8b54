"""Pages, waivers, rules, live facts and commands of the registry."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from migrations_registry.models import MigrationFile, RulePolicy, Waiver
from migrations_registry.services.planning import review
from migrations_registry.services.waivers import propose
from operations.models import Environment, Status
from providers.errors import ProviderError, Refused
from sampelit_ops.demo import migrations
from tests import factories
from tests.people import holder
from tests.registering import BAD, CALM, registered
from tests.stepping import agree, request

pytestmark = pytest.mark.django_db


def test_pages(bare_production: Environment, operator: User, client: Client) -> None:
    registered(CALM)
    file = registered(BAD)
    client.force_login(operator)

    listed = client.get(reverse("admin:migrations_registry_migrationfile_changelist"))
    shown = client.get(reverse("admin:migrations_registry_migrationfile_change", args=[file.pk]))
    upload = client.get(reverse("admin:migrations_upload"))

    assert [response.status_code for response in (listed, shown, upload)] == [200, 200, 200]
    text = shown.content.decode()
    assert "MD-DROP-COLUMN" in text
    assert "Since revision 1" in text
    assert "Judged without live facts" in text
    assert 'class="line bad"' in text


def test_analyze_sql_with_an_environment(
    bare_production: Environment,
    proof_dsn: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "a.sql").write_text("ALTER TABLE orders ALTER COLUMN code TYPE varchar(80)")
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", proof_dsn)

    call_command("analyze_sql", str(tmp_path / "a.sql"), "--environment", "production", "--format", "json")

    assert json.loads(capsys.readouterr().out)["risk"] == "routine"
    with pytest.raises(CommandError, match="no environment 'nowhere'"):
        call_command("analyze_sql", str(tmp_path / "a.sql"), "--environment", "nowhere")


def test_discover_registers_for_an_environment(bare_production: Environment, tmp_path: Path) -> None:
    (tmp_path / "schema_a.sql").write_bytes(CALM)

    call_command("discover_migrations", str(tmp_path), "--environment", "production")
    call_command("discover_migrations", str(tmp_path), "--environment", "production")

    assert [(file.path, file.discovered_by) for file in MigrationFile.objects.all()] == [("schema_a.sql", "system")]


def test_the_demo_registers_its_files_once() -> None:
    assert (migrations.register(), migrations.register()) == (3, 0)
    assert [file.risk for file in MigrationFile.objects.order_by("position")] == ["routine", "sensitive", "destructive"]


def test_rules_change_only_by_an_operation(bare_production: Environment) -> None:
    admin = holder("admin", "change_rules")

    operation = request(
        "migrations.change_rules",
        by=admin,
        environment=bare_production,
        parameters={"rows": "5000", "severities": '{"ML-ADD-COLUMN": "data"}'},
    )

    assert (operation.risk, operation.status) == ("sensitive", Status.AWAITING_APPROVAL)
    for bad in (
        {"rows": "-1"},
        {"severities": "["},
        {"severities": '{"X": "data"}'},
        {"severities": '{"MP-UNPARSED": "data"}'},
    ):
        with pytest.raises(Refused):
            request("migrations.change_rules", by=admin, environment=bare_production, parameters=bad)


def test_a_waiver_needs_a_reason_and_somebody_else(operator: User) -> None:
    file = registered(BAD)

    with pytest.raises(Refused, match="reason"):
        propose(file, "MD-DROP-COLUMN", 2, reason=" ", by=operator)
    with pytest.raises(Refused, match="no finding"):
        propose(file, "MD-DROP-TABLE", 2, reason="x", by=operator)
    waiver = propose(file, "MD-DROP-COLUMN", 2, reason="empty", by=operator)
    with pytest.raises(Refused, match="somebody else"):
        agree(waiver, by=operator)
    with pytest.raises(IntegrityError, match="second_person"), transaction.atomic():
        Waiver.objects.filter(pk=waiver.pk).update(approved_by=operator.username, approved_at=waiver.requested_at)
    with pytest.raises(PermissionDenied):
        agree(waiver, by=holder("viewer"))


def test_a_waiver_is_approved_once_and_alone(operator: User) -> None:
    file, second = registered(BAD), holder("second", "approve_waiver")
    other_file = registered(BAD, "migration_02_b.sql")
    waiver, other = (propose(each, "MD-DROP-COLUMN", 2, reason="empty", by=operator) for each in (file, other_file))

    agree(waiver, by=second)

    with pytest.raises(Refused, match="approved already"):
        agree(waiver, by=holder("third", "approve_waiver"))
    assert Waiver.objects.get(pk=waiver.pk).approved_by == "second"
    assert Waiver.objects.get(pk=other.pk).approved_by == ""


def test_live_facts_sharpen_the_judgement(
    bare_production: Environment, proof_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_MIGRATION_DSN", proof_dsn)
    wider = registered(b"ALTER TABLE orders ALTER COLUMN code TYPE varchar(80)")
    dropped = registered(b"DROP TABLE lines", "migration_02_b.sql")

    assert review(wider, bare_production).plan.risk == "routine"
    assert review(wider, bare_production, live=False).plan.risk == "sensitive"
    loss = review(dropped, bare_production).plan.losses[0]
    assert (loss.line, loss.rows) == (1, 200)
    RulePolicy.objects.create(version=1, created_by="admin", rows=100)
    index = registered(b"CREATE INDEX ON orders (note)", "migration_03_c.sql")
    assert review(index, bare_production).plan.risk == "destructive"
    assert review(index, bare_production, live=False).plan.risk == "sensitive"


def test_the_list_says_where_each_file_stands_and_what_is_asked_within_twelve_queries(client: Client) -> None:
    world = factories.world()
    client.force_login(world.everything)
    address = reverse("admin:migrations_registry_migrationfile_changelist")
    client.get(address)

    with CaptureQueriesContext(connection) as asked:
        text = re.sub(r"<[^>]+>|\s+", " ", client.get(address).text)
    said = re.sub(r"\s+", " ", text)

    assert "production ✓ Applied" in said
    assert "staging – Not read" in said
    assert "asked on production ! Awaiting approval" in said
    assert len(asked) <= 12


def test_a_page_waits_once_for_a_database_that_nobody_reaches(
    bare_production: Environment, operator: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = registered(BAD)
    client.force_login(operator)
    asked: list[str] = []

    def refuse(dsn: str, **_: object) -> None:
        asked.append(dsn)
        raise ProviderError("The database did not accept the connection.")

    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", "postgresql://r@10.0.0.1/nobody")
    monkeypatch.setattr("providers.postgres.connect", refuse)

    pages = [client.get(reverse("admin:migrations_registry_migrationfile_change", args=[row.pk])) for _ in range(3)]

    assert [page.status_code for page in pages] == [200] * 3
    assert "did not accept the connection" in pages[2].content.decode()
    assert len(asked) == 1
