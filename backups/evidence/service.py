"""Producing a report: build, sign, keep, one ledger entry. In: environment, period, who. Out: an EvidenceReport row.

A process without the signing key cannot produce one; the operation `backups.evidence` does it in a worker.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from django.db import transaction

from backups.archive import keys
from backups.archive.signed_json import ManifestError
from backups.evidence import html, signed_report
from backups.evidence.builder import build
from backups.evidence.signed_report import Signed
from backups.models import EvidenceReport
from ledger.services import record
from operations.models import Environment
from providers.errors import Refused

PERMISSION = "backups.produce_evidencereport"
TYPES = {"html": "text/html; charset=utf-8", "json": "application/json"}


def day_of(text: str, name: str) -> datetime:
    """Midnight UTC of a day such as 2026-03-01, or the first of a month such as 2026-03. Raises Refused."""
    try:
        day = date.fromisoformat(f"{text}-01" if len(text) == 7 else text)
    except ValueError:
        raise Refused(f"{name} is a day such as 2026-03-01, not {text!r}. Nothing was read.") from None
    return datetime.combine(day, time(), UTC)


def produce(environment: Environment, start: datetime, end: datetime, by: str) -> EvidenceReport:
    """Raises Refused without a signing key, for a wrong period, and when a kept manifest is not what was written."""
    signer = keys.signer()
    if signer is None:
        raise Refused(
            "This process has no BACKUP_SIGNING_KEY, and an unsigned report proves nothing. No report was made. "
            "Request the operation backups.evidence: a worker signs it."
        )
    signed = signed_report.sign(build(environment, start, end, by), signer)
    with transaction.atomic():
        row = EvidenceReport.objects.create(
            environment=environment,
            period_from=start,
            period_to=end,
            verdict=signed.report.word,
            summary=signed.report.sentence,
            document=signed.text,
            sha256=signed.sha256,
            key=signed.key,
            produced_by=by,
        )
        record(
            "backups.evidence.produced",
            actor=by,
            environment=environment.slug,
            subject=row.pk,
            data={
                "from": signed.report.period_from,
                "to": signed.report.period_to,
                "verdict": row.verdict,
                "sha256": row.sha256,
            },
        )
    return row


def opened(row: EvidenceReport) -> Signed:
    """The kept report, its signature checked again. Raises Refused when the portal's copy was altered."""
    try:
        signed = signed_report.opened(row.document.encode(), keys.verifier())
    except ManifestError as error:
        raise Refused(f"The kept report {row.pk} was altered: {error}. Produce it again from the store.") from None
    if signed.sha256 != row.sha256:
        raise Refused(f"The kept report {row.pk} was replaced. Produce it again from the store.")
    return signed


def rendered(signed: Signed, form: str) -> bytes:
    """The report as html or json. Raises Refused for another form."""
    check_form(form)
    return signed.text.encode() if form == "json" else html.page(signed).encode()


def check_form(form: str) -> None:
    """Raises Refused for a form that no report has."""
    if form not in TYPES:
        raise Refused(f"A report is html or json, not {form!r}. Nothing was written; for paper, print the html.")
