"""What a file declares is shown to those who decide, with what the target adds; what is taken along is kept first."""

from __future__ import annotations

from io import StringIO

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from migrations_registry.models import MigrationFile
from migrations_registry.services.declared_effects import declared_here
from migrations_registry.services.planning import review
from operations.engine.request import request
from operations.models import Environment, Operation
from tests.migrations_registry.applying import Act, add_supabase

pytestmark = pytest.mark.django_db(transaction=True)
SHOP = """
CREATE TABLE orders (id int PRIMARY KEY, state text);
CREATE TABLE lines (id int, order_id int REFERENCES orders ON DELETE CASCADE);
CREATE TABLE stock (id int, n int);
CREATE VIEW open_orders AS SELECT id FROM orders;
CREATE FUNCTION restock() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.stock; RETURN NULL; END $$;
CREATE TRIGGER restock AFTER DELETE ON lines FOR EACH ROW EXECUTE FUNCTION restock();
INSERT INTO orders SELECT g, CASE WHEN g < 13 THEN 'old' ELSE 'new' END FROM generate_series(1, 40) g;
INSERT INTO lines SELECT g, 1 + g % 40 FROM generate_series(1, 80) g;
INSERT INTO stock SELECT g, g FROM generate_series(1, 7) g;
ANALYZE orders, lines, stock;
"""
TEXT = "DELETE FROM orders WHERE state = 'old';\nDROP VIEW open_orders CASCADE;\nNOTIFY shop, 'changed';"


@pytest.fixture
def shop(dsns: dict[str, str]) -> None:
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute(f"SET search_path = public; {SHOP}")
        admin.execute("CREATE VIEW more AS SELECT * FROM open_orders")
        for table in ("orders", "lines", "stock"):
            admin.execute(f"ALTER TABLE {table} OWNER TO sampelit_migration".encode())
        admin.execute("ALTER VIEW open_orders OWNER TO sampelit_migration; ALTER VIEW more OWNER TO sampelit_migration")


@pytest.fixture
def file(shop: None, baselined: Environment) -> MigrationFile:
    return add_supabase(2, TEXT)


@pytest.fixture
def waiting(file: MigrationFile, baselined: Environment, ana: User) -> Operation:
    baselined.votes_destructive = 2
    baselined.save()
    parameters = {"file": file.sha256}
    return request("migrations.apply", by=ana, environment=baselined, parameters=parameters, reason="test")


SAID = [
    "deletes rows of public.orders",
    "line 1",
    "12 of about 40",
    "deletes rows of public.lines",
    "line 1, by its foreign key",
    "deletes rows of public.stock",
    "line 1, by trigger restock of public.lines",
    "of about 7",
    "drops public.open_orders",
    "Goes along with CASCADE: view public.more",
    "Not measured before COMMIT: line 3 sends a notification at COMMIT",
]


def test_the_review_shows_what_is_declared(file: MigrationFile, client: Client, ana: User) -> None:
    client.force_login(ana)
    page = client.get(f"/admin/migrations_registry/migrationfile/{file.pk}/change/?environment=production")
    assert [each for each in SAID if each not in page.content.decode()] == []


@pytest.mark.parametrize(("name", "more"), [("operations_act", ["approve"]), ("operations_operation_change", [])])
def test_the_vote_shows_it_too(name: str, more: list[str], waiting: Operation, client: Client) -> None:
    client.force_login(User.objects.create_superuser("vera", password="x"))
    page = client.get(reverse(f"admin:{name}", args=[waiting.pk, *more])).content.decode()
    lines = ("deletes rows of public.orders (12 of about 40): line 1", "by trigger restock of public.lines", *SAID[-2:])
    assert [each for each in lines if each not in page] == []


def test_the_shell_prints_it(waiting: Operation) -> None:
    out = StringIO()
    call_command("ops", "show", waiting.pk, "--as", "ana", stdout=out)
    assert (
        "what it does: Declares: deletes rows of public.stock (of about 7): line 1, by trigger restock"
        in out.getvalue()
    )


def test_what_a_trigger_takes_is_kept_first(file: MigrationFile, baselined: Environment) -> None:
    """Its table is in the restore point, although no statement names it."""
    assert {table.qualified for table in review(file, baselined).reached} == {
        "public.orders",
        "public.lines",
        "public.stock",
    }


def test_what_the_votes_do_not_reach_is_not_declared(shop: None, baselined: Environment) -> None:
    reviewed = review(add_supabase(2, "INSERT INTO orders VALUES (99, 'new')"), baselined)
    assert [str(line) for line in declared_here(reviewed).lines] == ["adds rows to public.orders: line 1"]


def test_a_loss_that_no_rule_places_gets_a_restore_point_of_everything(
    shop: None, baselined: Environment, act: Act
) -> None:
    file = add_supabase(2, "CREATE TEMP TABLE stock (id integer); DELETE FROM public.stock WHERE id = 3")
    MigrationFile.objects.filter(pk=file.pk).update(measured_losses=["deleted 1 row of public.lines"])
    file.refresh_from_db()

    reviewed = review(file, baselined)

    assert reviewed.plan.risk == "destructive"
    assert reviewed.plan.restore_point
    assert {"public.stock", "public.lines", "public.orders", "public.assignments"} <= {
        table.qualified for table in reviewed.reached
    }


def test_an_opaque_file_gets_one_of_everything_too(shop: None, baselined: Environment) -> None:
    reviewed = review(add_supabase(2, "DO $$ BEGIN EXECUTE current_setting('x'); END $$"), baselined)
    assert {"public.stock", "public.assignments"} <= {table.qualified for table in reviewed.reached}
    assert "runs what nobody can follow" in declared_here(reviewed).remarks[0]


def test_without_a_target_it_says_what_is_missing(file: MigrationFile, bare: Environment) -> None:
    found = declared_here(review(file, bare))
    assert "deletes rows of public.orders: line 1" in [str(line) for line in found.lines]
    assert "what its own triggers, rules and keys add is not listed" in found.remarks[-1]


@pytest.fixture
def bare(db: None) -> Environment:
    return Environment.objects.create(slug="nowhere", name="Nowhere", kind="staging")
