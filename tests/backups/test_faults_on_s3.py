"""The same faults on buckets: moto and seaweedfs. A seeded sample; SOAK=1 walks every call."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from backups.archive.signed_json import ManifestError
from backups.export.exporter import ExportPlan, export
from operations.models.ulid import new_ulid
from providers.errors import ProviderError
from providers.storage.base import Store, Stored, StoreError, parse
from providers.storage.factory import open_store
from providers.storage.s3 import S3Store
from tests import sampling
from tests.backups.conftest import AUDIT
from tests.backups.test_faults import FAULTS, SEED, Faulty, believed


class OnMoto(S3Store):
    """moto cannot take a bytearray as a body; real servers can."""

    def put_once(self, key: str, data: bytes | bytearray) -> Stored:
        return super().put_once(key, bytes(data))


@pytest.fixture
def moto(monkeypatch) -> Iterator[Store]:
    from moto import mock_aws

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "faults")
    with mock_aws():
        store = OnMoto(parse("s3://backups/prefix?region=us-east-1"))
        store.client.create_bucket(Bucket="backups")
        yield store


def cases() -> list[tuple[str, int]]:
    if sampling.WHOLE:
        return [(fault, at) for fault in FAULTS for at in range(1, 13)]
    chance = random.Random(SEED + 1)
    return [(fault, chance.randint(1, 11)) for fault in chance.sample(FAULTS, 2)]


def walk(dsn: str, store: Store, drill, fault: str, at: int) -> None:
    run = new_ulid()
    for where, fence in ((Faulty(store, fault, at), 1), (store, 2)):
        try:
            export(AUDIT, ExportPlan(run, dsn, where, fence=fence))
        except (ProviderError, ManifestError):
            assert fence == 1 or fault in ("short write", "flipped bit")
    statuses = believed(store, drill)
    assert set(statuses.values()) <= {"proven", "red"}
    assert fault in ("short write", "flipped bit") or statuses == {run: "proven"}


@pytest.mark.parametrize(("fault", "at"), cases())
def test_on_moto(sampelit, moto: Store, drill, fault: str, at: int) -> None:
    walk(sampelit["export"], moto, drill, fault, at)


@pytest.mark.s3
@pytest.mark.parametrize(("fault", "at"), cases())
def test_on_seaweedfs(sampelit, s3_url: str, drill, fault: str, at: int) -> None:
    walk(sampelit["export"], open_store(s3_url), drill, fault, at)


def test_an_answer_of_success_without_the_object_is_no_success(moto: S3Store, monkeypatch) -> None:
    """Some stores answer 200 with an error inside; what is not there afterwards was not stored."""
    monkeypatch.setattr(moto.client, "put_object", lambda **values: {"ResponseMetadata": {"HTTPStatusCode": 200}})

    with pytest.raises(StoreError, match="accepted a but does not show it whole"):
        moto.put_once("a", b"1")
