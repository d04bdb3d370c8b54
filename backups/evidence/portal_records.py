"""What the portal's own tables say about a period: slots, proofs, locks, restores with their approvers, incidents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from django.db.models import Count, Q, QuerySet

from backups.evidence import incident_sources
from backups.evidence.inputs import Material
from backups.evidence.periods import moment
from backups.evidence.report import IncidentLine, Protection, Recovery, RestoreLine, SlotLine, Trouble, Watched
from backups.models import Hold, Incident, Policy, Proof, Run, Slot
from backups.policies.cron import slots_between
from backups.policies.outside import HERE, kept_by
from operations.models import Environment, Operation

RESTORES = ("backups.restore", "backups.provider_restore", "backups.provider_pitr")
UNSCHEDULED_SECONDS = 86_400.0
LOOK = timedelta(days=8)
MOST_TOLD = 20


def first_proven(environment: Environment) -> str:
    """When the first proven run of all was taken; "" when there is none."""
    rows = Run.objects.filter(policy__environment=environment, operation__seeded=False, proven_at__isnull=False)
    first = rows.order_by("snapshot_at").values_list("snapshot_at", flat=True).first()
    return moment(first) if first else ""


def allowed_seconds(environment: Environment, start: datetime, end: datetime) -> float:
    """The longest time between two slots of the busiest policy, with its grace."""
    policies = Policy.objects.filter(environment=environment, enabled=True).exclude(cron="")
    intervals = [seconds for policy in policies if (seconds := _interval(policy, start, end))]
    return min(intervals, default=UNSCHEDULED_SECONDS)


def _interval(policy: Policy, start: datetime, end: datetime) -> float:
    until = min(max(end, start + LOOK), start + LOOK)
    slots = list(slots_between(policy.cron, policy.time_zone, start - LOOK, until))
    longest = max(((b - a).total_seconds() for a, b in pairwise(slots)), default=0.0)
    return longest + policy.grace_minutes * 60 if longest else 0.0


def slots(environment: Environment, start: datetime, end: datetime) -> Iterator[SlotLine]:
    """One line a policy that had slots."""
    word = {
        status: Count("slots", filter=Q(slots__at__gte=start, slots__at__lt=end, slots__status=status))
        for status in Slot.Status.values
    }
    for row in Policy.objects.filter(environment=environment).annotate(**{f"n_{k}": v for k, v in word.items()}):
        counts = {status: getattr(row, f"n_{status}") for status in Slot.Status.values}
        if any(counts.values()):
            yield SlotLine(
                row.name,
                f"{row.cron} {row.time_zone}".strip(),
                counts["proven"],
                counts["late"],
                counts["failed"],
                counts["missed"],
                counts["started"],
            )


def troubles(environment: Environment, start: datetime, end: datetime) -> Iterator[Trouble]:
    """Slots that were not kept, and proofs that did not prove."""
    bad = Slot.objects.filter(policy__environment=environment, at__gte=start, at__lt=end)
    bad = bad.filter(status__in=["late", "failed", "missed"]).select_related("policy").order_by("at")
    for slot in bad[:500]:
        yield Trouble(moment(slot.at), f"slot of {slot.policy.title}: {slot.status}", slot.reason)
    doubted = _proofs(environment, start, end).exclude(status="proven").select_related("run__policy__environment")
    for proof in doubted.order_by("created_at")[:500]:
        yield Trouble(moment(proof.created_at), str(proof), " ".join(proof.problems)[:500])


def _proofs(environment: Environment, start: datetime, end: datetime) -> QuerySet[Proof]:
    rows = Proof.objects.filter(run__policy__environment=environment, run__operation__seeded=False)
    return rows.filter(created_at__gte=start, created_at__lt=end).defer("evidence")


def recovery(environment: Environment, start: datetime, end: datetime, watched: Watched) -> Recovery:
    proofs = list(_proofs(environment, start, end).values_list("status", "seconds"))
    took = [seconds for status, seconds in proofs if status == "proven"]
    return Recovery(
        proofs=len(proofs),
        proven=len(took),
        longest_between_seconds=watched.longest_seconds,
        allowed_between_seconds=watched.allowed_seconds,
        median_restore_seconds=round(median(took)) if took else 0,
        longest_restore_seconds=round(max(took, default=0)),
    )


def protection(material: Material) -> Protection:
    rows = [run for run, _ in material.since]
    until = [run.retained_until for run in rows if run.lock_mode and run.retained_until]
    holds = Hold.objects.filter(run__in=[run.pk for run in rows], released_at=None)
    standing = holds.select_related("run__policy__environment")
    return Protection(
        locked=sum(bool(run.lock_mode) for run in rows),
        unlocked=sum(not run.lock_mode for run in rows),
        locked_until=moment(max(until)) if until else "",
        holds=tuple(f"{hold.run}: {hold.reason} ({hold.placed_by})" for hold in standing[:100]),
        purged=sum(run.purged_at is not None for run in rows),
    )


def restores(environment: Environment, start: datetime, end: datetime) -> Iterator[RestoreLine]:
    rows = Operation.objects.filter(environment=environment, kind__in=RESTORES, seeded=False)
    rows = rows.filter(requested_at__gte=start, requested_at__lt=end).select_related("requested_by")
    for row in rows.prefetch_related("approvals__approved_by").order_by("requested_at")[:500]:
        voters = [
            vote.approved_by.username
            for vote in row.approvals.all()
            if vote.decision == "approve" and vote.revoked_at is None
        ]
        what = ", ".join(f"{name} {value}" for name, value in sorted(row.parameters.items()))
        yield RestoreLine(
            moment(row.requested_at),
            row.pk,
            f"{row.kind.partition('.')[2]}: {what}"[:300],
            row.status,
            row.requested_by.username,
            tuple(voters),
            row.reason[:500],
        )


def incidents(environment: Environment, start: datetime, end: datetime) -> list[IncidentLine]:
    """Opened in the period, resolved in it, or open through it; from here and from other apps, oldest first."""
    rows = Incident.objects.filter(environment=environment, seeded=False, opened_at__lt=end)
    rows = rows.filter(Q(resolved_at=None) | Q(resolved_at__gte=start)).order_by("opened_at")
    own = [
        IncidentLine(
            moment(row.opened_at),
            f"{row.get_code_display()}: {row.summary}",
            row.status,
            moment(row.resolved_at) if row.resolved_at else "",
            row.resolved_by,
            row.reason,
        )
        for row in rows[:500]
    ]
    return sorted([*own, *incident_sources.others(environment, start, end)], key=lambda line: line.at)


def not_checked(material: Material) -> list[str]:
    """What the newest proofs of the period's runs could not rebuild or compare, each once with its count of runs."""
    runs = [run.pk for run, _ in material.since]
    proofs = Proof.objects.filter(run__in=runs).order_by("created_at").values_list("run_id", "document__missing")
    newest = {run: missing or [] for run, missing in proofs}
    texts = Counter(str(text) for missing in newest.values() for text in missing)
    return [f"Of {count} of {len(runs)} runs: {text}" for text, count in texts.most_common(MOST_TOLD)]


def not_covered(material: Material) -> list[str]:
    """What the newest run of each policy in the period did not hold, and where it is kept."""
    runs = [run for run, _ in material.since if run.outside and run.policy.spec().by_a_person]
    newest = {run.policy_id: run for run in runs}
    return [
        f"{run} does not hold: {'; '.join(left)}."
        for run in newest.values()
        if (left := [f"{line.topic} ({line.count:,}), {line.where}" for line in kept_by(run) if line.where != HERE])
    ]
