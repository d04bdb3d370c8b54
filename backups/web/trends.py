"""Charts over the last runs: stored size, duration of the copy, measured restore time. Outliers carry a dot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from django.utils import timezone
from django.utils.safestring import SafeString

from backups.models import Policy, Run
from backups.models.run import RunStatus
from backups.policies.cron import next_slots
from backups.policies.defaults import AUDIT_TRAIL
from backups.web import calendar
from operations.web import formatting
from operations.web.charts import Point, Slot, sparkline, strip

SHOWN = 30
OUTLIER = 2.0
FRESH = timedelta(hours=26)  # what a policy without a schedule is measured by


def points(runs: Sequence[Run], values: Sequence[float]) -> list[Point]:
    """One point a run, oldest first; twice or half the median is marked."""
    middle = median(values) if values else 0
    return [
        Point(f"{run.started_at:%Y-%m-%d %H:%M}", value, "bad" if _outlier(value, middle) else "")
        for run, value in zip(runs, values, strict=True)
    ]


def _outlier(value: float, middle: float) -> bool:
    return middle > 0 and (value > middle * OUTLIER or value < middle / OUTLIER)


def context() -> dict[str, Any]:
    """What the list of runs shows above itself, and the policy it is about."""
    rows = Run.objects.counting().filter(policy__name=AUDIT_TRAIL).select_related("policy__environment")
    newest = list(rows.order_by("-policy__environment__protected", "-proven_at")[:SHOWN])
    runs = [run for run in newest if run.policy_id == newest[0].policy_id][::-1]
    policy = _main_policy(runs)
    calendars = calendar.calendars([policy]) if policy and policy.cron else []
    return {"trends": charts(runs), "calendars": calendars, "export_policy": policy}


def _main_policy(runs: Sequence[Run]) -> Policy | None:
    """The built-in policy of the protected environment; asked for only where the runs do not name it."""
    policy = runs[-1].policy if runs else None
    if policy and policy.built_in and policy.enabled and policy.environment.protected:
        return policy
    rows = Policy.objects.filter(built_in=True, enabled=True).select_related("environment")
    return rows.order_by("-environment__protected", "name").first()


@dataclass(frozen=True)
class Trend:
    """A chart with its heading and the newest value; `marked` says whether a dot is in it."""

    title: str
    newest: str
    drawing: SafeString
    marked: bool


def charts(runs: Sequence[Run]) -> list[Trend]:
    """Three charts of one policy's newest proven runs, oldest first; none for fewer than two runs."""
    if len(runs) < 2:
        return []
    about = f"the last {len(runs)} proven runs of {runs[-1].policy}"
    newest = runs[-1]
    sizes = points(runs, [run.stored_bytes / 1e6 for run in runs])
    copies = points(runs, [run.copy_seconds or 0 for run in runs])
    proofs = points(runs, [run.proof_seconds or 0 for run in runs])
    return [
        _trend("Stored size", formatting.size(newest.stored_bytes), sizes, f"Stored size of {about}.", "MB"),
        _trend("Copy", formatting.duration(newest.copy_seconds), copies, f"How long {about} took to copy.", "s"),
        _trend(
            "Restore (RTO)",
            formatting.duration(newest.proof_seconds),
            proofs,
            f"How long the drills of {about} took to restore and compare.",
            "s",
        ),
    ]


def _trend(title: str, newest: str, values: list[Point], description: str, unit: str) -> Trend:
    drawing = sparkline(values, title, description, unit, least_span=0.5)
    return Trend(title, newest, drawing, any(point.tone for point in values))


def bars(runs: Sequence[Run], counted: str) -> SafeString:
    """The stored size of each run; what stored nothing is a stub."""
    largest = max(run.stored_bytes for run in runs) or 1
    drawn = [
        Slot(
            f"{run.started_at:%Y-%m-%d %H:%M}",
            run.word.replace("_", " "),
            share=run.stored_bytes / largest if run.is_stored else 0.1,
            amount=formatting.size(run.stored_bytes) if run.is_stored else "nothing stored",
        )
        for run in runs
    ]
    return strip(drawn, f"Stored size, last {len(runs)} run{'s' if len(runs) > 1 else ''} of {AUDIT_TRAIL}.", counted)


def promises(policy: Policy, runs: Sequence[Run]) -> list[tuple[str, str]]:
    """What was promised beside what is: age (RPO), restore time (RTO), size and rows with their change."""
    proven = [run for run in runs if run.status == RunStatus.PROVEN and run.proven_at]
    if not proven:
        return [("Newest proven (RPO)", f"none; promised every {formatting.duration(promised_seconds(policy))}")]
    newest, oldest = proven[-1], proven[0]
    budget = formatting.duration(policy.rto_budget_seconds) if policy.rto_budget_seconds else "none set"
    age = formatting.relative(newest.proven_at or newest.started_at)
    return [
        ("Newest proven (RPO)", f"{age}; promised every {formatting.duration(promised_seconds(policy))}"),
        ("Restore took (RTO)", f"{formatting.duration(newest.proof_seconds)}; budget {budget}"),
        ("Stored", f"{formatting.size(newest.stored_bytes)}{_change(oldest.stored_bytes, newest.stored_bytes)}"),
        ("Rows", f"{formatting.number(newest.rows)}{_change(oldest.rows, newest.rows)}"),
        ("Shown back to", f"{oldest.started_at:%Y-%m-%d %H:%M} UTC"),
    ]


def promised_seconds(policy: Policy) -> float:
    """How old the newest proven run may become: the longest gap of the next slots and their grace, else FRESH."""
    slots = next_slots(policy.cron, policy.time_zone, timezone.now(), 8) if policy.cron else []
    gaps = [(later - sooner).total_seconds() for sooner, later in pairwise(slots)]
    return max(gaps) + policy.grace_minutes * 60 if gaps else FRESH.total_seconds()


def _change(before: int, now: int) -> str:
    return f", {(now - before) / before:+.1%} over these" if before and now != before else ""
