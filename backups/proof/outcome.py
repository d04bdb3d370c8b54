"""From a drill's verdict to what the portal says: the last good run, anomalies of its numbers, incidents and holds.

In: a run and its verdict. Out: the verdict with the doubts that only the portal's memory can have; open incidents.
"""

from __future__ import annotations

from dataclasses import replace

from django.db.models import Q, QuerySet

from backups.archive.manifest import Manifest
from backups.incidents import holds
from backups.incidents import service as incidents_service
from backups.models import Incident, Run
from backups.proof import anomalies
from backups.proof.anomalies import MOST_RUNS, Anomaly, Measured
from backups.proof.baseline import continued
from backups.proof.findings import Finding, fingerprint
from backups.proof.prove import Verdict
from backups.stores.trusted_manifest import store_of, trusted_manifest
from operations.accounts import SYSTEM
from operations.models import Environment
from providers.errors import ProviderError, Refused
from providers.storage.base import Missing, StoreError


def last_good(run: Run) -> Run | None:
    """What a run is compared with: the newest earlier run of its policy that nobody has to explain any more."""
    return _good_before(run).first()


def _good_before(run: Run) -> QuerySet[Run]:
    earlier = Run.objects.good().filter(policy=run.policy_id).exclude(pk=run.pk)
    if run.snapshot_at is not None:
        earlier = earlier.filter(snapshot_at__lt=run.snapshot_at)
    return continued(earlier, run.policy.environment).order_by("-snapshot_at")


ABSOLUTE = ("chain_broken", "assignment_unaudited", "anomaly")


def accepted(environment: Environment, baseline: Run | None) -> frozenset[str]:
    """Fingerprints of what people explained. What is a difference is accepted until a later run became the good one."""
    rows = Incident.objects.filter(environment=environment, status=Incident.Status.RESOLVED).exclude(fingerprint="")
    if baseline is not None and baseline.snapshot_at is not None:
        rows = rows.filter(Q(code__in=ABSOLUTE) | Q(resolved_at__gt=baseline.snapshot_at))
    return frozenset(rows.values_list("fingerprint", flat=True))


def earlier_manifest(last: Run | None) -> tuple[Manifest | None, str]:
    """The last good run's manifest, or why it cannot be compared with. An outage is raised: the proof is retried."""
    if last is None:
        return None, ""
    try:
        return trusted_manifest(last, store_of(last)), ""
    except Missing as error:
        return None, error.message
    except StoreError:
        raise
    except ProviderError as error:
        return None, error.message


def judged(
    verdict: Verdict, run: Run, baseline: Run | None, known: frozenset[str] = frozenset(), not_compared: str = ""
) -> Verdict:
    """Adds the trend over the last good runs and the policy's time budget; a failed proof stays as it is."""
    if verdict.problems:
        return verdict
    if not_compared:
        verdict = replace(verdict, examined=replace(verdict.examined, not_compared=not_compared))
    unusual = _off_trend(run, baseline)
    slow = anomalies.too_slow(verdict.milliseconds / 1000, run.policy.rto_budget_seconds)
    texts = [one.text for one in unusual if one.finding().fingerprint not in known] + ([slow] if slow else [])
    found = (*verdict.examined.findings, *(one.finding() for one in unusual))
    return replace(verdict, doubts=(*verdict.doubts, *texts), examined=replace(verdict.examined, findings=found))


def _off_trend(run: Run, baseline: Run | None) -> list[Anomaly]:
    if baseline is None or run.snapshot_at is None:
        return []
    earlier = [one for one in _good_before(run)[:MOST_RUNS] if one.tables == run.tables]
    history = [Measured(one.snapshot_at, one.rows, one.raw_bytes) for one in reversed(earlier) if one.snapshot_at]
    return anomalies.off_trend(
        history, Measured(run.snapshot_at, run.rows, run.raw_bytes), run.policy.name, baseline.pk
    )


def raise_all(run: Run, verdict: Verdict) -> list[Incident]:
    """One incident a finding, each with a legal hold on the last good run. Call it last in the transaction."""
    if verdict.problems:
        return []
    opened, baseline = [], last_good(run)
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
    text = f"{run.policy.name}: not compared with the last good run {baseline.pk}. {why}"
    return [Finding("not_compared", run.policy.name, text, 0, fingerprint("not_compared", baseline.pk))]


def _hold(baseline: Run | None, incident: Incident) -> None:
    if baseline is None:
        return
    try:
        holds.place(baseline, SYSTEM, f"The last good run before: {incident.summary}", incident)
    except Refused:
        return  # its data is gone already; the incident names it all the same
