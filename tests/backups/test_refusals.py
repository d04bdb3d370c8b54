"""Every way an export can go wrong says what happened and what to do; none leaves a run behind."""

from __future__ import annotations

import resource
from pathlib import Path

import psycopg
import pytest

from backups.archive.reader import runs
from backups.policy_spec import PolicySpec
from backups.proof.prove import prove
from providers.errors import ProviderError, Refused
from providers.storage.base import AlreadyStored, Store
from providers.storage.factory import open_store
from providers.storage.local import LocalStore
from tests.backups.conftest import exported


def spec(*tables: str) -> PolicySpec:
    return PolicySpec("some", "production", tables)


def test_an_unknown_table(sampelit, store: Store) -> None:
    with pytest.raises(Refused, match=r"no table public\.nonsense.*Nothing was copied"):
        exported(sampelit["export"], store, spec("users", "public.nonsense"))
    assert list(runs(store, None)) == []


def test_an_empty_table_is_never_green(sampelit_copy, store: Store, drill) -> None:
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        connection.execute("CREATE TABLE public.hollow (id int); GRANT SELECT ON public.hollow TO sampelit_export")
    manifest = exported(sampelit_copy["export"], store, spec("hollow"))

    verdict = prove(manifest, store, server=drill)

    assert verdict.status == "suspect"
    assert "public.hollow is empty" in verdict.reasons[0]


def test_a_role_without_permission(sampelit_copy, store: Store) -> None:
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        connection.execute("CREATE SCHEMA hidden; CREATE TABLE hidden.secret (id int)")
        connection.execute("GRANT USAGE ON SCHEMA hidden TO sampelit_export_limited")

    with pytest.raises(Refused, match=r"may not read hidden\.secret.*GRANT SELECT"):
        exported(sampelit_copy["export_limited"], store, spec("hidden.secret"))


def test_row_level_security_that_hides_rows(sampelit, store: Store) -> None:
    with pytest.raises(Refused, match=r"Row-level security hides rows of public\.users.*BYPASSRLS"):
        exported(sampelit["export_limited"], store, spec("users"))
    assert list(store.list()) == []


def test_a_database_that_is_down(store: Store) -> None:
    with pytest.raises(ProviderError, match=r"at 127\.0\.0\.1:9/x did not accept.*Nothing was read") as caught:
        exported("postgresql://someone:verysecret@127.0.0.1:9/x", store, spec("users"))
    assert caught.value.retryable
    assert "verysecret" not in caught.value.message


def test_a_wrong_password_is_not_repeated_in_the_message(sampelit, store: Store) -> None:
    dsn = psycopg.conninfo.make_conninfo(sampelit["export"], password="verysecret")

    with pytest.raises(ProviderError) as caught:
        exported(dsn, store, spec("users"))

    assert "verysecret" not in caught.value.message


def test_a_full_disk_leaves_no_run_and_no_half_object(sampelit, tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}/store")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(ProviderError, match=r"could not write.*No object was left half-written"):
            exported(sampelit["export"], store, spec("algorithm_audit_trail"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(store.list()) == []
    assert list((tmp_path / "store" / ".incoming").iterdir()) == []


class Full(LocalStore):
    """A directory whose disk is full."""

    def _write(self, target: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")


def test_no_space_left_says_so(sampelit, tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="The disk is full: free space and run again"):
        exported(sampelit["export"], Full(tmp_path / "store"), spec("users"))


def test_a_store_that_is_a_file(sampelit, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("in the way")

    with pytest.raises(ProviderError, match=r"Not a directory\. Check the directory"):
        exported(sampelit["export"], open_store(f"file://{tmp_path}/store"), spec("users"))


def test_a_store_never_overwrites(store: Store) -> None:
    store.put_once("a/b", b"one")
    store.put_once("a/b", b"one")

    with pytest.raises(AlreadyStored, match="was not overwritten"):
        store.put_once("a/b", b"two")
    assert store.get("a/b") == b"one"


def test_a_local_store_is_private(store: Store) -> None:
    store.put_once("a/b", b"one")
    root = Path(store.url.removeprefix("file://"))

    assert root.stat().st_mode & 0o777 == 0o700
    assert (root / "a" / "b").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("url", ["", "/tmp/x", "ftp://x/y", "s3://", "s3://b/p?secret=1", "file://host/dir"])
def test_a_store_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(Refused, match="neither file:///dir nor s3://"):
        open_store(url)


def test_a_store_url_with_credentials_is_refused() -> None:
    with pytest.raises(Refused, match="carries credentials"):
        open_store("s3://key:verysecret@bucket/prefix")


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../../x", "a//b", ".incoming/x"])
def test_keys_that_leave_the_store_are_refused(store: Store, key: str) -> None:
    with pytest.raises(Refused):
        store.get(key)
