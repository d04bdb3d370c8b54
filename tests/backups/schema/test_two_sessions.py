"""A database that was made for a restore is filled by two sessions: the same arrives, or it is told and dropped."""

from __future__ import annotations

import re
from dataclasses import replace

import psycopg
import pytest

from backups.archive.loader import Loader
from backups.archive.manifest import Manifest, Segment, Table
from backups.policy_spec import PolicySpec
from backups.progress import Watch
from backups.restore.in_parts import MARK
from backups.restore.into_empty import Target, restore
from backups.restore.session import helping
from backups.restore.two_sessions import in_heaps, loads
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.storage.base import Store
from tests.backups.conftest import exported
from tests.backups.schema.conftest import dumped
from tests.backups.schema.test_kinds import KINDS, MANY, _denied

pytestmark = pytest.mark.slow

MB = 1 << 20
digest = Table.digest
ALL = PolicySpec("whole", "production", ("*",))
PARTS = "CREATE TABLE p(x int PRIMARY KEY, y text) PARTITION BY RANGE (x); CREATE INDEX ON p(y);"
PARTS += "".join(f"CREATE TABLE p{n} PARTITION OF p FOR VALUES FROM ({n}0) TO ({n + 1}0);" for n in range(8))
PARTS += "CREATE TABLE c(x int REFERENCES p, z text UNIQUE); ALTER TABLE c REPLICA IDENTITY FULL;"
PARTS += "INSERT INTO p SELECT n, 'x' || n FROM generate_series(0, 79) n; INSERT INTO c SELECT x, y FROM p;"


@pytest.fixture
def many(database, store: Store) -> tuple[str, Manifest]:
    source = database(MANY + ";" + PARTS)
    return source, exported(source, store, ALL)


def whole(source: str, manifest: Manifest, target: str, store: Store) -> None:
    done = restore(manifest, store, (), Target(target, new=True))

    assert (dumped(target), done.notes, done.rows) == (dumped(source), (), manifest.rows)


def test_all_of_it_comes(many: tuple[str, Manifest], empty_database: str, store: Store) -> None:
    whole(*many, empty_database, store)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.startswith("functions that find things")])
def test_every_kind_comes_as_by_one_session(kind: str, database, empty_database: str, store: Store) -> None:
    manifest, by_one = exported(database(KINDS[kind]), store, ALL), database("")

    assert (
        restore(manifest, store, (), Target(empty_database, new=True)).notes
        == restore(manifest, store, (), Target(by_one)).notes
    )
    assert dumped(empty_database) == dumped(by_one)


def test_what_fails_beside_the_other_session_is_made_afterwards(
    many: tuple[str, Manifest], empty_database: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Loader, "try_together", lambda *_: False)

    whole(*many, empty_database, store)


def test_a_table_is_compared_by_its_own_figures_alone(
    many: tuple[str, Manifest], empty_database: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Table] = []
    monkeypatch.setattr(Table, "digest", property(lambda table: asked.append(table) or digest.fget(table)))

    whole(*many, empty_database, store)

    assert len(asked) == len(many[1].tables)


def test_rows_that_are_not_the_runs_stop_it_and_leave_a_mark(
    many: tuple[str, Manifest], empty_database: str, store: Store
) -> None:
    _, manifest = many
    spoilt = replace(manifest, tables=tuple(replace(t, segments=_denied(t.segments)) for t in manifest.tables))

    with pytest.raises(ProviderError, match=r"The restore stopped; .* is not whole\. .* gave \d+ rows"):
        restore(spoilt, store, (), Target(empty_database, new=True))

    assert re.search(MARK.partition(".")[2], "\n".join(dumped(empty_database)))


def test_a_second_session_that_ends_ends_the_restore(
    many: tuple[str, Manifest], empty_database: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    done = Loader.load_once

    def ended(loader: Loader, tables: list[Table]):
        if loader.watch is watch:
            loader.connection.execute(f"{others} AND pid <> pg_backend_pid()")
        return done(loader, tables)

    monkeypatch.setattr(Loader, "load_once", ended)
    watch = Watch()

    with pytest.raises((ProviderError, psycopg.Error)) as told:
        restore(many[1], store, (), Target(empty_database, new=True), watch)

    assert isinstance(told.value, ProviderError)
    assert told.value.retryable


def test_a_cancel_ends_both(many: tuple[str, Manifest], empty_database: str, store: Store) -> None:
    class Cancelled(Exception):
        pass

    def progress(*_: object, rows: int = 0, **__: object) -> None:
        if rows:
            raise Cancelled

    with pytest.raises(Cancelled):
        restore(many[1], store, (), Target(empty_database, new=True), Watch(progress))

    with psycopg.connect(empty_database) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        assert connection.execute(query).fetchone() == (0,)


def table(name: str, *sizes: int) -> Table:
    segments = tuple(Segment(f"{name}-{n}", "", "", 1, "0", size, "", 0, "", False) for n, size in enumerate(sizes))
    return Table("public", name, "binary", False, (), segments)


def test_tables_are_shared_out_whole_unless_one_is_most_of_all() -> None:
    small = [table("a", 5), table("b", 3), table("c", 1), table("empty")]
    large, middle = table("large", 50 * MB, 50 * MB), table("middle", 49 * MB)

    first, second, *others = in_heaps([large, *small, middle])

    assert [{t.name for t in heap} for heap in (first, second)] == [{"a", "empty"}, {"b", "c"}]
    assert others == [[large], [middle]]
    assert [len([*loads(heap, 150 * MB)]) for heap in (first, second, *others)] == [1] * 4
    assert [len([*loads(heap, 110 * MB)]) for heap in (first, [large], [middle])] == [1, 2, 1]


def test_a_second_session_on_another_database_is_refused(database) -> None:
    with postgres.connect(database("")) as first:
        with pytest.raises(Refused, match="two databases"), helping(first, database("SELECT 1"), Watch()):
            pass
