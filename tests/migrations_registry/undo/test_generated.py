"""Generated destructive migrations, undone: objects and values as promised, later rows still there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from migrations_registry.apply.measured import effect_of
from migrations_registry.fingerprint import Fingerprint, SchemaObject
from migrations_registry.fingerprint.model import of_rows
from migrations_registry.undo.execute import Staged, Undone, undo
from migrations_registry.undo.losses import renamed, table_losses
from migrations_registry.undo.objects import UNTOLD, Looks
from providers import postgres
from providers.postgres.connection import Connection, pin
from providers.postgres.migrate.effects import measure, start
from providers.postgres.restore.table_sync import stage_columns
from providers.postgres.schema.names import parts
from providers.postgres.schema.objects import read_objects
from tests import portal_database
from tests.migrations_registry.undo.migrations import ALL, migration
from tests.sampling import SEED, size

SEED_SQL = Path(__file__).with_name("seed.sql").read_text()
OWNER = "undo_owner"
KEYS = {"people": ["id"], "orders": ["id"], "labels": ["person", "label"], "extra.parts": ["id", "kind"]}
# What people do meanwhile: each where it is still possible.
MEANWHILE = [
    "INSERT INTO people (name, age) VALUES ('later', 77)",
    "INSERT INTO orders (person, note) VALUES (2, 'later')",
    "INSERT INTO labels VALUES (3, 'later')",
    """INSERT INTO "Odd Log" VALUES ('2027-01-01', 'later')""",
    "INSERT INTO extra.parts VALUES (900, 'b', 'later')",
    "UPDATE people SET name = 'mine' WHERE id = 6",
    "UPDATE orders SET note = 'mine' WHERE id = 12",
]
Rows = dict[tuple[str, ...], dict[str, str | None]]


@dataclass(frozen=True)
class Template:
    """A database that nobody connects to; its tables' columns and rows were read before."""

    name: str
    columns: dict[str, list[tuple[str, str]]]
    copies: dict[str, bytes]
    rows: dict[str, Rows]


def numbers() -> list[int]:
    """This run's part of 300: another for another seed."""
    count = size("UNDONE")
    return [number * (300 // count) + SEED % (300 // count) for number in range(count)]


@pytest.fixture(scope="session")
def template() -> Iterator[Template]:
    yield from made(SEED_SQL, KEYS, OWNER)


def made(seed: str, keys: dict[str, list[str]], owner: str, roles: str = "") -> Iterator[Template]:
    """A database of `owner`, a role with these rights, filled by `seed`; dropped afterwards."""
    server, name = portal_database.server, f"undo_{uuid4().hex[:12]}"
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        if not admin.execute("SELECT FROM pg_roles WHERE rolname = %s", [owner]).fetchone():
            words = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} " + roles)
            admin.execute(words.format(sql.Identifier(owner), sql.Literal(server.password)))
    server.create_database(name, owner=owner)
    with psycopg.connect(server.dsn(name), autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(sql.Identifier(owner)))
    with psycopg.connect(server.dsn(name, owner), autocommit=True) as own:
        own.execute(seed.encode())
        own.execute("SET search_path = pg_catalog")
        tables = [str(row[0]) for row in own.execute(TABLES)]
        columns = {table: own.execute(COLUMNS, [table]).fetchall() for table in tables}
        copies = {table: copied(own, table, columns[table]) for table in tables}
        held = {table: rows(own, table, key) for table, key in keys.items()}
    yield Template(name, columns, copies, held)
    server.drop_database(name)


TABLES = """SELECT c.oid::regclass::text FROM pg_class c WHERE relkind = 'r'
  AND relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'extra', 'Odd.schema'))"""
COLUMNS = """SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
  WHERE attrelid = %s::regclass AND attnum > 0 AND attgenerated = '' ORDER BY attnum"""


def copied(owner: Connection, table: str, columns: list[tuple[str, str]]) -> bytes:
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns)
    with owner.cursor().copy(sql.SQL("COPY (SELECT {} FROM ONLY {}) TO STDOUT").format(names, sql.SQL(table))) as out:
        return b"".join(bytes(block) for block in out)


def rows(owner: Connection, table: str, key: list[str]) -> Rows:
    """Text of every value, by the key's text."""
    owner.execute("SET search_path = public")
    cursor = owner.execute(sql.SQL("SELECT * FROM {}").format(sql.SQL(table)))
    names = [column.name for column in cursor.description or ()]
    found = [dict(zip(names, (None if value is None else str(value) for value in row), strict=True)) for row in cursor]
    return {tuple(str(row[name]) for name in key): row for row in found}


def exists(owner: Connection, table: str) -> bool:
    return owner.execute("SELECT to_regclass(%s)", [table]).fetchone() != (None,)


@pytest.fixture
def dsn(template: Template) -> Iterator[str]:
    server, name = portal_database.server, f"undone_{uuid4().hex[:12]}"
    server.create_database(name, template=template.name, owner=OWNER)
    yield server.dsn(name, OWNER)
    server.drop_database(name)


def fingerprint(connection: Connection) -> Fingerprint:
    return of_rows((row.kind, row.name, row.of, row.sql) for row in read_objects(connection))


