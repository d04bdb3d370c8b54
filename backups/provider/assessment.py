"""What Supabase's own backups of a project amount to, in words. Pure: rows go in, a Verdict comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backups.models import ProviderBackup
from operations.models import SupabaseProject
from operations.periodic.clock import database_time
from providers.counting import counted

LATE = timedelta(hours=26)
DOUBT = timedelta(hours=1)
AHEAD = timedelta(hours=1)  # that Supabase's clock may be
ONE_LIST = "A list is no proof: look at its dashboard. Until then only our own proven runs count."
SOURCE = "https://supabase.com/docs/guides/platform/backups"
PITR_SOURCE = "https://supabase.com/docs/guides/platform/manage-your-usage/point-in-time-recovery"
PITR_PRICES = ((7, 100), (14, 200), (28, 400))
DAYS = {"pro": 7, "team": 14, "enterprise": 30}
CLEAR = {
    "Unauthorized": "Supabase refuses the token: it is wrong, revoked, expired, or may not see this project.",
    "PlanTooLow": "Supabase's plan does not include this (402).",
    "NotFound": "Supabase does not know this project: it was deleted (its backups with it), or is another account's.",
    "Rejected": "Supabase declined the request.",
    "RateLimited": "Supabase asks to slow down; the portal waits and reads again by itself.",
    "Unavailable": "Supabase does not answer; the portal reads again by itself.",
}


@dataclass(frozen=True)
class Verdict:
    """`missing` means: there is no copy at Supabase that could be restored now."""

    tone: str
    word: str
    sentence: str
    missing: bool = False
    newest: datetime | None = None


def judge(project: SupabaseProject | None, rows: Sequence[ProviderBackup]) -> Verdict:
    """The state of Supabase's own layer for one environment."""
    if project is None:
        return Verdict("idle", "not linked", "No Supabase project is linked, so nothing is known of its own backups.")
    if project.error:
        hint = CLEAR.get(project.error_kind, "Supabase could not be read.")
        return Verdict("bad", "unknown", f"{hint} {project.error} What is listed is what was known before.")
    if project.seen_at is None:
        return Verdict("idle", "not read yet", "Its list of backups was not read yet; that happens every ten minutes.")
    shown = [row for row in rows if row.is_listed(project)]
    lost = [row for row in rows if row not in shown]
    newest = _newest(shown)
    if newest is None and _newest(lost):
        since = max(row.seen_at for row in lost)
        text = f"Supabase listed {counted(len(lost), 'copy')} until {since:%Y-%m-%d %H:%M} UTC, and none since."
        gone = database_time() - since > DOUBT
        return Verdict("bad" if gone else "warn", "not listed", f"{text} {ONE_LIST}", missing=gone)
    if newest is None:
        only_shown = project.plan == "free" and not project.environment.protected
        return Verdict("warn" if only_shown else "bad", "no backups", _none(project, shown), missing=True)
    if project.paused:
        text = f"The project is paused ({project.status}). Its backups stay, but none is taken and none can be restored"
        return Verdict("bad", "paused", f"{text} until it is resumed.", newest=newest)
    if database_time() - newest > LATE:
        text = f"The newest copy is from {newest:%Y-%m-%d %H:%M} UTC; a daily one is overdue."
        return Verdict("warn", "late", text, newest=newest)
    if project.pitr_enabled:
        return Verdict("ok", "point in time", "Supabase can return to any second of its window.", newest=newest)
    days = f"{DAYS[project.plan]} of them" if project.plan in DAYS else "how many of them, nobody here knows"
    return Verdict("ok", "daily", f"Daily backups are listed; this plan keeps {days}.", newest=newest)


def _newest(rows: Sequence[ProviderBackup]) -> datetime | None:
    """The moment of the newest state that could be restored; one that is to come is no state."""
    soon = database_time() + AHEAD
    daily = [row.taken_at for row in rows if row.status in ("COMPLETED", "AVAILABLE") and row.taken_at]
    window = [row.latest_at for row in rows if row.kind == ProviderBackup.Kind.PITR_WINDOW and row.latest_at]
    return max((at for at in daily + window if at <= soon), default=None)


def _none(project: SupabaseProject, shown: Sequence[ProviderBackup]) -> str:
    if project.plan == "free":
        return (
            "The free plan has no backups that can be restored: if this project is lost at Supabase, only our own "
            "proven runs bring it back. Daily backups begin with the Pro plan."
        )
    if shown:
        words = ", ".join(sorted({row.status.lower() or "no status" for row in shown}))
        text = f"Supabase lists {counted(len(shown), 'copy')}, and none that can be restored ({words})."
        return f"{text} Ask its support. Until then only our own proven runs count."
    return (
        "Supabase answers that it keeps no backup of this project at all (an empty list). On this plan there should "
        f"be {DAYS.get(project.plan, 7)} daily ones: ask Supabase's support. Until then only our own proven runs count."
    )


def pitr_price(project: SupabaseProject | None) -> str:
    """What point-in-time recovery costs, with where the figures come from."""
    listed = ", ".join(f"{days} days ${price}" for days, price in PITR_PRICES)
    price = f"Supabase's list price a month and project: {listed}; it needs at least Small compute, billed on top."
    if project is not None and project.pitr_enabled:
        return f"On. {'Supabase bills ' + project.pitr_price + '. ' if project.pitr_price else ''}{price}"
    off = "Off. With it, a loss is at most about two minutes instead of up to a day."
    return f"{off} {price} It replaces the daily backups."
