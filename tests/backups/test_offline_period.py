"""The offline verifier's verdict on a month agrees with the portal's, from a copy of the store and a key alone."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from backups.archive.manifest import manifest_key
from backups.facts import store as facts_store
from backups.proof.prove import Verdict, store_proof
from tests.backups.test_evidence_report import APRIL, FORGED, Year, march, weeks
from tests.backups.test_evidence_report import signer as signer
from tests.backups.test_evidence_report import year as year
from tests.offline import verify_backup

WORDS = {"INTACT": "intact", "ALTERED": "altered", "NOT KNOWN": "unknown"}


def said(year: Year, tmp_path: Path, capsys: pytest.CaptureFixture[str], period: str = "2026-03") -> tuple[int, str]:
    """Proofs are added as a portal would, the verifier runs on the directory."""
    for run in year.runs:
        proof = Verdict(run.pk, run.manifest_sha256, run.proven_at.isoformat(), (), (), 1, 1, 1, 1, "17")
        store_proof(year.store, proof, year.signer)
    (tmp_path / "key.pem").write_text(year.signer.verifier.pem)
    keys = verify_backup.read_public_keys(tmp_path / "key.pem")
    code, _ = verify_backup.judge_period(
        sorted(Path(year.store.url.removeprefix("file://")).glob("runs/*/manifest.json")), keys, period
    )
    return code, capsys.readouterr().out


def test_an_intact_march(year: Year, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weeks(year)

    code, text = said(year, tmp_path, capsys)

    assert code == 0
    assert text.startswith("INTACT: 1 chains with 310 decisions of 2026-03, 0 altered")
    assert "intact  11111111" in text


@pytest.mark.parametrize(("forged", "word", "told"), FORGED, ids=[item[2] for item in FORGED])
def test_each_difference_has_the_portals_word(
    year: Year, tmp_path: Path, capsys: pytest.CaptureFixture[str], forged: dict[str, Any], word: str, told: str
) -> None:
    weeks(year)
    year.run(APRIL + timedelta(days=20), **forged)

    code, text = said(year, tmp_path, capsys)

    assert WORDS[text.partition(":")[0]] == march(year).verdict == word
    assert code > 0


def test_one_changed_byte_refuses_the_whole_verdict(
    year: Year, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = weeks(year)
    root = Path(year.store.url.removeprefix("file://"))
    for name in (manifest_key(runs[2].pk), facts_store.evidence_key(runs[2].pk)):
        whole = (root / name).read_bytes()
        (root / name).write_bytes(whole.replace(b"production", b"Production", 1))

        code, text = said(year, tmp_path, capsys)

        assert code == 1
        assert f"BAD {runs[2].pk}" in text
        assert "REFUSED: nothing is said about 2026-03" in text
        (root / name).write_bytes(whole)


def test_moved_facts_and_missing_ones(year: Year, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = weeks(year)
    root = Path(year.store.url.removeprefix("file://"))
    (root / facts_store.evidence_key(runs[3].pk)).unlink()
    missing = said(year, tmp_path, capsys)
    shutil.copy(root / facts_store.evidence_key(runs[2].pk), root / facts_store.evidence_key(runs[3].pk))
    moved = said(year, tmp_path, capsys)

    assert missing[1].startswith("NOT KNOWN")
    assert "1 runs carry no facts" in missing[1]
    assert "speaks of another run" in moved[1]


def test_a_month_without_a_proven_run_is_no_verdict(
    year: Year, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weeks(year, 2)

    code, text = said(year, tmp_path, capsys, "2026-05")

    assert (code, text.startswith("NOT KNOWN: no proven run was made in 2026-05")) == (0, True)


def test_decisions_written_after_the_month_had_ended_are_counted() -> None:
    key = ("public.algorithm_audit_trail", "a")

    def paper(day: str, rows: int | None) -> Any:
        months = {key: {"rows": rows}} if rows is not None else {}
        return SimpleNamespace(taken_at=f"2026-{day}T00:00:00+00:00", facts={}, months=lambda _: months)

    papers = [paper("03-20", 4), paper("03-31", 5), paper("04-02", 7), paper("04-03", None), paper("04-04", 9)]

    assert verify_backup.written_late(key, "2026-03", papers) == 9
    assert verify_backup.written_late(key, "2026-03", papers[:3]) == 0
