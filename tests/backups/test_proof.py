"""A run is proven only when every row came back; every kind of damage is red with its own reason."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from backups.archive.loader import Loader
from backups.archive.manifest import Manifest, Segment, Table, manifest_key
from backups.archive.reader import load, runs
from backups.archive.signed_json import ManifestError
from backups.policy_spec import PolicySpec
from backups.proof.comparison import Comparison
from backups.proof.prove import Verdict, prove, store_proof
from providers.errors import Refused
from providers.storage.base import Store
from tests.backups.conftest import AUDIT, exported


def path_of(store: Store, key: str) -> Path:
    return Path(store.url.removeprefix("file://")) / key


def flip(path: Path, position: int = 100) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def test_an_untouched_run_is_proven(manifest: Manifest, store: Store, drill) -> None:
    verdict = prove(manifest, store, server=drill)

    assert verdict.reasons == []
    assert verdict.status == "proven"
    assert verdict.rows == manifest.rows
    assert verdict.chains == 4


def test_the_drill_starts_a_server_of_its_own(manifest: Manifest, store: Store) -> None:
    assert prove(manifest, store).status == "proven"


def test_a_flipped_byte_in_any_table_is_found(manifest: Manifest, store: Store, drill) -> None:
    for table in manifest.tables:
        segment = table.segments[0]
        flip(path_of(store, segment.key), segment.stored_bytes // 2)

        verdict = prove(manifest, store, server=drill)

        assert verdict.status == "failed"
        assert f"{segment.key} was altered" in " ".join(verdict.problems)
        flip(path_of(store, segment.key), segment.stored_bytes // 2)


def test_a_missing_object_is_named(manifest: Manifest, store: Store, drill) -> None:
    key = manifest.segments[0].key
    store.delete(key)

    verdict = prove(manifest, store, server=drill)

    assert verdict.status == "failed"
    assert f"{key} is missing from the store." in verdict.problems


def test_swapped_objects_are_found(manifest: Manifest, store: Store, drill) -> None:
    first, second = (path_of(store, segment.key) for segment in manifest.segments[:2])
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)

    assert prove(manifest, store, server=drill).status == "failed"


def test_an_edited_manifest_is_rejected(manifest: Manifest, store: Store) -> None:
    path = path_of(store, manifest_key(manifest.run))
    path.write_bytes(path.read_bytes().replace(b'"rows":', b'"rows":1', 1))

    with pytest.raises(ManifestError, match="edited or damaged"):
        load(store, manifest.run, None)


def test_a_manifest_of_another_run_is_rejected(manifest: Manifest, sampelit, store: Store) -> None:
    other = exported(sampelit["export"], store)
    path_of(store, manifest_key(manifest.run)).write_bytes(store.get(manifest_key(other.run)))

    with pytest.raises(ManifestError, match="replayed or moved"):
        load(store, manifest.run, None)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE users SET email = email || 'x' WHERE ctid = (SELECT min(ctid) FROM users)", "that changed"),
        ("UPDATE algorithm_audit_trail SET conversion_value = 999999 WHERE sequence_number = 3", "that changed"),
        ("DELETE FROM element_variants WHERE ctid = (SELECT min(ctid) FROM element_variants)", "rows arrived"),
    ],
)
def test_a_changed_row_in_the_drill_is_found(
    manifest: Manifest, store: Store, drill, monkeypatch, change: str, problem: str
) -> None:
    compare, changes = Loader.compare, [change]

    def changed_once(loader: Loader, table: Table, loads: dict[str, Segment]) -> None:
        if changes:
            loader.connection.execute(f"SET search_path = public; {changes.pop()}; SET search_path = pg_catalog")
        compare(loader, table, loads)

    monkeypatch.setattr(Loader, "compare", changed_once)

    verdict = prove(manifest, store, server=drill)

    assert verdict.status == "failed"
    assert problem in " ".join(verdict.problems)


def test_a_forged_row_of_the_source_makes_the_run_suspect(sampelit_copy, store: Store, drill) -> None:
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        connection.execute("UPDATE algorithm_audit_trail SET visitor_id = 'forged' WHERE sequence_number = 5")
    manifest = exported(sampelit_copy["export"], store)

    verdict = prove(manifest, store, server=drill)

    assert verdict.status == "suspect"
    assert verdict.problems == ()
    assert "row 5: its content does not give its decision_hash" in verdict.doubts[0]


def test_a_cut_tail_is_seen_against_the_last_proven_run(sampelit_copy, store: Store, drill) -> None:
    before = exported(sampelit_copy["export"], store)
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        connection.execute("DELETE FROM algorithm_audit_trail WHERE sequence_number > 10")
    after = exported(sampelit_copy["export"], store)

    verdict = prove(after, store, comparison=Comparison(manifest=before, store=store), server=drill)

    assert verdict.status == "suspect"
    assert "Find out who removed them" in " ".join(verdict.doubts)


def test_a_rewritten_chain_is_seen_against_the_last_proven_run(sampelit_copy, store: Store, drill) -> None:
    """Cut one row off the end: the chain still holds by itself, and only the earlier manifest knows better."""
    before = exported(sampelit_copy["export"], store)
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        connection.execute(
            "DELETE FROM algorithm_audit_trail WHERE id = (SELECT id FROM algorithm_audit_trail ORDER BY"
            " sequence_number DESC LIMIT 1)"
        )
    after = exported(sampelit_copy["export"], store)

    alone = prove(after, store, server=drill)
    compared = prove(after, store, comparison=Comparison(manifest=before, store=store), server=drill)

    assert alone.status == "proven"
    assert compared.status == "suspect"
    assert "the last proven run held" in compared.doubts[0]


def test_a_proof_without_room_is_refused_with_the_size(manifest: Manifest, store: Store, monkeypatch) -> None:
    from backups import disk_space
    from providers.errors import ProviderError

    monkeypatch.setattr(disk_space, "DISK_FLOOR", 10**18)

    with pytest.raises(ProviderError, match=r"nothing was proven.*needs .* GB under .*larger disk"):
        prove(manifest, store)


def test_an_export_that_this_machine_cannot_prove_is_refused_before_the_first_row(
    sampelit, store: Store, monkeypatch
) -> None:
    from providers import machine
    from providers.errors import Refused

    monkeypatch.setattr(machine, "free_memory", lambda: 5_000_000)

    with pytest.raises(Refused, match=r"before anything was copied.*needs 300 MB of memory, 5 MB are free"):
        exported(sampelit["export"], store, room_for_drill=True)
    assert list(store.list()) == []


def test_the_whole_database_brings_functions_views_and_triggers_back(sampelit, store, empty_database) -> None:
    from backups.policy_spec import PolicySpec
    from backups.restore.into_empty import Target, restore
    from providers import postgres

    manifest = exported(sampelit["export"], store, PolicySpec("all", "production", ("*", "auth.*")))

    done = restore(manifest, store, (), Target(empty_database))

    assert done.notes == ()
    with postgres.connect(empty_database) as back, postgres.connect(sampelit["admin"]) as source:
        for query in (
            "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal",
            "SELECT count(*) FROM pg_policies",
            "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
            "SELECT count(*) FROM pg_attrdef",
            "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'",
        ):
            assert back.execute(query).fetchone() == source.execute(query).fetchone(), query


def test_an_extension_in_the_system_schema_is_rebuilt_there(empty_database: str, store: Store, drill) -> None:
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION fuzzystrmatch SCHEMA pg_catalog")  # as pg_cron lies there
        connection.execute("CREATE TABLE public.sounds (one text DEFAULT soundex('one'))")
        connection.execute("INSERT INTO public.sounds DEFAULT VALUES")
    manifest = exported(empty_database, store, PolicySpec("sounds", "production", ("sounds",)))

    assert prove(manifest, store, server=drill).status == "proven"
    (extension,) = [item for item in manifest.statements if item.kind == "extension"]
    assert extension.sql.endswith("WITH SCHEMA pg_catalog")


def test_a_second_delivery_finds_the_manifest(manifest: Manifest, sampelit, store: Store) -> None:
    from backups.export.exporter import ExportPlan, export

    again = export(AUDIT, ExportPlan(run=manifest.run, dsn="postgresql://nobody@127.0.0.1:9/x", store=store, fence=7))

    assert again == manifest


def test_the_listing_tells_stored_from_proven(manifest: Manifest, store: Store, drill) -> None:
    listed_before = list(runs(store, None))
    verdict: Verdict = prove(manifest, store, server=drill)
    store_proof(store, verdict, None)

    listed_after = list(runs(store, None))

    assert [item.status for item in listed_before] == ["stored"]
    assert [item.status for item in listed_after] == ["proven"]


def test_segments_without_a_manifest_are_no_run(manifest: Manifest, store: Store) -> None:
    store.delete(manifest_key(manifest.run))

    assert list(runs(store, None)) == []
    with pytest.raises(Refused, match="holds no run"):
        load(store, manifest.run, None)
