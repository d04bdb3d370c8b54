"""Small tables are copied in heaps, one message each: what is stored and told is as if each was copied alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql

from backups.archive import segment_codec
from backups.archive.manifest import Manifest
from backups.export import exporter, worker_pool
from backups.export.copy_job import Job, Setting
from backups.export.copy_worker import Copier
from backups.export.worker_pool import Helper
from backups.policy_spec import PolicySpec
from providers import postgres
from providers.errors import ProviderError
from providers.postgres.connection import Connection
from providers.postgres.copy.stream import QueryOut, next_row, sent_together, table_out
from providers.postgres.schema.model import Table
from providers.storage.base import Store, StoreError
from tests.backups.conftest import exported
from tests.backups.schema.conftest import database as database

ODD = {
    "plain": "(id int PRIMARY KEY, x text); INSERT INTO plain SELECT i, 'row ' || i FROM generate_series(1, 300) i;",
    "empty": "(id int, x text);",
    "bare": "(); INSERT INTO bare DEFAULT VALUES; INSERT INTO bare DEFAULT VALUES;",
    "dropped": "(a int, b text, c date); INSERT INTO dropped VALUES (1, 'b', now()); ALTER TABLE dropped DROP a;",
    "computed": "(a int, b int GENERATED ALWAYS AS (a * 2) STORED); INSERT INTO computed VALUES (1), (2);",
    'Q"uo te': '("a,b" text, """" int); INSERT INTO "Q""uo te" VALUES (\'x\', 1), (NULL, NULL);',
    "moved": "(id int, x text); INSERT INTO moved SELECT i, repeat('x', 99) FROM generate_series(1, 400) i;"
    "UPDATE moved SET x = 'y' WHERE id % 3 = 0; DELETE FROM moved WHERE id % 5 = 0;",
    "parent": "(id int); INSERT INTO parent VALUES (1); CREATE TABLE child() INHERITS (parent);"
    "INSERT INTO child VALUES (2);",
    "wide": "(x text); ALTER TABLE wide ALTER x SET STORAGE EXTERNAL; INSERT INTO wide VALUES (repeat('z', 70000));",
}
MADE = "FUNCTION outer_(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS"
INDEXED = f"""
    CREATE TABLE words(x text); INSERT INTO words VALUES ('a'), ('b'); CREATE {MADE} 'begin return $1; end';
    CREATE INDEX ON words (x) WHERE outer_('a') = 'a';
    CREATE FUNCTION inner_(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'select lower($1)';
    CREATE OR REPLACE {MADE} 'begin return inner_($1); end';
"""
TABLES = "".join(f"CREATE TABLE {sql.Identifier(name).as_string(None)}{text}" for name, text in ODD.items())


def spec(fmt: str) -> PolicySpec:
    return PolicySpec("whole", "production", ("*",), format=fmt)


def content(manifest: Manifest) -> dict[str, list[tuple[object, ...]]]:
    start = len(manifest.prefix)
    return {
        table.qualified: [(s.key[start:], s.start, s.end, s.rows, s.digest, s.raw_sha256) for s in table.segments]
        for table in manifest.tables
    }


