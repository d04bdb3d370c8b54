"""A signed evidence report with every section, and a traced decision, for pages and browsers."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.utils import timezone

from backups.archive.signatures import generate, load_signer
from backups.evidence import signed_report
from backups.evidence.periods import Gap
from backups.evidence.report import (
    IncidentLine,
    Protection,
    Recovery,
    Report,
    RestoreLine,
    RunLine,
    SlotLine,
    Trouble,
    Watched,
)
from backups.evidence.verdicts import ChainVerdict, Change, Conversions
from backups.evidence.wording import cannot_be_known, first_sentence
from backups.models import EvidenceReport, Run
from operations.engine.request import request
from operations.models import Environment, Operation, Status

CHAIN = "3f0e5a52-7c5e-4a53-9d3e-0b8f5a6c1{:03d}"
FIRST, LAST = "2026-03-01T03:15:00Z", "2026-11-22T03:15:00Z"
RUN = "01KJK2Q3W0D5N7V8M4X1Z9T6AB"


def evidence(production: Environment, by: User) -> None:
    """One altered report about March, one trace through two runs."""
    signed = signed_report.sign(report(), load_signer(generate()[0]))
    EvidenceReport.objects.create(
        environment=production,
        period_from=datetime(2026, 3, 1, tzinfo=UTC),
        period_to=datetime(2026, 4, 1, tzinfo=UTC),
        verdict=signed.report.word,
        summary=signed.report.sentence,
        document=signed.text,
        sha256=signed.sha256,
        key=signed.key,
        produced_by="auditor",
    )
    runs = list(Run.objects.order_by("pk").values_list("pk", flat=True)[:2])
    row = {
        "decision_hash": "5c0e9aa1" * 8,
        "recomputed": True,
        "unchanging_sha256": "a" * 64,
        "converted": False,
        "conversion_at": "",
        "conversion_value": "",
    }
    set_later = {**row, "converted": True, "conversion_at": "2026-03-09T10:00:00+00:00", "conversion_value": "19.90"}
    history = [
        {"run": run, "taken_at": at, "status": "proven", "problem": "", "decision": decision}
        for run, at, decision in zip(runs, (FIRST, LAST), (row, set_later), strict=True)
    ]
    asked = request(
        "backups.trace_decision",
        by=by,
        environment=production,
        parameters={"experiment": CHAIN.format(0), "sequence": "17"},
        reason="a customer asks",
    )
    now = timezone.now()
    lease = {"lease_owner": "w", "lease_until": now, "started_at": now, "fence": 1, "attempt": 1}
    Operation.objects.advance(asked.pk, Status.QUEUED, Status.RUNNING, **lease)
    ended = {"outcome": "succeeded", "ended_at": now, "lease_owner": "", "lease_until": None}
    Operation.objects.advance(asked.pk, Status.RUNNING, Status.SUCCEEDED, result={"history": history}, **ended)


def chain(number: int, **more: object) -> ChainVerdict:
    values: dict[str, object] = {
        "table": "public.algorithm_audit_trail",
        "chain": CHAIN.format(number),
        "word": "intact",
        "decisions": 4_310 + number,
        "conversions": 512,
        "runs": 266,
        "first_run": RUN,
        "first_at": FIRST,
        "last_run": RUN,
        "last_at": LAST,
        "decisions_sha256": (("2026-03", "ab" * 32),),
        "changes": (),
        "set_conversions": (Conversions("2026-03", 37, ((4, 9), (17, 17)), FIRST, LAST),),
        "late_rows": 0,
        "not_compared": (),
    }
    return ChainVerdict(**(values | more))  # type: ignore[arg-type]


def report() -> Report:
    change = Change("conversion", 0, RUN, RUN, FIRST, LAST, "conversions of 2026-03 were changed after they were set")
    chains = (chain(0, word="altered", changes=(change,)), *(chain(number) for number in range(1, 4)))
    gap = Gap("2026-03-09T03:15:00Z", "2026-03-10T09:00:00Z", 107_100)
    watched = Watched("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", (gap,), 107_100, 90_000, True)
    runs = tuple(RunLine(RUN, "audit-trail", at, "proven", "cd" * 32, True) for at in (FIRST, LAST))
    return Report(
        environment="production",
        period_from="2026-03-01T00:00:00Z",
        period_to="2026-04-01T00:00:00Z",
        months=("2026-03",),
        produced_at=LAST,
        produced_by="auditor",
        word="altered",
        sentence=first_sentence("altered", "2026-03-01 to 2026-04-01", chains, watched, runs, []),
        chains=chains,
        watched=watched,
        cannot_be_known=cannot_be_known(("2026-03",), True, watched, runs, FIRST),
        slots=(SlotLine("audit-trail", "15 3 * * * UTC", 29, 1, 0, 1, 0),),
        troubles=(Trouble("2026-03-10T03:15:00Z", "slot of audit-trail: missed", "No worker claimed it."),),
        recovery=Recovery(31, 30, 107_100, 90_000, 12, 31),
        protection=Protection(29, 2, "2026-11-01T00:00:00Z", (f"{RUN}: last good run (system)",), 24),
        restores=(
            RestoreLine(
                "2026-03-12T09:00:00Z",
                RUN,
                "restore: run X, target scratch",
                "succeeded",
                "olga",
                ("ana",),
                "Compare a customer's claim",
            ),
        ),
        incidents=(IncidentLine(LAST, "Conversions changed after they were set: 1 row", "open"),),
        runs=runs,
    )
