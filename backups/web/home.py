"""What backups say on the home page: how old the newest proven backup is, and whether anything is red or late."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import NamedTuple

from django.db.models import Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from backups.models import Incident, Run, Slot
from backups.models.run import RunStatus
from backups.policies.defaults import AUDIT_TRAIL
from backups.policies.outside import kept_by
from backups.web import incident_page, trends
from backups.web.coverage import coverage
from operations import doctor, home_panels, navigation
from operations.home_panels import Panel, Widget, register_widget
from operations.navigation import NavLink
from operations.notes import service as notes
from operations.periodic.clock import database_time
from operations.web import formatting
from providers.counting import counted


def newest_proven_backup(request: HttpRequest) -> Panel | None:
    """The age of the newest proven run of the audit trail of a protected environment (or of any, if there is none)."""
    if not request.user.has_perm("backups.view_run"):
        return None
    title = "Newest proven backup"
    url = reverse("admin:backups_run_changelist")
    runs = recent_runs(request)
    run = next(
        (
            candidate
            for candidate in reversed(runs)
            if candidate.status == RunStatus.PROVEN and not candidate.operation.seeded
        ),
        None,
    )
    run = run or _newest()
    if run is None or run.proven_at is None:
        return Panel(title, "There is none", "bad", "not proven", "Export the audit trail and let it be proven.", url)
    late = (database_time() - run.proven_at).total_seconds() > trends.promised_seconds(run.policy)
    newer = next(
        (
            candidate
            for candidate in reversed(runs)
            if candidate.started_at > run.started_at and not candidate.operation.seeded
        ),
        None,
    )
    red = newer is not None and (newer.status in (RunStatus.SUSPECT, RunStatus.FAILED) or newer.proof_overdue)
    state = "not proven" if newer is not None and newer.proof_overdue else newer.status if newer else ""
    proven = ("warn", "proven in part") if run.in_part else ("ok", "proven")
    tone, word = ("bad", f"last run {state}") if red else ("warn", "late") if late else proven
    took = f"{run.rows:,} rows of {run.policy} · restored in {formatting.duration(run.proof_seconds)}"
    return Panel(
        title, formatting.relative(run.proven_at), tone, word, took, reverse("admin:backups_run_change", args=[run.pk])
    )


def _newest() -> Run | None:
    runs = Run.objects.counting().filter(policy__name=AUDIT_TRAIL).select_related("policy__environment")
    return runs.order_by("-policy__environment__protected", "-proven_at").first()


def backup_schedule(request: HttpRequest) -> Panel | None:
    """Shown only while a slot is red and nobody acknowledged it."""
    shown = [red for red in _red(request) if red.kind == "slot"]
    if not shown:
        return None
    newest, count = shown[0], len(shown)
    detail = f"{newest.name}, due {newest.at:%Y-%m-%d %H:%M} UTC. {newest.text}".strip()
    return Panel(
        "Backup slots", counted(count, "slot"), "bad", newest.word, detail, reverse("admin:backups_slot_changelist")
    )


def altered(request: HttpRequest) -> Panel | None:
    """Shown only while an incident is open; nothing but a person's reason takes it away."""
    shown = [red for red in _red(request) if red.kind == "incident"]
    if not shown:
        return None
    newest, count = shown[0], len(shown)
    url = reverse("admin:backups_incident_change", args=[newest.pk])
    if count > 1:
        url = f"{reverse('admin:backups_incident_changelist')}?status__exact=open"
    answer = counted(count, "open incident")
    return Panel("Audit data", answer, "bad", "altered", f"{newest.name}: {newest.text}", url)


def kept_nowhere(request: HttpRequest) -> Panel | None:
    """Shown only while the newest run saw what no copy holds and nobody said that none is wanted."""
    run = next((run for run in reversed(recent_runs(request)) if run.outside), None)
    bare = [line for line in kept_by(run) if line.tone == "bad"] if run else []
    if run is None or not bare:
        return None
    slug = run.policy.environment.slug
    url = f"{reverse('admin:backups_coverage')}?environment={slug}"
    return Panel("Kept nowhere", ", ".join(line.topic for line in bare), "bad", slug, bare[0].sentence, url)


class _Red(NamedTuple):
    kind: str
    pk: int
    at: datetime
    word: str
    name: str
    text: str


def _red(request: HttpRequest) -> list[_Red]:
    """Red slots that nobody acknowledged and open incidents, newest first, in one query a request."""
    if not request.user.has_perm("backups.view_incident"):
        return []
    known: list[_Red] | None = getattr(request, "red_of_backups", None)
    if known is None:
        slots = Slot.objects.filter(status__in=["failed", "late", "missed"], acknowledged_by="")
        slot_rows = slots.order_by("-at").values_list(Value("slot"), "pk", "at", "status", "policy__name", "reason")
        rows = Incident.objects.open().order_by("-opened_at")
        incident_rows = rows.values_list(Value("incident"), "pk", "opened_at", "status", "environment__slug", "summary")
        both = slot_rows[:100].union(incident_rows[:100], all=True)
        known = sorted((_Red(*row) for row in both), key=lambda red: red.at, reverse=True)
        request.red_of_backups = known  # type: ignore[attr-defined]
    return known


def register() -> None:
    notes.register("incident", incident_page.subject)
    home_panels.register(30, newest_proven_backup)
    home_panels.register(45, backup_schedule)
    home_panels.register(46, altered)
    home_panels.register(48, kept_nowhere)
    doctor.register(coverage)
    register_widgets()
    navigation.register(
        NavLink("Backups", 32, "Stores", "admin:backups_storereport_changelist", "backups.view_storereport")
    )
    navigation.register(NavLink("Backups", 31, "Policies", "admin:backups_policy_changelist", "backups.view_policy"))


SHOWN = 30


def backups_card(request: HttpRequest) -> Widget | None:
    """Stored size of the newest runs as bars, then age, restore time, size and rows against what was promised."""
    runs = recent_runs(request)
    if not runs:
        return None
    policy = runs[-1].policy
    counted = ", ".join(f"{n} {word}" for word, n in Counter(run.word for run in runs).most_common()).replace("_", " ")
    drawing = trends.bars(runs, f"{counted}, times in UTC.")
    facts = format_html_join("", "<dt>{}</dt><dd>{}</dd>", trends.promises(policy, runs))
    return Widget(f"Backups · {policy.environment.slug}", format_html('{}<dl class="pairs">{}</dl>', drawing, facts))


def recent_runs(request: HttpRequest) -> list[Run]:
    """The newest runs of the audit trail of one environment, a protected one first; oldest first, asked once."""
    if not request.user.has_perm("backups.view_run"):
        return []
    known = getattr(request, "recent_runs", None)
    if known is None:
        rows = Run.objects.filter(policy__name=AUDIT_TRAIL).select_related("policy__environment", "operation")
        newest = list(rows.order_by("-policy__environment__protected", "-started_at")[:SHOWN])
        known = [run for run in newest if run.policy_id == newest[0].policy_id][::-1]
        request.recent_runs = known  # type: ignore[attr-defined]
    return known


def register_widgets() -> None:
    """Add it to the right column of the home page."""
    register_widget(10, backups_card)
