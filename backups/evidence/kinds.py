"""`backups.evidence` signs a report in a worker; `backups.trace_decision` reads one decision out of every run.

Both change nothing; a trace decrypts, so it runs where the identity is and is written into the ledger.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from backups.archive import keys
from backups.evidence.decision_history import ReadableRun, Sighting, trace
from backups.evidence.periods import moment
from backups.evidence.service import PERMISSION, day_of, produce
from backups.models import EvidenceReport, Run
from backups.models.run import RunStatus
from backups.step_support import watch
from backups.stores.trusted_manifest import Rejected, store_of, trusted_manifest
from ledger.services import record
from operations import navigation
from operations.engine import kinds
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from operations.navigation import NavLink
from operations.periodic.clock import database_time
from providers.errors import Refused

MOST_TRACED = 400
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def write_report(ctx: StepContext) -> None:
    """Idempotent by its result: a report that this operation produced is not produced again."""
    if ctx.operation.result.get("report"):
        return
    start, end = (day_of(ctx.parameters[name], name) for name in ("from", "to"))
    ctx.progress(0, 1, "reports", "reading manifests and facts")
    row = produce(ctx.environment, start, end, ctx.operation.requested_by.username)
    ctx.result(report=row.pk, verdict=row.verdict, summary=row.summary, sha256=row.sha256)


class Evidence(OperationKind):
    name, label, permission = "backups.evidence", "Produce an evidence report", PERMISSION
    about = "Writes and signs a report for auditors: what the audit data was over a period."
    risk = Risk.ROUTINE
    steps = [step("report", write_report, pool="export", deadline=3600, stall=1800)]
    parameters = [
        Parameter("from", "From", help="The first day, such as 2026-03-01 (UTC)."),
        Parameter("to", "To", help="The day after the last one, such as 2026-04-01."),
    ]
    subject = "{from} to {to}"

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        start, end = (day_of(str(parameters[name]), name) for name in ("from", "to"))
        if end <= start:
            raise Refused("The period ends before it begins. Nothing was requested.")
        if start > database_time():
            raise Refused("The period lies in the future. Nothing was requested.")
        return {"from": f"{start:%Y-%m-%d}", "to": f"{end:%Y-%m-%d}"}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        runs = Run.objects.counting().filter(policy__environment=environment)
        count = runs.filter(snapshot_at__gte=day_of(parameters["from"], "from")).count()
        return [
            Consequence(f"The papers of {count} proven runs are read from the store; no data is decrypted.", "ok"),
            Consequence("The report is signed and kept; the ledger says who produced it.", "ok"),
        ]

    def succeeded(self, result: Any) -> bool:
        return EvidenceReport.objects.filter(pk=result.get("report", "")).exists()


def _readable(run: Run) -> ReadableRun | Sighting:
    taken_at = moment(run.snapshot_at) if run.snapshot_at else ""
    try:
        store = store_of(run)
        return ReadableRun(trusted_manifest(run, store), store, run.status, run.purging_at is not None)
    except Rejected as error:
        return Sighting(run.pk, taken_at, run.status, problem=error.message)


def trace_decision(ctx: StepContext) -> None:
    """Look through the newest runs and put what they hold into the result, oldest first."""
    given = ctx.parameters
    rows = Run.objects.filter(policy__environment=ctx.environment, operation__seeded=False, snapshot_at__isnull=False)
    rows = rows.filter(status__in=[RunStatus.PROVEN, RunStatus.SUSPECT]).order_by("-snapshot_at")
    looked_at = [_readable(run) for run in reversed(rows.select_related("policy__environment")[:MOST_TRACED])]
    bad = [run for run in looked_at if isinstance(run, Sighting)]
    readable = [run for run in looked_at if isinstance(run, ReadableRun)]
    seen = (
        trace(readable, given["experiment"], int(given["sequence"]), keys.identities(), watch(ctx)) if readable else []
    )
    history = sorted([*bad, *seen], key=lambda sighting: sighting.taken_at)
    record(
        "backups.decision.traced",
        actor=ctx.operation.requested_by.username,
        environment=ctx.environment.slug,
        subject=given["experiment"],
        data={"sequence": int(given["sequence"]), "runs": len(history)},
    )
    ctx.result(history=[asdict(sighting) for sighting in history])


class TraceDecision(OperationKind):
    name, label, permission = "backups.trace_decision", "Trace a decision through every run", PERMISSION
    about = "Shows what every kept run holds of one decision."
    risk = Risk.ROUTINE
    exclusive = "trace:{environment}"
    subject = "{experiment} {sequence}"
    steps = [step("trace", trace_decision, pool="prove", deadline=6 * 3600, stall=600)]
    parameters = [Parameter("experiment", "Experiment", help="Its id."), Parameter("sequence", "Number in the chain")]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        experiment, sequence = str(parameters["experiment"]).strip().lower(), str(parameters["sequence"]).strip()
        if not re.fullmatch(UUID, experiment):
            raise Refused(f"{experiment!r} is no experiment's id. Nothing was requested.")
        if not sequence.isdecimal() or not 0 < int(sequence) < 2**63:
            raise Refused(f"{sequence!r} is no number in a chain: they begin at 1. Nothing was requested.")
        return {"experiment": experiment, "sequence": str(int(sequence))}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [
            Consequence(f"The audit trail of the newest {MOST_TRACED} runs is opened in a throwaway server.", "ok"),
            Consequence("Hashes and the conversion are kept in the operation; the ledger says who looked.", "warn"),
        ]


def register() -> None:
    kinds.register(Evidence())
    kinds.register(TraceDecision())
    url, permission = "admin:backups_evidencereport_changelist", "backups.view_evidencereport"
    navigation.register(NavLink("Backups", 38, "Evidence", url, permission))
