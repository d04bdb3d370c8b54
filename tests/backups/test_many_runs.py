"""A store of ten thousand runs: the newest are listed without asking for the others."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from backups.archive.manifest import Manifest
from backups.archive.reader import runs
from providers.storage.base import Store
from providers.storage.factory import open_store


def asked_for(store: Store) -> list[str]:
    """Keys that are read or listed from here on."""
    keys: list[str] = []

    def kept(function: Callable[[str], Any]) -> Callable[[str], Any]:
        def asking(key: str = "") -> Any:
            keys.append(key)
            return function(key)

        return asking

    for name in ("get", "list", "head"):
        setattr(store, name, kept(getattr(store, name)))
    return keys


def crowded(store: Store, manifest: Manifest, count: int) -> None:
    """Folders of older and of newer runs; the newest two were never finished."""
    root = Path(store.url.removeprefix("file://")) / "runs"
    for number in range(count):
        (root / f"00{number:024d}").mkdir()
    for name in ("7Z", "7Y"):
        (root / f"{name}{manifest.run[2:]}" / "1").mkdir(parents=True)


def test_the_newest_of_ten_thousand_are_listed_at_once(manifest: Manifest, store: Store) -> None:
    crowded(store, manifest, 10_000)
    keys, began = asked_for(store), time.monotonic()

    listed = list(runs(store, None, 1))

    assert [run.run for run in listed] == [manifest.run]
    assert time.monotonic() - began < 2
    assert {key.split("/")[1][2:] for key in keys} == {manifest.run[2:]}
    assert len(keys) < 10


def test_a_bucket_tells_the_names_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="many")
        for number in range(30):
            client.put_object(Bucket="many", Key=f"here/runs/{number:04d}/1/part", Body=b"x")
        store = open_store("s3://many/here?region=us-east-1")

        names = list(store.folders("runs/"))

    assert (len(names), names[0], names[-1]) == (30, "0000", "0029")
