"""A run that an earlier portal made, with DDL of its own: listed, verified here and offline, proven, restored."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

from backups.archive.manifest import OLD_FORMAT, manifest_key
from backups.archive.reader import load, runs
from backups.archive.signed_json import decode, encode, sealed, unsealed
from backups.proof.prove import prove
from backups.restore.into_empty import Target, restore
from providers.storage.base import Store
from providers.storage.factory import open_store
from tests.backups.test_offline import SIGNER, verify

KEPT = Path(__file__).parent / "old_run"
RUN = "01JDQ0000000000000000000AA"
WRITTEN_DOWN = "0ab1679bc64ce565221b6eeadb7754b95c73bda3b138fb758d1bfa9b1a64862c"  # by the portal that made it


@pytest.fixture
def old_store(tmp_path: Path) -> Store:
    return open_store(f"file://{shutil.copytree(KEPT, tmp_path / 'old')}")


def test_it_is_listed_as_proven(old_store: Store) -> None:
    assert [(run.run, run.status, run.rows) for run in runs(old_store, None)] == [(RUN, "proven", 4)]


def test_its_digest_is_still_the_one_that_was_written_down(old_store: Store) -> None:
    manifest = load(old_store, RUN, None)

    assert (manifest.format, manifest.sha256) == (OLD_FORMAT, WRITTEN_DOWN)
    assert decode(encode(manifest, None)) == manifest


def test_it_is_proven_again(old_store: Store, drill) -> None:
    verdict = prove(load(old_store, RUN, None), old_store, server=drill)

    assert (verdict.status, verdict.reasons, verdict.rows) == ("proven", [], 4)


def test_it_is_restored_with_what_it_holds(old_store: Store, empty_database: str) -> None:
    done = restore(load(old_store, RUN, None), old_store, (), Target(empty_database))

    assert (done.rows, done.notes) == (4, ())
    with psycopg.connect(empty_database) as connection:
        connection.execute("INSERT INTO child(parent, note) VALUES (2, 'c')")
        assert connection.execute("SELECT id, m FROM parent ORDER BY id").fetchall() == [(1, "sad"), (2, "ok")]
        assert connection.execute("SELECT id, note FROM v ORDER BY id").fetchall() == [
            (1, "a"),
            (2, 'b\n"c"'),
            (3, "c"),
        ]


def test_it_is_verified_offline(old_store: Store, tmp_path: Path) -> None:
    """Signed here: the key that signed it then is nobody's any more."""
    path = Path(old_store.url.removeprefix("file://")) / manifest_key(RUN)
    path.write_bytes(encode(load(old_store, RUN, None), SIGNER))
    for proof in path.parent.glob("proof-*.json"):
        proof.write_bytes(sealed(unsealed(proof.read_bytes(), None), SIGNER))

    code, said = verify(old_store, tmp_path)

    assert (code, f"ok  {RUN}" in said, "2 objects, 2 opened" in said) == (0, True, True), said
    assert "Nobody signed its schema-before.sql" in said


def test_an_altered_segment_of_it_is_refused(old_store: Store, drill) -> None:
    manifest = load(old_store, RUN, None)
    path = Path(old_store.url.removeprefix("file://")) / manifest.segments[0].key
    path.write_bytes(path.read_bytes()[:-1] + b"x")

    assert prove(manifest, old_store, server=drill).status == "failed"
