"""What drills of a period could not rebuild or compare stands in its report."""

from __future__ import annotations

from backups.archive.signatures import Signer
from backups.evidence.signed_report import opened
from backups.models import Proof
from tests.backups.test_evidence_report import Year, march, weeks
from tests.backups.test_evidence_report import signer as signer
from tests.backups.test_evidence_report import year as year

TEXT = "table public.t differs (access method)"


def test_what_could_not_be_checked_is_said_once_with_how_many_runs_say_it(year: Year, signer: Signer) -> None:
    first, second, *others = weeks(year)
    Proof.objects.filter(run__in=[first, second]).update(document={"missing": [TEXT]})

    report = opened(march(year).document.encode(), signer.verifier).report

    assert f"Of 2 of {2 + len(others)} runs: {TEXT}" in report.cannot_be_known
    assert any("changed and changed back" in line for line in report.cannot_be_known)
