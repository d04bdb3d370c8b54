"""The outside witness: what is sent, to whom, and what a kept one tells about a portal that was rewritten."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import connection

from backups.anchoring import checkpoints, witness
from backups.archive import keys as archive_keys
from backups.archive.signatures import generate
from backups.archive.signed_json import sealed
from ledger.models import Entry
from ledger.services import record
from operations.models import Notification
from providers.storage.factory import open_store

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "compare_witness.py"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def keys(settings, tmp_path: Path) -> None:
    settings.BACKUP_SIGNING_KEY = generate()[0]
    settings.BACKUP_WITNESS_STORE = f"file://{tmp_path}/outside"
    settings.EMAIL_HOST = "mail.example"
    auditor = User.objects.create_user("aud", email="aud@example.com")
    auditor.groups.add(Group.objects.get_or_create(name="Auditor")[0])
    record("test.thing", actor="ada")


def sent() -> str:
    call_command("witness", stdout=StringIO())
    return Notification.objects.get(channel="email").body


def test_it_goes_to_auditors_and_into_the_second_bucket_once_a_week(settings) -> None:
    body = sent()
    witness.keep()

    (stored,) = open_store(settings.BACKUP_WITNESS_STORE).list("witness/")
    assert Notification.objects.get(channel="email").recipients == "aud@example.com"
    assert open_store(settings.BACKUP_WITNESS_STORE).get(stored.key) == witness.found_in(body)
    assert Entry.objects.get(code="backups.witness.sent").payload["size"] == 1


def test_a_kept_one_holds_until_the_ledger_is_rewritten(tmp_path: Path) -> None:
    kept = tmp_path / "mail.txt"
    kept.write_text("From: ops\n\n" + sent())
    out = StringIO()
    call_command("witness", "--compare", str(kept), stdout=out)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_entry DISABLE TRIGGER USER")
        cursor.execute("UPDATE ledger_entry SET sha256 = repeat('a', 64) WHERE sequence = 1")

    assert "all of it still holds" in out.getvalue()
    with pytest.raises(SystemExit):
        call_command("witness", "--compare", str(kept), "--json", stdout=(said := StringIO()))
    assert json.loads(said.getvalue())["problems"] == [
        "Entry 1 of the ledger is another than the one that was witnessed: it was rewritten."
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (lambda body: body.replace('"size":1', '"size":2'), "was rejected"),
        (lambda body: "hello", "holds no witness"),
    ],
)
def test_what_is_no_witness_is_refused(tmp_path: Path, text, told) -> None:
    kept = tmp_path / "mail.txt"
    kept.write_text(text(sent()))

    with pytest.raises(CommandError, match=told):
        call_command("witness", "--compare", str(kept))


@pytest.mark.parametrize(("setting", "told"), [("key", "must be signed"), ("people", "Nobody would receive it")])
def test_it_refuses_where_it_would_be_worth_nothing(settings, setting, told) -> None:
    if setting == "key":
        settings.BACKUP_SIGNING_KEY = ""
    else:
        settings.BACKUP_WITNESS_STORE = ""
        User.objects.update(is_active=False)

    with pytest.raises(CommandError, match=told):
        call_command("witness")
    witness.keep()
    assert not Entry.objects.filter(code="backups.witness.sent").exists()


def test_without_the_portal_it_is_held_against_a_copy_of_the_store(settings, tmp_path: Path) -> None:
    settings.BACKUP_STORE = f"file://{tmp_path}/store"
    checkpoints.write()
    (tmp_path / "mail.txt").write_text("From: ops\n\n" + sent())
    signer = archive_keys.signer()
    assert signer is not None
    (tmp_path / "key.pem").write_text(signer.verifier.pem)
    argv = [sys.executable, SCRIPT, tmp_path / "store", "--public-key", tmp_path / "key.pem"]
    argv += ["--witness", tmp_path / "mail.txt"]

    whole = subprocess.run(argv, capture_output=True, text=True)
    (mark,) = (tmp_path / "store/ledger/checkpoints").iterdir()
    body = {"format": checkpoints.FORMAT, "size": 1, "head_sha256": "b" * 64, "at": "2026-01-01T00:00:00.000000Z"}
    mark.unlink()
    mark.write_bytes(sealed(body, signer))
    other = subprocess.run(argv, capture_output=True, text=True)

    assert (whole.returncode, other.returncode) == (0, 1), whole.stdout + whole.stderr
    assert "1 ledger entries, 0 runs hold" in whole.stdout
    assert "another ledger of 1 entries" in other.stdout
