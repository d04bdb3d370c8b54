"""What is restored equals what was copied: odd types, names, partitions, large rows, many segments, both formats."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from backups.archive import loader as loader_module
from backups.archive import segment_codec
from backups.archive.loader import Loader
from backups.archive.manifest import Segment, Table
from backups.export import ctid_ranges
from backups.export import exporter as exporting
from backups.export.worker_pool import Helper
from backups.policy_spec import PolicySpec
from backups.proof.prove import prove
from backups.restore.into_empty import Target, restore
from providers.errors import ProviderError
from providers.storage.base import Store
from tests import portal_database
from tests.backups.conftest import exported

ODD = PolicySpec("odd", "production", ("odd ñame.*",))
QUOTED = 'odd ñame.Ünïcode "quoted" 63 bytes'


@pytest.fixture(scope="module")
def odd() -> Iterator[str]:
    name = f"odd_{uuid4().hex[:12]}"
    portal_database.server.create_database(name)
    dsn = portal_database.server.dsn(name)
    with psycopg.connect(dsn) as connection:
        connection.execute((Path(__file__).parent / "sql" / "odd.sql").read_bytes())
    yield dsn
    portal_database.server.drop_database(name)


def texts(dsn: str, query: str) -> list[tuple]:
    with psycopg.connect(dsn, options="-c timezone=UTC -c extra_float_digits=1") as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("fmt", ["csv", "binary", "auto"])
def test_odd_types_and_names_come_back_equal(odd: str, store: Store, drill, empty_database: str, fmt: str) -> None:
    spec = PolicySpec("odd", "production", ("odd ñame.*",), fmt)
    manifest = exported(odd, store, spec)

    verdict = prove(manifest, store, server=drill)
    done = restore(manifest, store, (), Target(empty_database))

    assert verdict.reasons == []
    assert done.rows == manifest.rows == 2 + 500 + 2 + 6 + 2 + 2
    for name in (
        '"odd ñame"."Ünïcode ""quoted"" 63 bytes"',
        '"odd ñame".parts',
        '"odd ñame".guarded',
        '"odd ñame".wide',
        '"odd ñame"."every_other_built_in_type_ééééééééééééééééééx"',
    ):
        query = f"SELECT t::text FROM {name} t ORDER BY 1"
        assert texts(empty_database, query) == texts(odd, query)


def test_a_type_without_binary_output_falls_back_to_csv(sampelit_copy, store: Store, drill) -> None:
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        connection.execute("CREATE TABLE public.grants (id int, acl aclitem)")
        connection.execute("INSERT INTO public.grants VALUES (1, 'postgres=r/postgres')")
        connection.execute("GRANT SELECT ON public.grants TO sampelit_export")
    manifest = exported(sampelit_copy["export"], store, PolicySpec("g", "production", ("grants",), "binary"))

    assert manifest.tables[0].format == "csv"
    assert prove(manifest, store, server=drill).reasons == []


def test_a_table_is_cut_into_many_segments_without_loss(sampelit, store, drill, monkeypatch) -> None:
    monkeypatch.setattr(ctid_ranges, "TARGET_BYTES", 20_000)

    manifest = exported(sampelit["export"], store)

    trail = manifest.table("public.algorithm_audit_trail")
    assert len(trail.segments) > 5
    assert trail.rows == 600
    assert prove(manifest, store, server=drill).reasons == []


def test_a_segment_over_the_cap_is_split_down_to_one_row(odd: str, store: Store, drill, monkeypatch) -> None:
    monkeypatch.setattr(segment_codec, "CAP_BYTES", 100_000)
    manifest = exported(odd, store, ODD)

    wide = manifest.table("odd ñame.wide")

    assert sorted(segment.rows for segment in wide.segments if segment.rows) == [1] * 6
    assert all(segment.stored_bytes > 100_000 for segment in wide.segments if segment.rows)
    assert prove(manifest, store, server=drill).reasons == []


def test_two_processes_see_one_snapshot(sampelit_copy, store, drill, monkeypatch) -> None:
    monkeypatch.setattr(exporting, "PARALLEL_FROM_BYTES", 0)
    monkeypatch.setattr(ctid_ranges, "TARGET_BYTES", 30_000)
    taken = exporting.postgres.export_snapshot

    def write_after(leader):
        snapshot = taken(leader)
        with psycopg.connect(sampelit_copy["admin"]) as writer:
            writer.execute("DELETE FROM algorithm_audit_trail WHERE sequence_number > 5")
            writer.execute("UPDATE users SET email = email || '.changed'")
        return snapshot

    monkeypatch.setattr(exporting.postgres, "export_snapshot", write_after)

    manifest = exported(sampelit_copy["export"], store)

    assert manifest.table("public.algorithm_audit_trail").rows == 600
    assert prove(manifest, store, server=drill).reasons == []


def test_encrypted_segments_need_an_identity(sampelit, store, drill) -> None:
    from pyrage import x25519

    one, two = x25519.Identity.generate(), x25519.Identity.generate()
    recipients = (str(one.to_public()), str(two.to_public()))
    manifest = exported(sampelit["export"], store, recipients=recipients)

    assert prove(manifest, store, (str(one),), server=drill).status == "proven"
    assert prove(manifest, store, (str(two),), server=drill).status == "proven"
    assert "no identity is configured" in prove(manifest, store, (), server=drill).problems[0]
    stranger = prove(manifest, store, (str(x25519.Identity.generate()),), server=drill)
    assert "cannot be decrypted" in stranger.problems[0]


def test_a_signed_manifest_refuses_another_key_and_no_key(sampelit, store) -> None:
    from backups.archive.reader import load
    from backups.archive.signatures import generate, load_signer
    from backups.archive.signed_json import ManifestError

    mine, other = load_signer(generate()[0]), load_signer(generate()[0])
    signed = exported(sampelit["export"], store, signer=mine)
    unsigned = exported(sampelit["export"], store)

    assert load(store, signed.run, mine.verifier) == signed
    with pytest.raises(ManifestError, match="signature does not hold"):
        load(store, signed.run, other.verifier)
    with pytest.raises(ManifestError, match="carries no signature"):
        load(store, unsigned.run, mine.verifier)


def test_a_large_table_is_loaded_without_a_log_and_each_segment_is_still_told_apart(
    sampelit, store, drill, monkeypatch
) -> None:
    """All its rows come in one transaction; whose a row is shows the savepoint."""
    monkeypatch.setattr(ctid_ranges, "TARGET_BYTES", 20_000)
    monkeypatch.setattr(loader_module, "TOGETHER_BYTES", 0)
    seen: list[tuple[bool, int]] = []
    load = Loader._load_table

    def noted(loader: Loader, table: Table, reading: segment_codec.Ahead) -> dict[str, Segment]:
        inside = loader.connection.info.transaction_status == TransactionStatus.INTRANS
        loads = load(loader, table, reading)
        seen.append((inside, len(loads)))
        return loads

    monkeypatch.setattr(Loader, "_load_table", noted)
    manifest = exported(sampelit["export"], store)
    trail = manifest.table("public.algorithm_audit_trail")
    other = replace(trail.segments[3], digest="1")
    spoilt = replace(trail, segments=tuple(other if s.key == other.key else s for s in trail.segments))
    tables = tuple(spoilt if table is trail else table for table in manifest.tables)

    assert prove(manifest, store, server=drill).reasons == []
    (problem,) = prove(replace(manifest, tables=tables), store, server=drill).problems

    assert (True, len(trail.segments)) in seen
    assert re.match(rf"{re.escape(other.key)}: a row differs from the snapshot", problem)


def test_the_second_copier_starts_while_the_schema_is_read_and_ends_where_that_fails(
    sampelit, store, monkeypatch
) -> None:
    helpers: list[Helper] = []
    made = Helper.__init__

    def noted(helper: Helper, *values: object) -> None:
        made(helper, *values)  # type: ignore[arg-type]
        helpers.append(helper)

    def failing(*_: object) -> None:
        assert [helper.process.poll() for helper in helpers] == [None]
        raise ProviderError("pg_dump stopped")

    monkeypatch.setattr(exporting, "PARALLEL_FROM_BYTES", 0)
    monkeypatch.setattr(Helper, "__init__", noted)
    monkeypatch.setattr(exporting, "copy_schema", failing)

    with pytest.raises(ProviderError, match="pg_dump stopped"):
        exported(sampelit["export"], store)

    assert [helper.process.poll() is None for helper in helpers] == [False]
