"""The offline verifier: one file that needs nothing of the portal, and agrees with it about damage and chains."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from pyrage import decrypt, x25519
from pytest_django import Settings

from backups.archive import keys as archive_keys
from backups.archive import tombstone
from backups.archive.manifest import Manifest, manifest_key
from backups.archive.signatures import generate, load_signer
from providers.storage.base import Store
from sampelit_ops.roles import sync_roles
from tests.backups.conftest import exported
from tests.backups.test_proof import flip, path_of

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "verify_backup.py"
PRIVATE, VERIFIER = generate()
SIGNER = load_signer(PRIVATE)


def verify(store: Store, tmp_path: Path, *more: str) -> tuple[int, str]:
    """Run a copy of the file elsewhere, isolated from this repository."""
    alone = tmp_path / "elsewhere"
    alone.mkdir(exist_ok=True)
    shutil.copy(SCRIPT, alone)
    (alone / "key.pem").write_text(VERIFIER.pem)
    argv = [sys.executable, "-I", alone / SCRIPT.name, store.url.removeprefix("file://"), "--public-key"]
    done = subprocess.run([*argv, alone / "key.pem", *more], capture_output=True, text=True, cwd=alone)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def signed(sampelit, store: Store) -> Manifest:
    return exported(sampelit["export"], store, signer=SIGNER)


def test_a_whole_run_verifies_with_its_chains(signed: Manifest, store: Store, tmp_path: Path) -> None:
    code, said = verify(store, tmp_path)

    assert code == 0, said
    assert f"ok  {signed.run}" in said
    assert "4 chains" in said


def test_a_flipped_byte_a_missing_object_and_an_edited_manifest(signed: Manifest, store: Store, tmp_path: Path) -> None:
    segment = signed.segments[0]
    flip(path_of(store, segment.key))
    flipped = verify(store, tmp_path)
    flip(path_of(store, segment.key))
    hidden = path_of(store, segment.key).rename(tmp_path / "hidden")
    missing = verify(store, tmp_path)
    hidden.rename(path_of(store, segment.key))
    flip(path_of(store, manifest_key(signed.run)), 500)
    edited = verify(store, tmp_path)

    assert (flipped[0], missing[0], edited[0]) == (1, 1, 1)
    assert "was altered" in flipped[1]
    assert "is missing" in missing[1]
    assert "its manifest" in edited[1]


def test_another_key_and_no_signature_are_refused(sampelit, store: Store, tmp_path: Path) -> None:
    exported(sampelit["export"], store, signer=load_signer(generate()[0]))
    other = verify(store, tmp_path)
    shutil.rmtree(store.url.removeprefix("file://"))
    exported(sampelit["export"], store)
    unsigned = verify(store, tmp_path)

    assert other[0] == unsigned[0] == 1
    assert "does not hold for the given key" in other[1]
    assert "is not signed" in unsigned[1]


def test_encrypted_runs_are_opened_with_plain_copies(sampelit, store: Store, tmp_path: Path) -> None:
    identity = x25519.Identity.generate()
    manifest = exported(sampelit["export"], store, signer=SIGNER, recipients=(str(identity.to_public()),))
    plain = tmp_path / "plain"
    for segment in manifest.segments:
        path = plain / segment.key.removesuffix(".age")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(decrypt(store.get(segment.key), [identity]))

    closed = verify(store, tmp_path)
    opened = verify(store, tmp_path, "--plain", str(plain))
    nothing = verify(store, tmp_path, "--plain", str(tmp_path / "elsewhere"))
    exported(sampelit["export"], store, signer=SIGNER, recipients=(str(identity.to_public()),))
    one_of_two = verify(store, tmp_path, "--plain", str(plain))
    flip(next(plain.rglob("*.zst")), 60)
    spoilt = verify(store, tmp_path, "--plain", str(plain))

    assert closed[0] == 0
    assert "0 opened" in closed[1]
    assert opened[0] == 0
    assert "4 chains" in opened[1]
    assert (nothing[0], "lies opened under" in nothing[1]) == (1, True)
    assert (one_of_two[0], "0 opened" in one_of_two[1]) == (0, True)
    assert spoilt[0] == 1


def test_a_forged_row_is_found_in_the_exported_chain(sampelit_copy, store: Store, tmp_path: Path) -> None:
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        connection.execute("UPDATE algorithm_audit_trail SET visitor_id = 'forged' WHERE sequence_number = 7")
    exported(sampelit_copy["export"], store, signer=SIGNER)

    code, said = verify(store, tmp_path)

    assert code == 1
    assert "row 7's content does not give its decision_hash" in said


def test_odd_visitor_ids_hash_as_the_product_hashes_them(sampelit_copy, store: Store, tmp_path: Path, drill) -> None:
    from backups.proof.prove import prove
    from sandbox.chain import decision_hash

    odd = ['ñ日😀 "q" \\ tab\t', "line\nbreak\x7f\u2028", ""]
    with psycopg.connect(sampelit_copy["admin"]) as connection:
        rows = connection.execute(
            "SELECT id, selected_variant_id, segment_key, decision_timestamp, previous_hash, sequence_number"
            " FROM algorithm_audit_trail t WHERE sequence_number = (SELECT max(sequence_number) FROM"
            " algorithm_audit_trail x WHERE x.experiment_id = t.experiment_id) LIMIT 3"
        ).fetchall()
        for (pk, variant, segment, at, previous, sequence), visitor in zip(rows, odd, strict=True):
            digest = decision_hash(visitor, variant, segment, at, previous, sequence)
            connection.execute(
                "UPDATE algorithm_audit_trail SET visitor_id = %s, decision_hash = %s WHERE id = %s",
                [visitor, digest, pk],
            )
    manifest = exported(sampelit_copy["export"], store, signer=SIGNER)

    assert verify(store, tmp_path)[0] == 0
    assert prove(manifest, store, server=drill).reasons == []


def test_a_period_without_runs_is_not_green(signed: Manifest, store: Store, tmp_path: Path) -> None:
    assert verify(store, tmp_path, "--period", signed.source.taken_at[:7])[0] == 0
    assert verify(store, tmp_path, "--period", "1999-01")[0] == 1
    assert "a month such as 2026-03, not '2026-3'" in verify(store, tmp_path, "--period", "2026-3")[1]


def test_a_run_that_retention_purged_keeps_its_evidence_and_no_byte_of_it_may_change(
    signed: Manifest, store: Store, tmp_path: Path
) -> None:
    for segment in signed.segments:
        store.delete(segment.key)
    stolen = verify(store, tmp_path)
    tombstone.leave(store, signed, "an operation", datetime(2027, 3, 1, tzinfo=UTC), SIGNER)
    kept = verify(store, tmp_path)
    flip(path_of(store, tombstone.purged_key(signed.run)), 120)
    forged = verify(store, tmp_path)
    flip(path_of(store, tombstone.purged_key(signed.run)), 120)
    flip(path_of(store, manifest_key(signed.run)), 500)
    edited = verify(store, tmp_path)

    assert [code for code, _ in (stolen, kept, forged, edited)] == [1, 0, 1, 1]
    assert "is missing" in stolen[1]
    assert "data deleted by retention on 2027-03-01" in kept[1]
    assert "its purged.json" in forged[1]
    assert "its manifest" in edited[1]


@pytest.mark.django_db
def test_the_page_for_auditors_gives_everything_that_the_check_needs(
    signed: Manifest, store: Store, tmp_path: Path, client: Client, settings: Settings
) -> None:
    sync_roles()
    auditor = User.objects.create_user("aida", is_staff=True)
    auditor.groups.set(Group.objects.filter(name="Auditor"))
    client.force_login(auditor)
    settings.BACKUP_SIGNING_KEY, settings.BACKUP_STORE = "", store.url
    settings.BACKUP_PUBLIC_KEYS = [archive_keys.public_text(generate()[1]), archive_keys.public_text(VERIFIER)]

    page = client.get(reverse("admin:backups_offline"))
    for name in ("public-keys.pem", "verify_backup.py"):
        answer = client.get(reverse("admin:backups_offline_file", args=[name]))
        (tmp_path / name).write_bytes(answer.content)
    copy = store.url.removeprefix("file://")
    argv = [sys.executable, "-I", tmp_path / "verify_backup.py", copy, "--public-key", tmp_path / "public-keys.pem"]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=tmp_path)

    assert VERIFIER.key_id in page.text
    assert store.url in page.text
    assert done.returncode == 0, done.stdout + done.stderr
    assert client.get(reverse("admin:backups_offline_file", args=["settings.py"])).status_code == 404


def test_nobody_without_the_evidence_and_no_portal_without_keys_gives_a_key(
    db: None, client: Client, settings: Settings
) -> None:
    sync_roles()
    settings.BACKUP_SIGNING_KEY, settings.BACKUP_PUBLIC_KEYS = "", []
    client.force_login(User.objects.create_superuser("root"))

    assert "knows no public key" in client.get(reverse("admin:backups_offline")).text
    assert client.get(reverse("admin:backups_offline_file", args=["public-keys.pem"])).status_code == 404
    client.force_login(User.objects.create_user("nobody", is_staff=True))
    for name, args in (("backups_offline", []), ("backups_offline_file", ["verify_backup.py"])):
        assert client.get(reverse(f"admin:{name}", args=args)).status_code == 403
