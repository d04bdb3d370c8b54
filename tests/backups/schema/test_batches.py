"""Statements in batches: few round trips a table, and a failing one is still the one that is named."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from backups.archive.loader import Loader
from backups.archive.manifest import Manifest, Statement, Table
from backups.archive.subset import TOGETHER, batches, in_order
from backups.export import worker_pool
from backups.export.exporter import ExportPlan, export
from backups.policy_spec import PolicySpec
from backups.progress import MOST_TABLES, SILENT, TableTally, Tally, Watch
from backups.restore.into_empty import Target, restore
from providers import postgres
from providers.postgres import catalog
from providers.storage.base import Store
from tests.backups.conftest import exported

ALL = PolicySpec("whole", "production", ("*",))
TABLE = "CREATE TABLE t{0}(id bigserial PRIMARY KEY, name text UNIQUE, at date); CREATE INDEX ON t{0}(at);"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with every round trip."""
    seen: list[int] = []
    wait = psycopg.Connection.wait

    def counted(*arguments, **options):
        seen.append(1)
        return wait(*arguments, **options)

    monkeypatch.setattr(psycopg.Connection, "wait", counted)
    return seen


def of_tables(count: int, database, store: Store) -> Manifest:
    return exported(database("".join(TABLE.format(number) for number in range(count))), store, ALL)


def test_a_table_more_costs_few_round_trips(database, store: Store, waits: list[int]) -> None:
    """Seven statements make each of these tables; one by one they alone were 28 round trips."""
    copied, brought = [], []
    for count in (30, 90):
        source, target = database("".join(TABLE.format(number) for number in range(count))), database("")
        del waits[:]
        manifest = exported(source, store, ALL)
        copied.append(len(waits))
        restore(manifest, store, (), Target(target))
        brought.append(len(waits) - copied[-1])

    assert (copied[1] - copied[0]) / 60 <= 0.1
    assert (brought[1] - brought[0]) / 60 <= 7


def test_a_report_of_progress_costs_the_same_however_many_tables_there_were(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[dict] = []
    made: list[int] = []
    document = TableTally.document
    monkeypatch.setattr(TableTally, "document", lambda table: made.append(1) or document(table))
    tally = Tally(3_000, 3_000)
    for number in range(3_000):
        tally.begin(f"t{number}", 1, SILENT)
        tally.add(f"t{number}", 1, 2, Watch(lambda *_, **more: said.append(more)))

    assert len(made) == 2 * 3_000
    assert [said[-1]["rows"], said[-1]["waiting"], len(said[-1]["tables"])] == [6_000, 0, MOST_TABLES]
    assert said[-1]["tables"][-1] == {"table": "t2999", "done": 1, "total": 1, "rows": 2, "seconds": 0.0}
    assert said[0]["tables"] == [{"table": "t0", "done": 1, "total": 1, "rows": 2, "seconds": 0.0}]


@pytest.mark.parametrize("phase", ["before", "after"])
def test_of_a_batch_that_fails_the_statement_is_named_and_the_others_are_made(
    phase: str, database, empty_database: str, store: Store
) -> None:
    manifest = of_tables(6, database, store)
    bad = Statement(phase, "index", "the_bad_one", "CREATE INDEX ON t3(nothing)", True, "public.t3")
    places = [place for place, item in enumerate(manifest.statements) if item.phase == phase]
    middle = places[len(places) * 3 // 4]
    spoilt = replace(manifest, statements=(*manifest.statements[:middle], bad, *manifest.statements[middle:]))
    with postgres.connect(empty_database, read_only=False) as connection, connection.transaction():
        loader = Loader(spoilt, store, connection, (), SILENT)
        for each in ("before", "after"):
            loader.build(each, everything=True)
        indexes = connection.execute("SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'").fetchone()

    assert loader.problems == ["The index the_bad_one could not be rebuilt: undefined column (42703)."]
    assert indexes == (18,)


def test_the_order_of_tables_is_found_without_looking_through_all_for_each(
    database, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, asked = of_tables(40, database, store), []
    name = Table.qualified.fget
    monkeypatch.setattr(Table, "qualified", property(lambda table: asked.append(1) or name(table)))

    assert len(in_order(manifest)) == 40
    assert len(asked) <= 4 * 40


def of(kind: str, table: str = "public.small", phase: str = "after") -> Statement:
    return Statement(phase, kind, kind, "", True, table)


def test_what_reads_many_rows_or_may_be_there_is_sent_alone(manifest: Manifest) -> None:
    large = replace(manifest.tables[0], schema="public", name="large")
    large = replace(large, segments=tuple(replace(s, raw_bytes=1 << 30) for s in large.segments))
    known = replace(manifest, tables=(large,))
    big = of("index", "public.large")

    def sizes(*items: Statement) -> list[int]:
        return [len(batch) for batch in batches(known, items)]

    assert sizes() == []
    assert sizes(*[of("index")] * (TOGETHER + 1)) == [TOGETHER, 1]
    assert sizes(of("index"), big, big, of("index"), of("index")) == [1, 1, 1, 2]
    assert sizes(*[of("table", "public.large", "before")] * 3) == [3]
    assert sizes(of("table"), of("schema"), of("extension"), of("table"), of("table")) == [1, 1, 1, 2]
    assert sizes(of("table"), of("sequence_value"), of("sequence_value"), of("index")) == [1, 2, 1]


def test_a_copier_keeps_locks_of_a_few_tables_only(database, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three thousand tables with their indexes would not fit into a server's table of locks."""
    source, most = database("".join(TABLE.format(number) for number in range(30))), []
    monkeypatch.setattr(worker_pool, "TOGETHER", 5)
    query = (
        "SELECT max(held) FROM (SELECT count(*) AS held FROM pg_locks l JOIN pg_class c ON c.oid = relation"
        " WHERE relkind = 'i' AND relnamespace = 'public'::regnamespace GROUP BY l.pid) each"
    )
    with psycopg.connect(source, autocommit=True) as other:
        look = Watch(lambda *_, **__: most.append(other.execute(query).fetchone()[0] or 0))
        export(ALL, ExportPlan("run", source, store), look)

    assert 0 < max(most) <= 5 * 3


def test_columns_are_read_once_in_the_snapshot(database, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    source, read = database(TABLE.format(0)), []
    columns = catalog._columns
    monkeypatch.setattr(catalog, "_columns", lambda *given: read.append(1) or columns(*given))

    assert exported(source, store, ALL).rows == 0
    assert read == [1]