def applied(own: Connection, other: Connection, text: str) -> tuple[list[dict[str, Any]], int]:
    """Its effects, as an application measures them, and its transaction."""
    own.execute("BEGIN")
    begun = start(own, other)
    own.execute("SET LOCAL search_path = public")
    own.execute(text.encode())
    effects = [effect_of(change) for change in measure(own, other, begun).changes]
    own.execute("COMMIT")
    told = [asdict(each) for each in effects]
    return [{name: each[name] for name in ("verb", "kind", "name", "renamed")} for each in told], begun.xid


def meanwhile(own: Connection) -> list[str]:
    """What was possible."""
    done = []
    own.execute("SET search_path = public")
    for statement in MEANWHILE:
        try:
            if own.execute(statement.encode()).rowcount:
                done.append(statement)
        except psycopg.Error:
            continue
    pin(own, read_only=False)
    return done


def undone(own: Connection, template: Template, before: Fingerprint, after: Fingerprint, told: Any, xid: int) -> Undone:
    def stage(table: tuple[str, str], name: str) -> list[str]:
        known = next((each for each in template.columns if parts(each)[-1] == table[1]), "")
        if not known:
            return []
        place = stage_columns(own, name, template.columns[known])
        with own.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(*place))) as into:
            into.write(template.copies[known])
        return [column for column, _ in template.columns[known]]

    looks = Looks(before, after, renamed(told, before))
    with own.transaction():
        return undo(own, looks, [Staged(table_losses(told, looks), [xid], stage)])


@pytest.mark.parametrize("number", numbers())
def test_what_was_destroyed_is_back_and_what_came_since_is_there(number: int, template: Template, dsn: str) -> None:
    with postgres.connect(dsn, read_only=False) as own, postgres.connect(dsn) as other:
        before = fingerprint(own)
        text, effects, xid = together(own, other, number)
        pin(own, read_only=False)
        after, since = fingerprint(own), meanwhile(own)

        done = undone(own, template, before, after, effects, xid)

        pin(own, read_only=False)
        assert unlike(before, fingerprint(own), done.notes) == [], (text, done.notes)
        assert values_unlike(own, template, since, done) == [], (text, since, done.notes)
        assert lacking(own, since) == [], (text, done.notes)
        assert set(meanwhile(own)) >= {MEANWHILE[0], MEANWHILE[1]}, text


def together(own: Connection, other: Connection, number: int) -> tuple[str, list[dict[str, Any]], int]:
    """The migration of that number; of one whose statements do not go together, the first."""
    text = migration(number)
    try:
        return text, *applied(own, other, text)
    except psycopg.Error:
        own.execute("ROLLBACK")
        assert number >= len(ALL), text
        pin(own, read_only=False)
        first, _, _ = text.partition(";\n")
        return first, *applied(own, other, first)


def unlike(before: Fingerprint, now: Fingerprint, notes: list[str]) -> list[str]:
    """Objects that are not as they were and that no note names."""
    said = " ".join(notes)
    return [
        f"{item.kind} {item.name}: {item.sql} | {now.by_key[item.key].sql if item.key in now.by_key else None}"
        for item in before.objects
        if item.kind not in UNTOLD and (item.key not in now.by_key or now.by_key[item.key].sha256 != item.sha256)
        if item.name not in said and not (item.name == "public.mood" and "'new'" in now.by_key[item.key].sql)
    ] + [f"{item.name}: {item.sql}" for item in now.objects if item.kind == "grants" and _is_wider(item, before)]


def _is_wider(item: SchemaObject, before: Fingerprint) -> bool:
    """Rights on something that was there before without any."""
    was = any(each.name == item.of for each in before.objects)
    return was and item.key not in before.by_key


def values_unlike(own: Connection, template: Template, since: list[str], done: Undone) -> list[str]:
    """Old rows with other values than they had, but for those that somebody changed since."""
    mine = (
        {("people", "6", "name"), ("people", "6", "shouted"), ("orders", "12", "note")}
        if "mine" in str(since)
        else set()
    )
    bad = []
    for table, old in template.rows.items():
        now = rows(own, table, KEYS[table])
        for key, row in old.items():
            if key not in now:
                bad.append(f"{table} {key} is gone")
                continue
            bad += [
                f"{table} {key} {name}: {value} → {now[key].get(name)}"
                for name, value in row.items()
                if now[key].get(name) != value and (table, key[0], name) not in mine
                if not (mine and (table, key[0]) in {("people", "6"), ("orders", "12")} and _kept(done, table))
            ]
    return bad


def _kept(done: Undone, table: str) -> bool:
    returned = done.tables.get(f"public.{table}")
    return bool(returned and returned.kept)


def lacking(own: Connection, since: list[str]) -> list[str]:
    """Rows added since that are gone."""
    where = {"people": "name", "orders": "note", "labels": "label", '"Odd Log"': '"what is"', "extra.parts": "body"}
    own.execute("SET search_path = public")
    return [
        table
        for table, column in where.items()
        if any(statement.startswith(f"INSERT INTO {table} ") for statement in since)
        and not own.execute(f"SELECT FROM {table} WHERE {column} = 'later'".encode()).rowcount
    ]
