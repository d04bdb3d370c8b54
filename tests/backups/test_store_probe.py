"""What a store can do, asked of real ones: a directory, seaweedfs with and without Object Lock, moto with IAM."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from django.core.management import call_command

from backups.models import Policy, StoreReport
from backups.stores import configured
from operations.models import Environment
from providers.errors import Refused
from providers.storage.base import AlreadyStored, Retained, Stored, StoreError, parse
from providers.storage.factory import open_store
from providers.storage.finding import StoreFinding
from providers.storage.iam_policies import documents
from providers.storage.probe import probe, ready
from providers.storage.s3 import S3Store
from providers.storage.s3_client import client
from tests.seaweed import ADMIN


def by_name(findings: list[StoreFinding]) -> dict[str, StoreFinding]:
    return {item.name: item for item in findings}


@pytest.fixture
def locked_url(s3_url: str, monkeypatch) -> str:
    monkeypatch.setenv("BACKUP_OBJECT_LOCK_DAYS", "3")
    monkeypatch.setenv("BACKUP_OBJECT_LOCK_MODE", "COMPLIANCE")
    return s3_url.replace("s3://backups/", "s3://locked/")


def test_a_directory_can_what_the_protocol_needs(tmp_path) -> None:
    findings = by_name(probe(open_store(f"file://{tmp_path}/store")))

    assert {name: item.tone for name, item in findings.items()} == {
        "write, read back, no overwrite": "ok",
        "list": "ok",
        "directory mode": "ok",
        "room": "ok",
        "place": "idle",
        "Object Lock": "idle",
    }


def test_a_directory_that_others_can_read_or_that_is_ephemeral_is_amber(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("RENDER", "true")
    tmp_path.chmod(0o755)

    findings = by_name(probe(open_store(f"file://{tmp_path}")))

    assert (findings["directory mode"].tone, findings["place"].tone) == ("warn", "warn")
    assert findings["directory mode"].fix == f"chmod 700 {tmp_path}"


@pytest.mark.s3
def test_a_plain_bucket(s3_url: str) -> None:
    findings = by_name(probe(open_store(s3_url)))

    tones = {name: item.tone for name, item in findings.items()}
    assert tones.pop("versioning") in ("idle", "warn")
    assert tones == {
        "write, read back, no overwrite": "ok",
        "list": "ok",
        "address": "ok",
        "clock": "ok",
        "checksum": "ok",
        "Object Lock": "idle",
        "delete": "warn",
    }


@pytest.mark.s3
def test_a_locked_object_says_until_when_and_refuses_to_go(locked_url: str, monkeypatch) -> None:
    store = open_store(locked_url)
    stored = store.put_once("runs/a/manifest.json", b"one")
    tones = {name: item.tone for name, item in by_name(probe(store)).items()}

    until = store.retention_of("runs/a/manifest.json")

    assert until == stored.retained_until
    assert stored.lock_mode == "COMPLIANCE"
    assert tones["Object Lock"] == "ok"
    with pytest.raises(Retained, match=r"is retained until .*COMPLIANCE.* was not deleted"):
        store.delete("runs/a/manifest.json")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ADMIN)
    admin = client(parse(locked_url))
    name = f"{parse(locked_url).prefix}/runs/a/manifest.json"
    version = admin.list_object_versions(Bucket="locked", Prefix=name)["Versions"][0]["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        admin.delete_object(Bucket="locked", Key=name, VersionId=version, BypassGovernanceRetention=True)
    assert store.get("runs/a/manifest.json") == b"one"


@pytest.mark.s3
def test_a_lock_that_the_bucket_does_not_offer_is_amber_and_does_not_stop_a_backup(s3_url: str, monkeypatch) -> None:
    monkeypatch.setenv("BACKUP_OBJECT_LOCK_DAYS", "3")
    store = open_store(s3_url)

    assert store.put_once("a", b"1").retained_until is None
    assert store.retention_of("a") is None
    assert by_name(probe(store))["Object Lock"].tone == "warn"


def test_a_lock_that_is_no_number_is_refused(monkeypatch) -> None:
    monkeypatch.setenv("BACKUP_OBJECT_LOCK_DAYS", "a month")

    with pytest.raises(Refused, match="BACKUP_OBJECT_LOCK_DAYS is a number of days"):
        open_store("s3://backups/x?region=us-east-1").put_once("a", b"1")


class Careless(S3Store):
    """A store that ignores If-None-Match."""

    def put_once(self, key: str, data: bytes | bytearray) -> Stored:
        self.client.put_object(Bucket=self.address.bucket, Key=self.name_of(key), Body=bytes(data))
        head = self.head(key)
        assert head is not None
        return head


@pytest.fixture
def moto(monkeypatch) -> Iterator[S3Store]:
    from moto import mock_aws

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", uuid4().hex)
    with mock_aws():
        store = S3Store(parse("s3://backups/prefix?region=us-east-1"))
        store.client.create_bucket(Bucket="backups")
        yield store


def test_a_store_that_overwrites_is_refused_before_an_export(moto: S3Store) -> None:
    with pytest.raises(Refused, match=r"overwrites objects although it is told not to.*Nothing was copied"):
        ready(Careless(moto.address))

    assert by_name(probe(Careless(moto.address)))["write, read back, no overwrite"].tone == "bad"


def test_a_store_whose_probe_object_was_replaced_is_refused(moto: S3Store) -> None:
    moto.client.put_object(Bucket="backups", Key="prefix/probe/conditional", Body=b"somebody else's")

    with pytest.raises(Refused, match="lost its own probe object"):
        ready(moto)


def test_a_store_that_is_away_is_one_red_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "any")
    findings = probe(open_store("s3://backups/x?endpoint=http://127.0.0.1:9&region=us-east-1"))

    assert [(item.tone, "Check that the store is up" in item.found) for item in findings] == [("bad", True)]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ExpiredToken", "The credentials have expired: issue new ones"),
        ("RequestTimeTooSkewed", "This machine's clock is wrong: correct it"),
        ("NotImplemented", "no conditional writes, which the commit protocol needs"),
        ("NoSuchBucket", "The bucket does not exist: correct the store URL"),
    ],
)
def test_what_a_store_answers_is_told_before_an_export_and_without_the_secret(
    moto: S3Store, monkeypatch, code: str, said: str
) -> None:
    def answer(*args: object, **values: object) -> None:
        raise ClientError({"Error": {"Code": code}}, "PutObject")

    monkeypatch.setattr(moto, "_client", SimpleNamespace(put_object=answer, head_object=answer))

    with pytest.raises(StoreError, match=said) as caught:
        ready(moto)
    assert "Nothing was overwritten" in caught.value.message
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in caught.value.message


def test_a_writer_that_may_not_read_back_is_told(moto: S3Store, as_role, monkeypatch) -> None:
    blind = documents(moto.address) | {"writer": _without(documents(moto.address)["writer"], "s3:GetObject")}
    monkeypatch.setattr("tests.backups.test_store_probe.documents", lambda address: blind)

    with pytest.raises(StoreError, match=r"refused to (look at|read) probe/conditional.*may not do this"):
        ready(as_role("writer"))


def _without(policy: dict, action: str) -> dict:
    statements = [
        {**statement, "Action": [name for name in statement["Action"] if name != action]}
        for statement in policy["Statement"]
    ]
    return {**policy, "Statement": statements}


@pytest.fixture
def as_role(moto: S3Store, monkeypatch):
    """A store with the credentials of a fresh IAM user that has one of the printed policies; moto enforces them."""
    import boto3
    from moto.core.authorization import enable_iam_authentication

    iam = boto3.client("iam", region_name="us-east-1")
    enforced = ExitStack()

    def make(role: str) -> S3Store:
        iam.create_user(UserName=role)
        text = json.dumps(documents(moto.address)[role])
        iam.put_user_policy(UserName=role, PolicyName=role, PolicyDocument=text)
        key = iam.create_access_key(UserName=role)["AccessKey"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        enforced.enter_context(enable_iam_authentication())
        return S3Store(moto.address)

    with enforced:
        yield make


def test_the_writer_policy_suffices_and_forbids_deleting(as_role) -> None:
    store = as_role("writer")

    ready(store)
    store.put_once("runs/a/1/segment", b"one")

    assert store.head("runs/a/missing") is None
    assert [item.key for item in store.list("runs/")] == ["runs/a/1/segment"]
    with pytest.raises(AlreadyStored):
        store.put_once("runs/a/1/segment", b"two")
    with pytest.raises(StoreError, match=r"may not do this.*store_policies"):
        store.delete("runs/a/1/segment")


def test_the_prover_reads_everything_and_writes_only_proofs(moto: S3Store, as_role) -> None:
    moto.put_once("runs/a/manifest.json", b"one")
    store = as_role("prover")

    ready(store)
    store.put_once("runs/a/proof-1.json", b"{}")

    assert store.get("runs/a/manifest.json") == b"one"
    for act in (lambda: store.put_once("runs/a/1/x", b"1"), lambda: store.delete("runs/a/manifest.json")):
        with pytest.raises(StoreError, match="may not do this"):
            act()


def test_the_reaper_deletes_and_writes_nothing(moto: S3Store, as_role) -> None:
    moto.put_once("runs/a/manifest.json", b"one")
    store = as_role("reaper")

    store.delete("runs/a/manifest.json")

    assert store.head("runs/a/manifest.json") is None
    with pytest.raises(StoreError, match="may not do this"):
        store.put_once("runs/a/manifest.json", b"two")


def test_the_commands(tmp_path) -> None:
    probed, printed = io.StringIO(), io.StringIO()

    call_command("probe_store", store=f"file://{tmp_path}", json=True, stdout=probed)
    call_command("store_policies", store="s3://b/p", only="writer", stdout=printed)

    assert json.loads(probed.getvalue())["usable"] is True
    assert "s3:DeleteObject" not in printed.getvalue()
    assert json.loads(printed.getvalue())["Statement"][0]["Resource"] == "arn:aws:s3:::b/p/*"


@pytest.mark.django_db
def test_a_secret_named_as_a_store_is_shown_by_its_variables_name(settings, tmp_path, monkeypatch) -> None:
    settings.BACKUP_STORE = f"file://{tmp_path}"
    production = Environment.objects.create(slug="production", name="P", kind="production")
    Policy.objects.create(environment=production, name="a", tables=["a"], second_store_env="BACKUP_SIGNING_KEY")
    monkeypatch.setenv("BACKUP_SIGNING_KEY", "very-secret-key")

    for url in configured.known():
        configured.report(url)

    kept = dict(StoreReport.objects.values_list("url", "usable"))
    assert kept == {f"file://{tmp_path}": True, "BACKUP_SIGNING_KEY": False}
