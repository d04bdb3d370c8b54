"""Exports while others write, and rows of 20 MB: what is proven is what the snapshot held. The role is no superuser."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from backups.export import ctid_ranges
from backups.export import exporter as exporting
from backups.policy_spec import PolicySpec
from backups.proof.prove import prove
from backups.restore.into_empty import Target, restore
from providers.storage.base import Store
from tests import sampling
from tests.backups.conftest import exported

EXPORTS = 2
CHANGES = (
    "INSERT INTO leads (email) VALUES (gen_random_uuid() || '@x.eu')",
    "UPDATE leads SET email = email || 'x' WHERE id IN (SELECT id FROM leads ORDER BY random() LIMIT 5)",
    "DELETE FROM leads WHERE id IN (SELECT id FROM leads ORDER BY random() LIMIT 1)",
)


@pytest.fixture
def restless(sampelit_copy: dict[str, str]) -> Iterator[dict[str, str]]:
    """Somebody inserts, updates, deletes, and commits late, all the time."""
    stop = threading.Event()

    def write() -> None:
        with psycopg.connect(sampelit_copy["admin"]) as quick, psycopg.connect(sampelit_copy["admin"]) as late:
            while not stop.is_set():
                late.execute(CHANGES[0])
                for change in CHANGES:
                    quick.execute(change)
                    quick.commit()
                late.commit()

    writer = threading.Thread(target=write)
    writer.start()
    yield sampelit_copy
    stop.set()
    writer.join()


def test_the_proven_rows_are_the_snapshots_while_others_write(restless, store: Store, drill, monkeypatch) -> None:
    taken, seen = exporting.postgres.export_snapshot, []

    def counted(leader):
        snapshot = taken(leader)
        seen.append(leader.execute("SELECT count(*), sum(hash_record_extended(l, 0)) FROM public.leads l").fetchone())
        return snapshot

    monkeypatch.setattr(exporting.postgres, "export_snapshot", counted)
    monkeypatch.setattr(exporting, "PARALLEL_FROM_BYTES", 0)
    monkeypatch.setattr(ctid_ranges, "TARGET_BYTES", 30_000)
    spec = PolicySpec("leads", "production", ("leads", "users"))
    with psycopg.connect(restless["export"]) as connection:
        [(superuser,)] = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchall()

    for number in range(EXPORTS):
        manifest = exported(restless["export"], store, spec)
        leads = manifest.table("public.leads")
        assert (leads.rows, int(leads.digest)) == seen[number]
        assert prove(manifest, store, server=drill).reasons == []
    assert not superuser


@pytest.mark.parametrize("fmt", ["binary", "csv"] if sampling.WHOLE else ["binary"])
def test_a_row_of_20_mb_comes_back(fmt: str, sampelit_copy, store: Store, empty_database: str) -> None:
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        connection.execute("CREATE TABLE huge (id int, t text)")
        connection.execute("INSERT INTO huge SELECT 1, string_agg(md5(i::text), '') FROM generate_series(1, 655360) i")
    manifest = exported(sampelit_copy["export"], store, PolicySpec("huge", "production", ("huge",), fmt))

    restore(manifest, store, (), Target(empty_database))

    with psycopg.connect(empty_database) as target, psycopg.connect(sampelit_copy["admin"]) as source:
        query = "SELECT length(t), md5(t) FROM huge"
        row = target.execute(query).fetchone()
        assert row == source.execute(query).fetchone()
        assert row[0] == 20 << 20