@pytest.mark.parametrize("fmt", ["binary", "csv"])
@pytest.mark.parametrize("kind", ["whole", "indexed", "long", "large", "two processes"])
def test_a_heap_stores_what_its_tables_alone_would(
    kind: str, fmt: str, database, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = database(TABLES + (INDEXED if kind == "indexed" else ""))
    if kind == "long":
        too_long(monkeypatch, "moved")
    if kind == "large":
        monkeypatch.setattr(segment_codec, "CAP_BYTES", 300)
    if kind == "two processes":
        monkeypatch.setattr(exporter, "PARALLEL_FROM_BYTES", 0)
    found = []
    for together in (1, 4, 50):
        monkeypatch.setattr(worker_pool, "TOGETHER", together)
        found.append(content(exported(source, store, spec(fmt))))

    assert found[0] == found[1] == found[2]
    assert len(found[0]["public.plain"]) > (1 if kind == "large" else 0)


def too_long(monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    """As if the server could not print this table's rows."""
    plain = QueryOut.__iter__

    def limited(stream: QueryOut) -> Iterator[memoryview]:
        text = stream.query.as_string(None)
        for block in plain(stream):
            if f'"{table}"' in text and "FORMAT csv" in text:
                raise psycopg.errors.ProgramLimitExceeded("string buffer exceeds maximum allowed length")
            yield block

    monkeypatch.setattr(QueryOut, "__iter__", limited)


@pytest.fixture
def tables(database) -> Iterator[tuple[str, Connection, tuple[Table, ...], str]]:
    """A source, its leader, its tables, its snapshot."""
    source = database(TABLES)
    with postgres.connect(source) as leader:
        snapshot = postgres.export_snapshot(leader)
        yield source, leader, postgres.read_catalog(leader, ["*"]).data_tables, snapshot.id


def job(table: Table, fmt: str = "binary", name: str = "") -> Job:
    columns = tuple((column.name, column.hashed_as) for column in table.stored_columns)
    return Job(table.schema, name or table.name, columns, fmt, True, f"{table.oid}/", (0, 0), None, table.pages)


@pytest.mark.parametrize("fmt", ["binary", "csv"])
def test_copy_of_a_whole_table_gives_the_bytes_of_the_query(fmt: str, tables) -> None:
    """Runs that were stored by the query stay equal to those that are stored now."""
    _, leader, found, _ = tables
    for table in found:
        names = [column.name for column in table.stored_columns]
        whole = b"".join(map(bytes, QueryOut(leader, table_out(table.key, names, fmt))))
        asked = b"".join(map(bytes, postgres.CopyOut(leader, table.key, names, postgres.Range(), fmt)))
        assert whole == asked, table.qualified


@pytest.mark.parametrize("place", [0, 4, 8])
def test_of_a_heap_that_fails_the_table_is_named(place: int, tables, store: Store) -> None:
    source, _, found, snapshot = tables
    jobs = [job(table) for table in found]
    copier = Copier(source, Setting(snapshot, store.url), store)
    try:
        with pytest.raises(ProviderError, match=r'^Copying public\.no_such_table stopped: relation "public\.no_such'):
            copier.copy([*jobs[:place], job(found[0], name="no_such_table"), *jobs[place:]])
        assert len(copier.copy([replace(each, directory="again/" + each.directory) for each in jobs])) == len(found)
    finally:
        copier.close()


def test_an_object_that_cannot_be_stored_stops_the_heap(tables, store: Store, monkeypatch) -> None:
    source, _, found, snapshot = tables
    put = store.put_once

    def refused(key: str, data: bytes):
        if key.startswith(f"{found[3].oid}/"):
            raise StoreError("The disk is full.", retryable=True)
        return put(key, data)

    monkeypatch.setattr(store, "put_once", refused)
    copier = Copier(source, Setting(snapshot, store.url), store)
    try:
        with pytest.raises(StoreError, match="The disk is full"):
            copier.copy([job(table) for table in found])
    finally:
        copier.close()


def test_many_tables_are_few_messages_and_few_questions(database, store: Store, monkeypatch) -> None:
    """Three thousand of them were a message to another process and two questions each."""
    monkeypatch.setattr(exporter, "PARALLEL_FROM_BYTES", 0)
    source = database("".join(f"CREATE TABLE t{n}(id int PRIMARY KEY);" for n in range(4 * worker_pool.TOGETHER)))
    asked: list[dict] = []
    ask = Helper._ask
    monkeypatch.setattr(Helper, "_ask", lambda helper, question: asked.append(question) or ask(helper, question))

    assert len(exported(source, store, spec("binary")).tables) == 4 * worker_pool.TOGETHER
    assert 1 <= len(asked) <= 1 + 4


@pytest.mark.parametrize("taken", range(5))
def test_a_connection_can_be_used_after_whatever_part_of_the_answers_was_taken(taken: int, empty_database: str) -> None:
    one, many = sql.SQL("SELECT 'x'").format(), sql.SQL("COPY (SELECT generate_series(1, 99999)) TO STDOUT").format()
    with postgres.connect(empty_database) as connection:
        streams = [QueryOut(connection, many), QueryOut(connection, many)]
        steps: list[Callable[[], object]] = [
            lambda: next_row(connection),
            lambda: list(streams[0]),
            lambda: next_row(connection),
            lambda: next(iter(streams[1])),
        ]
        with pytest.raises(KeyError), sent_together(connection, [one, streams[0], one, streams[1]]):
            for step in steps[:taken]:
                step()
            raise KeyError
        for _ in range(2):
            assert connection.execute("SELECT 1").fetchone() == (1,)
            early = iter(QueryOut(connection, many))
            assert len(next(early)) > 100_000
            early.close()
            assert sum(map(len, QueryOut(connection, many))) == 588_888
