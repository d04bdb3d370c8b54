"""Migrations that destroy what is rare, undone: all of it is back, or what is not is told by its name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from migrations_registry.fingerprint import Fingerprint
from migrations_registry.undo.execute import Undone
from providers import postgres
from providers.postgres.connection import Connection, pin
from tests import portal_database
from tests.migrations_registry.undo.odd import TOLD, WHOLE
from tests.migrations_registry.undo.test_generated import Template, applied, fingerprint, made, rows, undone, unlike

SEED_SQL = Path(__file__).with_name("odd.sql").read_text()
OWNER = "undo_mighty"
PLACES = {"events": ["at", "kind", "id"], '"Odd.schema"."T t"': ["a.b"], "rooms": ["room"], "scratch": ["x"]}
KEYS = {**{name: ["id"] for name in ("accounts", "base", "child", "grandchild", "notes", "counted")}, **PLACES}


@pytest.fixture(scope="session")
def odd() -> Iterator[Template]:
    with psycopg.connect(portal_database.server.dsn(), autocommit=True) as admin:
        if not admin.execute("SELECT FROM pg_roles WHERE rolname = 'undo_reader'").fetchone():
            admin.execute("CREATE ROLE undo_reader")
    yield from made(SEED_SQL, KEYS, OWNER, "BYPASSRLS")


@pytest.fixture
def own(odd: Template) -> Iterator[Connection]:
    server, name = portal_database.server, f"undone_{uuid4().hex[:12]}"
    server.create_database(name, template=odd.name, owner=OWNER)
    with postgres.connect(server.dsn(name, OWNER), read_only=False) as own:
        yield own
    server.drop_database(name)


def back(own: Connection, odd: Template, text: str) -> tuple[Fingerprint, Undone]:
    """The schema as it was before, and what came of the undo."""
    before = fingerprint(own)
    with postgres.connect(own.info.dsn + f" password={own.info.password}") as other:
        effects, xid = applied(own, other, text)
    pin(own, read_only=False)
    done = undone(own, odd, before, fingerprint(own), effects, xid)
    pin(own, read_only=False)
    return before, done


def values_unlike(own: Connection, odd: Template) -> list[str]:
    found = []
    for table, old in odd.rows.items():
        now = rows(own, table, KEYS[table])
        found += [f"{table} {key}" for key in old.keys() | now.keys() if old.get(key) != now.get(key)]
    return found


@pytest.mark.slow
@pytest.mark.sampled(4)
@pytest.mark.parametrize("text", WHOLE.strip().splitlines())
def test_it_comes_back_whole(text: str, own: Connection, odd: Template) -> None:
    before, done = back(own, odd, text)

    assert done.notes == []
    assert unlike(before, fingerprint(own), []) == []
    assert values_unlike(own, odd) == []


@pytest.mark.slow
@pytest.mark.sampled(2)
@pytest.mark.parametrize("text", TOLD.strip().splitlines())
def test_what_does_not_come_back_is_told(text: str, own: Connection, odd: Template) -> None:
    before, done = back(own, odd, text)

    assert done.notes
    told = [*done.notes, *(item.name for item in before.objects if f" {item.of} " in " ".join(done.notes))]
    assert unlike(before, fingerprint(own), told) == []
