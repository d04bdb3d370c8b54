"""Orphans go after their grace time and nothing else does; keys are made, listed, rotated and checked."""

from __future__ import annotations

import io
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pyrage import x25519

from backups.archive.signatures import generate, load_signer, load_verifier
from backups.proof.prove import prove, store_proof
from backups.stores.orphans import sweep
from providers.storage.base import Store
from tests.backups.conftest import exported

LATER = datetime.now(UTC) + timedelta(days=3)


def test_only_orphans_are_swept(sampelit, store: Store, drill) -> None:
    manifest = exported(sampelit["export"], store)
    store_proof(store, prove(manifest, store, server=drill), None)
    whole = sorted(item.key for item in store.list())
    store.put_once(f"runs/{manifest.run}/9/000-users/left.csv.zst", b"half")
    store.put_once("runs/NEVERFINISHED/1/000-users/left.csv.zst", b"half")

    young = sweep(store, datetime.now(UTC))
    old = sweep(store, LATER)

    assert young == []
    assert old == [
        "runs/" + key
        for key in sorted([f"{manifest.run}/9/000-users/left.csv.zst", "NEVERFINISHED/1/000-users/left.csv.zst"])
    ]
    assert sorted(item.key for item in store.list()) == whole


def test_a_run_whose_manifest_is_damaged_is_left_for_people(sampelit, store: Store) -> None:
    manifest = exported(sampelit["export"], store)
    path = Path(store.url.removeprefix("file://")) / "runs" / manifest.run / "manifest.json"
    path.write_bytes(path.read_bytes()[:-10])

    assert sweep(store, LATER) == []


def test_a_run_that_lost_its_manifest_is_left_for_people(sampelit, store: Store, drill) -> None:
    proven, stored, stranger = (exported(sampelit["export"], store) for _ in range(3))
    store_proof(store, prove(proven, store, server=drill), None)
    for manifest in (proven, stored, stranger):
        store.delete(f"runs/{manifest.run}/manifest.json")

    removed = sweep(store, LATER, known={stored.run})

    assert {key.split("/")[1] for key in removed} == {stranger.run}


def keys(*arguments: str) -> str:
    out = io.StringIO()
    call_command("keys", *arguments, stdout=out)
    return out.getvalue()


def test_a_new_signing_key_is_private_and_works(tmp_path: Path) -> None:
    text = keys("create", "signing", "--out", str(tmp_path / "key"))

    private = (tmp_path / "key").read_text().strip()
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert private not in text
    assert load_signer(private).key_id in text


def test_rotating_keeps_the_old_recipients_and_public_keys(settings) -> None:
    settings.BACKUP_AGE_RECIPIENTS = ["age1old"]
    settings.BACKUP_PUBLIC_KEYS = []
    settings.BACKUP_SIGNING_KEY = generate()[0]

    assert "BACKUP_AGE_RECIPIENTS=age1old,age1" in keys("rotate", "age")
    assert "BACKUP_PUBLIC_KEYS=" in keys("rotate", "signing")


def test_a_retired_public_key_is_still_accepted(sampelit, store: Store, settings) -> None:
    from backups.archive import keys as archive_keys
    from backups.archive.reader import load

    old, new = generate()[0], generate()[0]
    manifest = exported(sampelit["export"], store, signer=load_signer(old))
    settings.BACKUP_SIGNING_KEY = new
    settings.BACKUP_PUBLIC_KEYS = [archive_keys.public_text(load_signer(old).verifier)]

    assert load(store, manifest.run, archive_keys.verifier()) == manifest


def test_check_names_runs_that_no_configured_key_opens(sampelit, store: Store, settings) -> None:
    lost, living = x25519.Identity.generate(), x25519.Identity.generate()
    manifest = exported(sampelit["export"], store, recipients=(str(lost.to_public()),))
    settings.BACKUP_AGE_RECIPIENTS = [str(living.to_public()), str(lost.to_public())]
    out = io.StringIO()
    call_command("keys", "check", "--store", store.url, stdout=out)
    settings.BACKUP_AGE_RECIPIENTS = [str(living.to_public()), str(x25519.Identity.generate().to_public())]

    with pytest.raises(SystemExit):
        call_command("keys", "check", "--store", store.url, "--json", stdout=(red := io.StringIO()))

    assert "Every run has a living recipient" in out.getvalue()
    assert manifest.run in json.loads(red.getvalue())["problems"][0]


def test_the_public_half_is_readable_as_pem(settings) -> None:
    private, verifier = generate()
    settings.BACKUP_SIGNING_KEY = private

    assert load_verifier(keys("public")).key_id == verifier.key_id


def test_a_key_without_a_kind_is_refused() -> None:
    with pytest.raises(CommandError, match="signing or age"):
        keys("create")
