"""The same run on a real S3 server that checks signature, checksum and conditions; quick cases on moto."""

from __future__ import annotations

import hashlib
from unittest.mock import Mock

import pytest
from botocore.loaders import create_loader

from backups.archive.reader import load, runs
from backups.proof.prove import prove, store_proof
from providers.storage import s3_client
from providers.storage.base import AlreadyStored, Missing, StoreError, parse
from providers.storage.factory import open_store
from providers.storage.s3 import S3Store
from tests.backups.conftest import exported

pytestmark = pytest.mark.s3


def test_what_boto3_knows_of_s3_is_read_once_for_all_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs 20 MB, which forked workers share."""
    descriptions = Mock(wraps=create_loader())
    monkeypatch.setattr(s3_client, "_descriptions", lambda: descriptions)

    s3_client.client(parse("s3://b?endpoint=http://127.0.0.1:1"), "key", "secret")

    assert descriptions.load_service_model.called


def test_an_export_to_s3_is_proven(sampelit, s3_url: str, drill) -> None:
    store = open_store(s3_url)
    manifest = exported(sampelit["export"], store)

    verdict = prove(load(store, manifest.run, None), store, server=drill)
    store_proof(store, verdict, None)

    assert verdict.status == "proven"
    assert (manifest.run, "proven") in {(item.run, item.status) for item in runs(store, None)}


def test_an_object_is_written_once(s3_url: str) -> None:
    store = open_store(s3_url)
    first = store.put_once("once/a", b"one")
    again = store.put_once("once/a", b"one")

    with pytest.raises(AlreadyStored, match="was not overwritten"):
        store.put_once("once/a", b"two")
    assert store.get("once/a") == b"one"
    assert first.sha256 == again.sha256 == hashlib.sha256(b"one").hexdigest()


def test_listing_heads_and_deleting(s3_url: str) -> None:
    store = open_store(s3_url)
    store.put_once("many/a", b"1")
    store.put_once("many/b/c", b"22")

    assert [(item.key, item.size_bytes) for item in store.list("many/")] == [("many/a", 1), ("many/b/c", 2)]
    store.delete("many/a")
    assert store.head("many/a") is None
    with pytest.raises(Missing, match=r"many/a is missing"):
        store.get("many/a")


def test_a_wrong_bucket(s3_url: str) -> None:
    store = open_store(s3_url.replace("s3://backups/", "s3://nowhere/"))

    with pytest.raises(StoreError, match=r"may not do this|does not exist"):
        store.put_once("a", b"1")


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY|credentials"),
        ("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID|credent"),
    ],
)
def test_wrong_keys_are_named_and_not_shown(s3_url: str, monkeypatch, variable: str, said: str) -> None:
    monkeypatch.setenv(variable, "verysecretwrongkey1")

    with pytest.raises(StoreError, match=said) as caught:
        open_store(s3_url).put_once("a", b"1")
    assert "verysecretwrongkey1" not in caught.value.message


def test_a_server_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "any")
    store = S3Store(parse("s3://backups/x?endpoint=http://127.0.0.1:9&region=us-east-1"))

    with pytest.raises(StoreError, match="Check that the store is up"):
        store.put_once("a", b"1")


class LostAnswer:
    """A client whose first PUT arrives but whose answer is lost."""

    def __init__(self, client) -> None:
        self.client, self.lost = client, False

    def __getattr__(self, name: str):
        return getattr(self.client, name)

    def put_object(self, **values):
        answer = self.client.put_object(**values)
        if not self.lost:
            self.lost = True
            raise ConnectionError("the answer was lost")
        return answer


def test_a_lost_answer_is_looked_up_not_repeated(s3_url: str) -> None:
    store = S3Store(parse(s3_url))
    store._client = LostAnswer(store.client)  # type: ignore[assignment]

    stored = store.put_once("lost/a", b"one")

    assert stored.sha256 == hashlib.sha256(b"one").hexdigest()
    assert store.get("lost/a") == b"one"


def test_moto_behaves_the_same_for_the_quick_cases(monkeypatch) -> None:
    from moto import mock_aws

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        store = S3Store(parse("s3://backups/prefix?region=us-east-1"))
        store.client.create_bucket(Bucket="backups")
        store.put_once("a/b", b"one")

        with pytest.raises(AlreadyStored):
            store.put_once("a/b", b"two")
        assert [item.key for item in store.list("a/")] == ["a/b"]
        assert store.get("a/b") == b"one"
