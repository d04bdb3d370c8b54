"""From a drill's verdict to what the portal says: anomalies of the run's numbers, incidents, holds.

In: a run, its verdict and the Comparison that the drill had. Out: the verdict with the doubts that only the portal's
memory can have; open incidents, which name the run that was compared with and no later one.
"""

from __future__ import annotations

from dataclasses import replace

from backups.incidents import holds
from backups.incidents import service as incidents_service
from backups.models import Incident, Run
from backups.proof import anomalies
from backups.proof.anomalies import MOST_RUNS, Anomaly, Measured
from backups.proof.baseline import ABSOLUTE, good_before
from backups.proof.comparison import Comparison
from backups.proof.findings import Finding, fingerprint
from backups.proof.prove import Verdict
from operations.accounts import SYSTEM
from providers.errors import Refused


def judged(verdict: Verdict, run: Run, comparison: Comparison) -> Verdict:
    """Adds the trend over the last good runs and the policy's time budget; a failed proof stays as it is."""
    if verdict.problems:
        return verdict
    examined = verdict.examined
    unusual = _off_trend(run, comparison.run)
    slow = anomalies.too_slow(verdict.milliseconds / 1000, run.policy.rto_budget_seconds)
    texts = [anomaly.text for anomaly in unusual if anomaly.finding().fingerprint not in comparison.accepted]
    examined = replace(
        examined,
        not_compared=comparison.not_compared or examined.not_compared,
        findings=(*examined.findings, *(anomaly.finding() for anomaly in unusual)),
    )
    return replace(verdict, doubts=(*verdict.doubts, *texts, *([slow] if slow else [])), examined=examined)


def _off_trend(run: Run, baseline: Run | None) -> list[Anomaly]:
    if baseline is None or run.snapshot_at is None:
        return []
    earlier = [before for before in good_before(run)[:MOST_RUNS] if before.tables == run.tables]
    history = [
        Measured(before.snapshot_at, before.rows, before.raw_bytes)
        for before in reversed(earlier)
        if before.snapshot_at is not None
    ]
    return anomalies.off_trend(
        history, Measured(run.snapshot_at, run.rows, run.raw_bytes), run.policy.name, baseline.pk
    )


def lock(run: Run, comparison: Comparison) -> None:
    """What `raise_all` may change, before the transaction's first entry: whoever resolves an incident, places a hold or
    looks for drift has those rows, then writes the ledger."""
    incidents_service.lock(run.policy.environment)
    list(Incident.objects.open().filter(environment=run.policy.environment).select_for_update().order_by("pk"))
    list(Run.objects.filter(pk=comparison.run and comparison.run.pk).select_for_update())


def raise_all(run: Run, verdict: Verdict, comparison: Comparison) -> list[Incident]:
    """One incident a finding, each with a legal hold on the run compared with. Call it last in the transaction, and
    `lock` before its first entry."""
    if verdict.problems:
        return []
    opened, baseline = [], comparison.run
    for finding in (*verdict.findings, *_unwatched(run, baseline, verdict)):
        incident = incidents_service.raise_incident(
            finding.code,
            run.policy.environment,
            run=run,
            baseline=baseline,
            subject=finding.subject,
            summary=finding.summary,
            evidence={"rows": list(finding.rows), "verify_audit_chain": verdict.examined.verifier},
            total=finding.total,
            fingerprint=finding.fingerprint,
            since=baseline.snapshot_at if baseline and finding.code not in ABSOLUTE else None,
        )
        if incident.status == Incident.Status.OPEN:
            opened.append(incident)
            _hold(baseline, incident)
    return opened


def _unwatched(run: Run, baseline: Run | None, verdict: Verdict) -> list[Finding]:
    """A comparison that could not be made is an alarm itself: whoever alters rows may remove what would tell it."""
    why = verdict.examined.not_compared
    if not why or baseline is None:
        return []
    text = f"{run.policy.title}: not compared with the last good run, {baseline}. {why}"
    return [Finding("not_compared", run.policy.name, text, 0, fingerprint("not_compared", baseline.pk))]


def _hold(baseline: Run | None, incident: Incident) -> None:
    if baseline is None:
        return
    try:
        holds.place(baseline, SYSTEM, f"The last good run before: {incident.summary}", incident)
    except Refused:
        return  # its data is gone already; the incident names it all the same
