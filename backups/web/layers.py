"""The layers page: our proven runs, Supabase's daily backups and its point-in-time window, side by side.

In: an environment. Out: per layer the newest state, the loss, the price and what it covers; each copy with its button.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse

from backups.models import ProviderBackup, Run
from backups.provider.assessment import LATE, PITR_SOURCE, SOURCE, Verdict, judge, pitr_price
from operations.models import Environment, SupabaseProject
from operations.periodic.clock import database_time
from operations.web.page_environment import page_environment
from operations.web.pages import render_page
from operations.web.verbs import Verb, asking
from providers.counting import counted

ACCIDENTS = (
    (
        "A row forged or deleted in silence",
        ("yes: compared at every run", "no: copied as it is", "no: copied as it is"),
    ),
    ("A table or column dropped", ("yes, beside the live tables", "yes, the whole project goes back", "yes, the same")),
    ("A bad migration", ("yes", "yes, loses the day since", "yes, to the second before")),
    ("The project deleted", ("yes", "no: deleted with it", "no: deleted with it")),
    ("Supabase or its region away", ("yes, into any PostgreSQL", "no", "no")),
)


@dataclass(frozen=True)
class Layer:
    """`newest` is the newest state that could come back; what happened after it is lost."""

    name: str
    tone: str
    word: str
    newest: datetime | None
    sentence: str
    price: str


@dataclass(frozen=True)
class Copy:
    """One of Supabase's copies and the confirmation page that restores it; no page, where it cannot be."""

    row: ProviderBackup
    way: Verb | None
    is_listed: bool

    @property
    def word(self) -> str:
        return self.row.status.lower()

    @property
    def tone(self) -> str:
        return "ok" if self.way else "bad" if self.row.status == "FAILED" else "idle"


@permission_required("backups.view_run", raise_exception=True)
def page(request: HttpRequest) -> HttpResponse:
    environments = list(Environment.objects.filter(kind__in=["production", "staging"]))
    chosen = page_environment(environments, request.GET.get("environment"))
    context = {
        "title": "Backup layers",
        "environments": environments,
        "chosen": chosen,
        "accidents": ACCIDENTS,
        "sources": (SOURCE, PITR_SOURCE),
        **(shown(request, chosen) if chosen else {}),
    }
    return render_page(request, "admin/backups/layers.html", context)


def shown(request: HttpRequest, environment: Environment) -> dict[str, object]:
    """What the page says of one environment."""
    project = SupabaseProject.objects.filter(environment=environment).select_related("environment").first()
    rows = list(ProviderBackup.objects.listed().filter(environment=environment)[:60])
    verdict = judge(project, rows)
    told = [row for row in rows if row.is_listed(project)]
    window = next((row for row in rows if row.kind == ProviderBackup.Kind.PITR_WINDOW), None)
    return {
        "project": project,
        "verdict": verdict,
        "layers": [_ours(environment), _daily(verdict, told), _pitr(project, verdict, window)],
        "copies": [
            Copy(row, _restore(request, environment, row) if row in told else None, row in told)
            for row in rows
            if row.kind != ProviderBackup.Kind.PITR_WINDOW
        ],
        "window": window if window in told else None,
        "pitr": asking(request.user, "backups.provider_pitr", environment, "Return to it"),
    }


def _restore(request: HttpRequest, environment: Environment, row: ProviderBackup) -> Verb | None:
    """The button for this copy; none where Supabase says that it cannot be restored."""
    if row.status not in ("COMPLETED", "AVAILABLE"):
        return None
    kind, words = "backups.provider_restore", ("Restore", "danger")
    way = asking(request.user, kind, environment, *words, backup=row.external_id)
    return replace(way, says=f"Restore {row}")


def _ours(environment: Environment) -> Layer:
    run = Run.objects.counting().filter(policy__environment=environment).order_by("-proven_at").first()
    price = "The store's price; a drill needs only the worker."
    if run is None:
        return Layer("Our proven runs", "bad", "none", None, "No run of this environment is proven.", price)
    text = f"{counted(run.rows, 'row')} of {counted(len(run.tables), 'table')}, restored and compared. {run.reason}"
    tone, word = ("warn", "proven in part") if run.in_part else ("ok", "proven")
    return Layer("Our proven runs", tone, word, run.snapshot_at or run.proven_at, text.strip(), price)


def _daily(verdict: Verdict, rows: list[ProviderBackup]) -> Layer:
    daily = [row for row in rows if row.kind == ProviderBackup.Kind.DAILY and row.status == "COMPLETED"]
    newest = max((row.taken_at for row in daily if row.taken_at), default=None)
    price = "Part of the Pro, Team and Enterprise plans; the free plan has none."
    copies = f"{counted(len(daily), 'copy')}; nobody has restored them."
    text = verdict.sentence if not daily or verdict.tone != "ok" else copies
    word = "daily" if daily and verdict.tone == "ok" else verdict.word if not daily or verdict.tone != "ok" else "none"
    return Layer("Supabase daily", verdict.tone if daily else "warn", word, newest, text, price)


def _pitr(project: SupabaseProject | None, verdict: Verdict, window: ProviderBackup | None) -> Layer:
    """Green only while Supabase says so: a window that it told once may have ended since."""
    price = pitr_price(project)
    if window is None:
        on = project is not None and project.pitr_enabled
        word, text = ("no window", "Switched on, but Supabase tells of none now.") if on else ("off", "Not bought.")
        return Layer("Supabase point in time", "warn" if on else "idle", word, None, text, price)
    if project is None or project.error or project.paused or not window.is_listed(project):
        tone = "bad" if verdict.tone == "bad" else "warn"
        return Layer("Supabase point in time", tone, verdict.word, window.latest_at, verdict.sentence, price)
    if window.earliest_at is None or window.latest_at is None or database_time() - window.latest_at > LATE:
        text = "Supabase says nothing newer: what was written since cannot be reached."
        return Layer("Supabase point in time", "warn", "late", window.latest_at, text, price)
    text = f"Any second from {window.earliest_at:%Y-%m-%d %H:%M} to {window.latest_at:%Y-%m-%d %H:%M} UTC."
    return Layer("Supabase point in time", "ok", "on", window.latest_at, text, price)
