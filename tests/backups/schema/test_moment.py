"""The moment a run shows: nobody rewrites a table between its lock and its last row; what is said beforehand."""

from __future__ import annotations

import psycopg
import pytest

from backups.archive.manifest import Manifest
from backups.export import exporter
from backups.policy_spec import PolicySpec
from backups.proof.prove import prove
from providers.errors import ProviderError
from providers.postgres.connection import PINNED
from providers.postgres.copy import large_objects
from providers.storage.base import Store
from tests.backups.conftest import exported
from tests.backups.test_offline import SIGNER, verify

REWRITES = ["TRUNCATE t", "ALTER TABLE t ALTER x TYPE bigint", "DROP TABLE t", "VACUUM FULL t"]
ALL = PolicySpec("whole", "production", ("*",))
TABLE = "CREATE TABLE t (x int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)"


@pytest.mark.parametrize("rewrite", REWRITES)
def test_nobody_rewrites_a_table_once_its_run_began(rewrite: str, database, store: Store, monkeypatch) -> None:
    dsn = database(TABLE)
    copy_schema, refused = exporter.copy_schema, []

    def meanwhile(*arguments):
        with psycopg.connect(dsn, autocommit=True) as other:
            other.execute("SET lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable) as waited:
                other.execute(rewrite)
            refused.append(waited.value)
        return copy_schema(*arguments)

    monkeypatch.setattr(exporter, "copy_schema", meanwhile)

    assert exported(dsn, store, ALL).rows == 100
    assert len(refused) == 1


def test_a_lock_that_does_not_come_ends_the_export(database, store: Store, monkeypatch) -> None:
    dsn = database(TABLE)
    monkeypatch.setitem(PINNED, "lock_timeout", "50ms")
    with psycopg.connect(dsn) as other:
        other.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")

        with pytest.raises(ProviderError, match="Another session holds a lock on it"):
            exported(dsn, store, ALL)


def signed_lo(database, store: Store, spec: PolicySpec = ALL) -> Manifest:
    return exported(database(f"{TABLE}; SELECT lo_from_bytea(4711, 'x')"), store, spec, signer=SIGNER)


def test_what_no_run_holds_is_said_when_it_is_made(database, store: Store, tmp_path, drill) -> None:
    manifest = signed_lo(database, store, PolicySpec("named", "production", ("t",)))

    assert prove(manifest, store, server=drill).status == "proven"
    assert manifest.not_covered[0].startswith("1 large objects, because this is a run of named tables")
    assert "said: 1 large objects" in verify(store, tmp_path)[1]


def test_large_objects_that_the_role_may_not_read_are_counted(database, store: Store) -> None:
    dsn = database(
        f"{TABLE}; GRANT SELECT ON t TO anon; SELECT lo_create(1), lo_create(2); GRANT SELECT ON LARGE OBJECT 2 TO anon"
    )
    with psycopg.connect(dsn) as connection:
        connection.execute("SET ROLE anon")
        found, hidden = large_objects.readable(connection)

    assert (found, hidden) == ([(2, 0)], 1)


@pytest.mark.parametrize("data", [b"", b"other"])
def test_a_large_object_that_was_altered_fails_the_proof(data: bytes, database, store: Store, tmp_path, drill) -> None:
    manifest = signed_lo(database, store)
    (part,) = manifest.large_objects
    store.delete(part.key)
    if data:
        store.put_once(part.key, data)

    verdict = prove(manifest, store, server=drill)

    assert verdict.status == "failed"
    assert verdict.problems[0].startswith(part.key)
    assert verify(store, tmp_path)[0] == 1


def test_an_altered_archive_of_the_schema_fails_the_proof(database, store: Store, drill) -> None:
    manifest = signed_lo(database, store)
    key = manifest.object("schema.dump").key  # type: ignore[union-attr]
    store.delete(key)
    store.put_once(key, b"other")

    verdict = prove(manifest, store, server=drill)

    assert verdict.status == "failed"
    assert verdict.problems[0].startswith(key)
