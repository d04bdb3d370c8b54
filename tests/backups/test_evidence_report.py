"""The signed report of a period: its verdict, its gaps, its forms; altered papers are refused, deleted data is not."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backups.archive.manifest import OLD_FORMAT, Head, Manifest, Segment, Statement, Table, manifest_key
from backups.archive.signatures import Signer, generate, load_signer
from backups.archive.signed_json import ManifestError, encode
from backups.archive.signed_json import sealed as sealed_document
from backups.archive.source import Source
from backups.evidence import html, signed_report
from backups.evidence.inputs import material
from backups.evidence.periods import gaps, months_of
from backups.evidence.portal_records import troubles
from backups.evidence.service import produce, rendered
from backups.evidence.signed_report import opened
from backups.facts import store as facts_store
from backups.facts.model import End, Month, RunFacts, TableFacts, document_of
from backups.facts.sequence_ranges import packed
from backups.models import EvidenceReport, Incident, Policy, Proof, Run, Slot
from backups.policies.defaults import ensure_policies
from ledger.models import Entry
from operations.models import Environment, Operation
from providers.errors import Refused
from providers.storage.base import Store
from providers.storage.factory import open_store
from tests.people import holder

AUDIT = "public.algorithm_audit_trail"
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
CHAIN = "11111111-1111-4111-8111-111111111111"
ROWS = 31 * 10
AUDITOR = ("produce_evidencereport", "view_evidencereport")


class Year:
    """Proven runs of one policy as papers only: ten decisions a day in March, of which the first ten convert once."""

    def __init__(self, store: Store, environment: Environment, operation: Operation, signer: Signer) -> None:
        self.store, self.signer, self.operation = store, signer, operation
        self.policy = Policy.objects.get(environment=environment, name="audit-trail")
        self.last: tuple[Manifest, RunFacts] | None = None
        self.runs: list[Run] = []

    def run(self, at: datetime, **forged: Any) -> Run:
        """Papers of a proven run at `at`; `forged` replaces values of its month."""
        operation = Operation.objects.create(
            kind="backups.export",
            environment=self.policy.environment,
            parameters={"policy": "audit-trail"},
            content_sha256="0" * 64,
            risk="routine",
            requested_by=self.operation.requested_by,
            status="queued",
            approvals_required=0,
            expires_at=at,
        )
        rows = forged.get("rows", min(max((at - MARCH).days * 10, 0), ROWS))
        head = f"{rows:064d}"
        row = Run(
            policy=self.policy,
            operation=operation,
            status="proven",
            store_url=self.store.url,
            snapshot_at=at,
            proven_at=at,
            stored_at=at,
            started_at=at,
        )
        manifest = self._manifest(row.pk, at, rows, head)
        facts = self._facts(manifest, at, rows, head, forged)
        self.store.put_once(manifest_key(row.pk), encode(manifest, self.signer))
        evidence = facts_store.leave(self.store, document_of(facts), self.signer)
        row.manifest_sha256, self.last = manifest.sha256, (manifest, facts)
        row.save()
        self.runs.append(row)
        Proof.objects.create(
            run=row, operation=operation, status="proven", document={}, seconds=4, created_at=at, evidence=evidence
        )
        return row

    def _manifest(self, pk: str, at: datetime, rows: int, head: str) -> Manifest:
        source = Source("db", "role", "17", "7", 1, "1", "1", "0/0", at.isoformat())
        chains = (Head(CHAIN, rows, 1, rows, head),) if rows else ()
        key = f"runs/{pk}/1/000-algorithm_audit_trail/0000000000-000.csv.zst"
        segment = Segment(key, "(0,0)", "", rows, "1", 1, "0" * 64, 1, "0" * 64, False)
        table = Table("public", "algorithm_audit_trail", "csv", True, (), (segment,), chains)
        made = (Statement("before", "table", table.qualified, "CREATE TABLE …", True, table.qualified),)
        names = (self.policy.environment.slug, self.policy.name)
        return Manifest(pk, 1, *names, source, (table,), made, format=OLD_FORMAT)

    def _facts(self, manifest: Manifest, at: datetime, rows: int, head: str, forged: dict[str, Any]) -> RunFacts:
        month = Month(CHAIN, "2026-03", rows, 1, rows, head, f"{rows:064x}", 1, "c" * 64, packed([(1, 1)]))
        before = self.last
        ends: list[dict[str, Any]] = []
        if before and (was := before[1].tables[0].head(CHAIN)):
            ends = [{"chain": CHAIN, "last": was.last, "rows": was.rows, "head": was.head}]
        months = (replace(month, **forged),) if rows else ()
        table = TableFacts(AUDIT, months, tuple(End(**end) for end in ends))
        return RunFacts(
            manifest.run,
            manifest.sha256,
            "production",
            "audit-trail",
            at.isoformat(),
            (table,),
            before[0].run if before else "",
            before[0].sha256 if before else "",
        )


@pytest.fixture
def signer(settings: Any) -> Signer:
    settings.BACKUP_SIGNING_KEY, _ = generate()
    settings.BACKUP_PUBLIC_KEYS = []
    return load_signer(settings.BACKUP_SIGNING_KEY)


@pytest.fixture
def year(db: None, signer: Signer, tmp_path: Path) -> Year:
    environment = Environment.objects.create(slug="production", name="Production", kind="production")
    ensure_policies(environment)
    Policy.objects.update(cron="15 3 1-29/7 * *", grace_minutes=60)
    operation = Operation(requested_by=holder("auditor", *AUDITOR))
    return Year(open_store(f"file://{tmp_path}/store"), environment, operation, signer)


def weeks(year: Year, count: int = 6, start: datetime = MARCH, **forged: Any) -> list[Run]:
    """A run every seven days; six of them reach from the first of March into April."""
    return [year.run(start + timedelta(days=7 * week, hours=3, minutes=15), **forged) for week in range(count)]


def march(year: Year, by: str = "auditor") -> EvidenceReport:
    return produce(year.policy.environment, MARCH, APRIL, by)


def test_march_is_intact_and_says_so_in_its_first_sentence(year: Year) -> None:
    runs = weeks(year)

    row = march(year)

    report = opened(row.document.encode(), year.signer.verifier).report
    assert row.verdict == "intact"
    assert row.summary.startswith(
        "INTACT: 1 chain with 310 decisions of 2026-03-01 to 2026-04-01; every hash was recomp"
    )
    assert "6 proven runs from 2026-03-01 03:15 to 2026-04-05 03:15" in row.summary
    assert "no row was removed" in row.summary
    assert "watched without a gap, at most 7 d between" in row.summary
    assert report.chains[0].runs == 5, "the first run was made before any decision"
    assert [line.run for line in report.runs] == [run.pk for run in runs]
    assert report.recovery.proven == 5
    entry = Entry.objects.get(code="backups.evidence.produced")
    assert entry.payload["sha256"] == row.sha256


def test_after_a_year_of_retention_march_is_still_answered(year: Year) -> None:
    runs = weeks(year) + [year.run(APRIL + timedelta(days=30 * month)) for month in range(1, 7)]
    Run.objects.filter(pk__in=[run.pk for run in runs[:-2]]).update(retired_at=APRIL, purging_at=APRIL, purged_at=APRIL)

    row = march(year)

    assert row.verdict == "intact"
    assert "12 proven runs" in row.summary


def test_one_byte_changed_in_any_kept_manifest_is_refused(year: Year) -> None:
    runs = weeks(year, 4)
    root = Path(year.store.url.removeprefix("file://"))
    for run in runs:
        for name in ("manifest.json", "evidence.json"):
            path = root / "runs" / run.pk / name
            whole = path.read_bytes()
            path.write_bytes(whole.replace(b"production", b"Production", 1))

            with pytest.raises(Refused, match=rf"{re.escape(str(run))}.*No report was made"):
                march(year)
            path.write_bytes(whole)
    assert not EvidenceReport.objects.exists()
    assert march(year).verdict


def test_a_missing_manifest_is_refused(year: Year) -> None:
    runs = weeks(year, 3)
    year.store.delete(manifest_key(runs[1].pk))

    with pytest.raises(Refused, match="No report was made"):
        march(year)


FORGED: list[tuple[dict[str, Any], str, str]] = [
    ({"decisions_sha256": "f" * 64}, "altered", "are not what they were"),
    ({"rows": ROWS - 2}, "altered", "2 of 310 decisions of 2026-03 are gone"),
    ({"conversions_sha256": "d" * 64}, "altered", "changed after they were set"),
    ({"places": packed([]), "conversions": 0, "conversions_sha256": "e" * 64}, "altered", "taken back: 1"),
    ({"places": None, "conversions_sha256": "d" * 64}, "unknown", "too many to list"),
]


@pytest.mark.parametrize(("forged", "word", "said"), FORGED, ids=[item[2] for item in FORGED])
def test_each_difference_in_a_later_run_is_told(year: Year, forged: dict[str, Any], word: str, said: str) -> None:
    weeks(year)
    year.run(APRIL + timedelta(days=20), **forged)

    row = march(year)

    report = opened(row.document.encode(), year.signer.verifier).report
    told = [change.detail for change in report.chains[0].changes] + list(report.chains[0].not_compared)
    assert row.verdict == word
    assert any(said in line for line in told), told
    assert CHAIN in row.summary or word == "unknown"


def test_gaps_and_an_unwatched_end_are_named(year: Year) -> None:
    weeks(year, 2)
    weeks(year, 1, MARCH + timedelta(days=21))

    row = march(year)

    report = opened(row.document.encode(), year.signer.verifier).report
    assert [(gap.start[:10], gap.end[:10]) for gap in report.watched.gaps] == [
        ("2026-03-08", "2026-03-22"),
        ("2026-03-22", "2026-04-01"),
    ]
    assert (row.verdict, report.watched.to_the_end) == ("unknown", False)
    assert "unwatched 2 times, for up to 14 d" in row.summary
    assert any("No proven run was made at the end" in line for line in report.cannot_be_known)


@pytest.mark.usefixtures("one_clock")
def test_a_period_that_is_not_over_is_not_known(year: Year) -> None:
    weeks(year)

    with time_machine.travel(APRIL - timedelta(days=2), tick=False):
        row = march(year)

    assert row.verdict == "unknown"
    assert row.summary.startswith("NOT KNOWN for the whole period (1 chain with ")
    assert "the period is not over: it ends at 2026-04-01 00:00 UTC" in row.summary


def test_a_period_of_which_only_the_end_was_watched_is_not_known(year: Year) -> None:
    year.run(APRIL - timedelta(minutes=24))
    year.run(APRIL + timedelta(hours=1))

    row = march(year)

    assert row.verdict == "unknown"
    assert "nobody watched before 2026-03-31 23:36 UTC" in row.summary


def test_without_a_proven_run_nothing_is_claimed(year: Year) -> None:
    row = march(year)

    assert row.verdict == "unknown"
    assert row.summary.startswith("Nothing can be said about 2026-03-01 to 2026-04-01")


def test_runs_without_facts_are_counted_and_not_believed(year: Year) -> None:
    runs = weeks(year)
    year.store.delete(facts_store.evidence_key(runs[3].pk))
    with pytest.raises(Refused, match=r"they were deleted from the store\. No report"):
        march(year)
    Proof.objects.filter(run=runs[3]).update(evidence={})  # as a run from before facts were kept

    row = march(year)

    report = opened(row.document.encode(), year.signer.verifier).report
    assert row.verdict == "unknown"
    assert any("1 runs carry no facts" in line for line in report.cannot_be_known)


def test_facts_signed_by_the_right_key_but_not_those_of_the_proof_are_refused(year: Year) -> None:
    runs = weeks(year)
    key = facts_store.evidence_key(runs[2].pk)
    body = json.loads(year.store.get(key))["body"]
    year.store.delete(key)
    year.store.put_once(key, sealed_document({**body, "policy": "other"}, year.signer))

    with pytest.raises(Refused, match="not the ones that the proof wrote down"):
        march(year)


def test_slots_incidents_and_doubted_proofs_are_listed(year: Year) -> None:
    runs = weeks(year)
    Slot.objects.create(policy=year.policy, at=MARCH + timedelta(days=2), status="missed", reason="The worker was off.")
    Incident.objects.create(
        code="other",
        environment=year.policy.environment,
        subject="x",
        summary="Seen",
        opened_at=MARCH + timedelta(days=3),
    )
    Proof.objects.filter(run=runs[4]).update(status="suspect", document={"doubts": ["a doubt"]})
    with CaptureQueriesContext(connection) as asked:
        list(troubles(year.policy.environment, MARCH, MARCH + timedelta(days=31)))
    assert len(asked) == 2  # however many there are

    report = opened(march(year).document.encode(), year.signer.verifier).report

    assert [(slot.missed, slot.policy) for slot in report.slots] == [(1, "audit-trail")]
    assert [(trouble.what.split(":")[-1].strip(), trouble.why) for trouble in report.troubles] == [
        ("missed", "The worker was off."),
        ("suspect", "a doubt"),
    ]
    assert [(line.what, line.status) for line in report.incidents] == [("Other: Seen", "open")]


def test_the_forms_are_the_same_bytes_each_time_and_carry_the_signature(year: Year, tmp_path: Path) -> None:
    weeks(year)
    signed = opened(march(year).document.encode(), year.signer.verifier)

    page = rendered(signed, "html")

    assert rendered(signed, "html") == page
    assert b"default-src &#x27;none&#x27;" in page
    assert b"<script" not in page
    assert b" style=" not in page
    assert html.embedded(page) == signed.text.encode()
    assert signed.signature in page.decode()
    assert signed_report.opened(signed.text.encode(), year.signer.verifier) == signed
    with pytest.raises(Refused, match=r"html or json, not 'pdf'.*print the html"):
        rendered(signed, "pdf")


def test_a_report_is_checked_by_its_file_alone(year: Year, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weeks(year)
    signed = opened(march(year).document.encode(), year.signer.verifier)
    for form in ("html", "json"):
        (tmp_path / f"r.{form}").write_bytes(rendered(signed, form))
    key = tmp_path / "key.pem"
    key.write_text(year.signer.verifier.pem)

    call_command("verify_evidence", str(tmp_path / "r.json"), public_key=key)
    call_command("verify_evidence", str(tmp_path / "r.html"))
    said = capsys.readouterr().out

    assert said.count("VALID, key") == 2
    forgeries = {
        "html": rendered(signed, "html").replace(b"310 decisions", b"311 decisions"),
        "json": rendered(signed, "json").replace(b"310 decisions", b"311 decisions"),
    }
    for form, data in forgeries.items():
        (tmp_path / f"r.{form}").write_bytes(data)
        with pytest.raises(SystemExit):
            call_command("verify_evidence", str(tmp_path / f"r.{form}"))
    assert capsys.readouterr().err.count("NOT VALID") == 2


def test_a_page_in_an_earlier_style_stays_valid_and_a_forged_style_does_not(
    year: Year, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weeks(year)
    signed = opened(march(year).document.encode(), year.signer.verifier)
    style = Path(__file__).with_name("evidence_style_before_print.css").read_text()
    earlier, forged = tmp_path / "earlier.html", tmp_path / "forged.html"
    earlier.write_text(html.page(signed, style))
    forged.write_text(html.page(signed, style + ".verdict{display:none}"))

    call_command("verify_evidence", str(earlier))
    with pytest.raises(SystemExit):
        call_command("verify_evidence", str(forged))

    said = capsys.readouterr()
    assert said.out.startswith("VALID, key")
    assert "does not show it byte for byte" in said.err


def test_a_pdf_from_before_is_told_what_to_check_instead(
    year: Year, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "r.pdf").write_bytes(b"%PDF-1.4 as it was drawn before")

    with pytest.raises(SystemExit):
        call_command("verify_evidence", str(tmp_path / "r.pdf"))

    assert "Check the JSON or the HTML of the same report" in capsys.readouterr().err


def test_an_altered_kept_report_is_neither_shown_nor_given_out(year: Year, client: Client) -> None:
    weeks(year)
    row = march(year)
    client.force_login(holder("reader", *AUDITOR))
    url = f"/admin/backups/evidencereport/{row.pk}/"
    shown = client.get(url + "change/").content.decode()
    files = {form: client.get(f"{url}download/{form}/") for form in ("html", "json", "pdf")}
    EvidenceReport.objects.filter(pk=row.pk).update(document=row.document.replace("310 decisions", "311 decisions"))

    altered = client.get(url + "change/").content.decode()
    refused = client.get(f"{url}download/html/")

    assert "INTACT: 1 chain with 310 decisions" in shown
    assert files["html"]["Content-Disposition"].endswith('evidence-production-2026-03-01-2026-04-01.html"')
    assert files["pdf"].status_code == 302
    assert json.loads(files["json"].content)["sha256"] == row.sha256
    assert "was altered" in altered
    assert refused.status_code == 302


WRONG = [
    ({"start": "2026-03-01", "end": "2026-03-01"}, "ends before it begins"),
    ({"start": "2026-04-01", "end": "2026-03-01"}, "ends before it begins"),
    ({"start": "2099-01-01", "end": "2099-02-01"}, "in the future"),
    ({"start": "March", "end": "2026-04-01"}, "--from is a day"),
    ({"start": "2026-03-01"}, "Give --from and --to"),
    ({"start": "2026-03-01", "end": "2026-04-01", "environment": "nowhere"}, "no environment 'nowhere'"),
    ({"report": "nope"}, "no report 'nope'"),
]


@pytest.mark.parametrize(("given", "said"), WRONG, ids=[item[1] for item in WRONG])
def test_wrong_periods_are_refused_by_name(year: Year, settings: Any, given: dict[str, str], said: str) -> None:
    settings.DEMO = True

    with pytest.raises(CommandError, match=said):
        call_command("evidence", actor="auditor", **given)


def test_the_command_prints_the_verdict_and_needs_the_key_and_the_role(
    year: Year, settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.DEMO = True
    weeks(year)
    period = {"start": "2026-03", "end": "2026-04"}

    call_command("evidence", actor="auditor", output=tmp_path / "r.html", **period)
    said = capsys.readouterr().out

    assert said.startswith("INTACT")
    assert f"intact  {CHAIN}" in said
    assert html.embedded((tmp_path / "r.html").read_bytes())
    reports = EvidenceReport.objects.count()
    with pytest.raises(CommandError, match="html or json, not 'pdf'"):
        call_command("evidence", actor="auditor", output=tmp_path / "r.pdf", **period)
    assert EvidenceReport.objects.count() == reports, "no report is produced that cannot be written"
    holder("viewer", "view_evidencereport")
    with pytest.raises(CommandError, match="may not produce"):
        call_command("evidence", actor="viewer", **period)
    settings.BACKUP_SIGNING_KEY = ""
    with pytest.raises(CommandError, match="no BACKUP_SIGNING_KEY"):
        call_command("evidence", actor="auditor", **period)


def test_periods_and_gaps_are_counted_in_utc() -> None:
    at = [MARCH + timedelta(hours=hour) for hour in (0, 1, 5)]

    found, longest = gaps(at, MARCH, MARCH + timedelta(hours=7), 7200)

    assert [(gap.start[11:16], gap.end[11:16], gap.seconds) for gap in found] == [("01:00", "05:00", 14400)]
    assert longest == 14400
    assert months_of(MARCH, APRIL) == {"2026-03"}
    assert months_of(MARCH - timedelta(seconds=1), APRIL + timedelta(seconds=1)) == {"2026-02", "2026-03", "2026-04"}


def test_material_begins_with_the_last_proven_run_before(year: Year) -> None:
    weeks(year, 3, MARCH - timedelta(days=8))

    inputs = material(year.policy.environment, MARCH, months_of(MARCH, APRIL))

    assert next(run.snapshot_at for run, _ in inputs.runs) < MARCH
    assert len(inputs.since) == len(inputs.runs) - 1


def test_a_signature_by_another_key_does_not_hold(year: Year) -> None:
    weeks(year)
    row = march(year)

    with pytest.raises(ManifestError, match="signature"):
        opened(row.document.encode(), load_signer(generate()[0]).verifier)
