"""Disks that are really full, at each stage: a clear sentence, nothing unfinished listed, well once there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from backups.archive.manifest import Manifest
from backups.archive.reader import runs
from backups.export.exporter import ExportPlan, export
from backups.policy_spec import PolicySpec
from backups.proof.prove import prove, store_proof
from backups.restore import in_parts
from backups.restore.into_empty import Target, restore
from operations.models.ulid import new_ulid
from providers.errors import ProviderError
from providers.storage.base import Store, StoreError
from providers.storage.factory import open_store
from tests import portal_database, sampling
from tests.backups.conftest import AUDIT, exported
from tests.backups.schema.conftest import database as database
from tests.backups.schema.conftest import dumped
from tests.reused_server import ReusedServer, reused

pytestmark = pytest.mark.slow

ALL = PolicySpec("whole", "production", ("*",))
FULL = r"disk full \(53100\).* Free space where that server keeps its files"
# Rows of four megabytes, and an index of as many.
ROWS = "CREATE TABLE big (id int PRIMARY KEY, x text STORAGE EXTERNAL);"
ROWS += "INSERT INTO big SELECT i, repeat(md5(i::text), 1200) FROM generate_series(1, 100) i;"
KEYS = "CREATE TABLE big (x text); CREATE INDEX ON big (x, md5(x), md5(x || 1), md5(x || 2));"
KEYS += "INSERT INTO big SELECT md5(i::text) FROM generate_series(1, 20000) i;"


class Disk:
    """A small one of memory, which the embedded server's user may write to."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="full-", dir="/dev/shm"))

    def resize(self, kilobytes: int, how: str = "remount,") -> None:
        argv = ["mount", "-t", "tmpfs", "-o", f"{how}size={kilobytes}k,mode=777", "full", str(self.path)]
        if subprocess.run(argv, capture_output=True, check=False).returncode:
            pytest.skip("no disk of its own can be mounted here: only root may")


@pytest.fixture
def disk() -> Iterator[Disk]:
    disk = Disk()
    try:
        disk.resize(64, how="")
        yield disk
    finally:
        subprocess.run(["umount", "-l", disk.path], capture_output=True, check=False)
        shutil.rmtree(disk.path)


@pytest.fixture
def space(disk: Disk) -> Iterator[str]:
    """A tablespace on the session's server."""
    disk.resize(2048)
    place, name = disk.path / "space", f"small_{os.getpid()}"
    place.mkdir(mode=0o700)
    with psycopg.connect(portal_database.server.dsn(), autocommit=True) as connection:
        (data,) = connection.execute("SHOW data_directory").fetchone() or ("",)
        owner = Path(data).stat()
        os.chown(place, owner.st_uid, owner.st_gid)
        connection.execute(f"CREATE TABLESPACE {name} LOCATION '{place}'")
        connection.execute(f"GRANT CREATE ON TABLESPACE {name} TO PUBLIC")
        yield name
        connection.execute(f"DROP TABLESPACE {name}")


def cramp(dsn: str, space: str, disk: Disk) -> None:
    """This database lies there from now on, with two megabytes left for whatever is made in it."""
    disk.resize(64 << 10)
    name = conninfo_to_dict(dsn)["dbname"]
    with psycopg.connect(make_conninfo(dsn, dbname="postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET TABLESPACE {}").format(sql.Identifier(name), sql.Identifier(space))
        )
    disk.resize((shutil.disk_usage(disk.path).used >> 10) + 2048)


@pytest.fixture
def cramped_drill(disk: Disk, space: str) -> Callable:
    @contextmanager
    def cramped(*asked: int) -> Iterator[ReusedServer]:
        with reused(*asked) as server:
            make = server.create_database

            def create(name: str, **options) -> None:
                make(name, **options)
                cramp(server.dsn(name), space, disk)

            server.create_database = create  # type: ignore[method-assign]
            yield server

    return cramped


@pytest.mark.parametrize("kilobytes", sampling.share(map(str, (4, 12, 20, 28, 36, 52, 68, 84, 100, 116)), 5))
def test_a_store_without_room_lists_nothing_unfinished(kilobytes: str, disk: Disk, sampelit, drill) -> None:
    disk.resize(int(kilobytes))
    store, run = open_store(f"file://{disk.path}/store"), new_ulid()

    with pytest.raises(StoreError, match="The disk is full: free space and run again"):
        export(AUDIT, ExportPlan(run, sampelit["export"], store))

    assert list(runs(store, None)) == []
    assert [path for path in disk.path.rglob("*") if path.is_file() and "incoming" in str(path.parent)] == []
    disk.resize(4096)
    manifest = export(AUDIT, ExportPlan(run, sampelit["export"], store, fence=2))
    assert (prove(manifest, store, server=drill).status, [item.run for item in runs(store, None)]) == ("proven", [run])


def test_a_proof_that_finds_no_room_is_no_proof(disk: Disk, sampelit, drill) -> None:
    disk.resize(4096)
    store = open_store(f"file://{disk.path}/store")
    manifest = exported(sampelit["export"], store)
    verdict = prove(manifest, store, server=drill)
    with (disk.path / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
        while ballast.write(bytes(4096)):
            pass

    with pytest.raises(StoreError, match="The disk is full"):
        store_proof(store, verdict, None)

    assert [item.status for item in runs(store, None)] == ["stored"]
    (disk.path / "ballast").unlink()
    store_proof(store, verdict, None)
    assert [item.status for item in runs(store, None)] == ["proven"]


@pytest.mark.parametrize("text", [ROWS, KEYS], ids=["rows", "an index"])
def test_a_drill_without_room_says_nothing_about_the_copy(
    text: str, disk: Disk, cramped_drill, drill, database, store: Store
) -> None:
    """It did not happen, and may happen later: the run is neither failed nor suspect."""
    manifest = exported(database(text), store, ALL)

    with pytest.raises(ProviderError, match=FULL) as raised:
        prove(manifest, store, server=cramped_drill)

    assert raised.value.retryable
    assert prove(manifest, store, server=drill).status == "proven"


@pytest.mark.parametrize("parts", [False, True], ids=["at once", "in parts"])
@pytest.mark.parametrize("text", [ROWS, KEYS], ids=["rows", "an index"])
def test_a_target_without_room_stays_empty(
    text: str, parts: bool, disk: Disk, space: str, database, empty_database: str, store: Store, monkeypatch
) -> None:
    source = database(text)
    manifest: Manifest = exported(source, store, ALL)
    before = dumped(empty_database)
    cramp(empty_database, space, disk)
    if parts:
        monkeypatch.setattr(in_parts, "room", lambda connection: 0)

    with pytest.raises(ProviderError, match=r"disk full|No space left"):
        restore(manifest, store, (), Target(empty_database))

    assert dumped(empty_database) == before
    disk.resize(64 << 10)
    restore(manifest, store, (), Target(empty_database))
    assert dumped(empty_database, "--no-tablespaces") == dumped(source)
