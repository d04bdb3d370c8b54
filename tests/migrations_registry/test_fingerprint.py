"""Each single change behind the portal's back is found and named; each rewrite that means nothing is not reported."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from migrations_registry.fingerprint import Fingerprint, canonical, compare
from migrations_registry.fingerprint.model import from_json, of_rows
from providers import postgres
from providers.embedded_postgres.server import bin_dir
from providers.postgres.connection import Connection
from providers.postgres.schema.objects import objects_in_transaction, read_objects
from tests import portal_database
from tests.migrations_registry.fingerprint_changes import MUTATIONS, NOTHINGS

SCHEMA = Path(__file__).with_name("fingerprint_schema.sql")


def fingerprint(dsn: str) -> Fingerprint:
    with postgres.connect(dsn) as connection:
        return of_rows((row.kind, row.name, row.of, row.sql) for row in read_objects(connection))


def execute(dsn: str, text: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET allow_system_table_mods = on")
        for statement in text.split("; ") if "$$" not in text else [text]:
            connection.execute(statement)


@pytest.fixture(scope="module")
def rich(sampelit_template: str) -> Iterator[str]:
    """A template database with one object of every kind."""
    name = f"rich_{uuid4().hex[:12]}"
    portal_database.server.create_database(name, template=sampelit_template)
    with psycopg.connect(portal_database.server.dsn(name), autocommit=True) as connection:
        connection.execute(SCHEMA.read_text())
    yield name
    portal_database.server.drop_database(name)


@pytest.fixture(scope="module")
def before(rich: str) -> Fingerprint:
    return fingerprint(portal_database.server.dsn(rich))


@pytest.fixture(scope="module")
def shared(rich: str) -> Iterator[Connection]:
    """A superuser's session on one copy; whoever uses it rolls back."""
    name = f"rich_{uuid4().hex[:12]}"
    portal_database.server.create_database(name, template=rich)
    with postgres.connect(portal_database.server.dsn(name), read_only=False) as connection:
        connection.execute("SET allow_system_table_mods = on")
        yield connection
    portal_database.server.drop_database(name)


@pytest.fixture
def copy(rich: str) -> Iterator[str]:
    """A DSN, as superuser, of a copy to spoil."""
    name = f"rich_{uuid4().hex[:12]}"
    portal_database.server.create_database(name, template=rich)
    yield portal_database.server.dsn(name)
    portal_database.server.drop_database(name)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("text", "named"), MUTATIONS, ids=[text[:60] for text, _ in MUTATIONS])
def test_a_single_change_is_found_and_named(
    shared: Connection, before: Fingerprint, text: str, named: str | None
) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute("SET LOCAL search_path = public")
        for statement in text.split("; ") if "$$" not in text else [text]:
            shared.execute(statement)
        shared.execute("SET LOCAL search_path = pg_catalog")
        after = of_rows((row.kind, row.name, row.of, row.sql) for row in objects_in_transaction(shared))
    changes = compare(before, after)
    assert changes
    if named:
        assert named in [str(change) for change in changes]
        assert len(changes) <= 3


def test_rewrites_that_mean_nothing_are_not_reported(copy: str, before: Fingerprint) -> None:
    for text in NOTHINGS:
        execute(copy, text)
        assert [str(change) for change in compare(before, fingerprint(copy))] == [], text


def test_a_dump_restored_with_other_oids_is_the_same_schema(copy: str, before: Fingerprint) -> None:
    name = f"restored_{uuid4().hex[:12]}"
    portal_database.server.create_database(name)
    target = portal_database.server.dsn(name)
    execute(
        target,
        "CREATE TABLE eats_numbers (id integer); DROP TABLE eats_numbers; CREATE SCHEMA filler; DROP SCHEMA filler",
    )
    dump = subprocess.run([bin_dir() / "pg_dump", copy], check=True, capture_output=True).stdout
    subprocess.run(
        [bin_dir() / "psql", "-q", "-v", "ON_ERROR_STOP=1", target], input=dump, check=True, capture_output=True
    )
    again = fingerprint(target)
    portal_database.server.drop_database(name)
    assert [(str(change), change.before, change.after) for change in compare(before, again)] == []


@pytest.mark.parametrize("setting", ["quote_all_identifiers = on", "standard_conforming_strings = off"])
def test_a_setting_of_the_database_changes_no_words(shared: Connection, before: Fingerprint, setting: str) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute(f"SET LOCAL {setting}".encode())
        after = of_rows((row.kind, row.name, row.of, row.sql) for row in objects_in_transaction(shared))
        name = setting.partition(" ")[0]
        kept = shared.execute("SELECT current_setting(%s)", [name]).fetchone()

    assert compare(before, after) == []
    assert kept == (setting.rpartition(" ")[2],)


def test_an_index_that_was_repaired_is_no_change(shared: Connection, before: Fingerprint) -> None:
    with shared.transaction(force_rollback=True):
        shared.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.idx_audit_visitor'::regclass")
        broken = of_rows((row.kind, row.name, row.of, row.sql) for row in objects_in_transaction(shared))

    assert compare(broken, before) == []
    assert [str(change) for change in compare(before, broken)] == ["index public.idx_audit_visitor changed"]


@pytest.mark.parametrize("reading", [1, 2])
def test_a_reading_by_a_release_before_is_compared_by_what_it_read(before: Fingerprint, reading: int) -> None:
    earlier = from_json(before.as_of(reading).as_json())

    assert earlier.generation == reading
    assert compare(earlier, before) == []
    lost = of_rows(
        (item.kind, item.name, item.of, item.sql) for item in before.objects if item.name != "public.things_open"
    )
    assert [str(change) for change in compare(earlier, lost)] == ["index public.things_open removed"]


def test_a_table_that_came_is_told_with_all_that_belongs_to_it(copy: str, before: Fingerprint) -> None:
    execute(copy, "CREATE TABLE shadow (id integer PRIMARY KEY, note text DEFAULT 'n')")
    changes = compare(before, fingerprint(copy))
    assert [str(change) for change in changes] == ["table public.shadow added"]
    assert "ADD COLUMN note text" in changes[0].after
    assert changes[0].before == ""


def test_a_fingerprint_survives_its_storage(before: Fingerprint) -> None:
    assert from_json(before.as_json()).sha256 == before.sha256


def test_what_the_grammar_refuses_is_compared_as_it_stands() -> None:
    assert canonical("-- AGGREGATE x") == "-- AGGREGATE x"
    assert canonical("ALTER TABLE a ALTER b SET DEFAULT 'x; -- y'") != canonical(
        "ALTER TABLE a ALTER b SET DEFAULT 'x; -- z'"
    )
