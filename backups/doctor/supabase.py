"""Doctor's checks of Supabase: token and its expiry, project, copies, PITR, TLS, network; from what the sync stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from django.conf import settings

from backups.models import ProviderBackup
from backups.provider.assessment import CLEAR, judge, pitr_price
from operations import doctor
from operations.doctor import Check
from operations.models import Environment, SupabaseProject
from operations.periodic.clock import database_time
from operations.supabase_projects import configured
from providers.counting import counted

STALE = timedelta(hours=1)
SOON = timedelta(days=14)
FIX_TOKEN = "Create a token in Supabase (Account, Access Tokens) and set SUPABASE_ACCESS_TOKEN everywhere."  # noqa: S105


def supabase(environment: Environment | None) -> Iterator[Check]:
    """The token, then every linked project."""
    why = "Without the token nobody sees Supabase's own backups, and none can be restored from here."
    if not configured():
        yield Check("Supabase token", "warn", "SUPABASE_ACCESS_TOKEN is not set", why, FIX_TOKEN)
        return
    rows = SupabaseProject.objects.select_related("environment")
    refused = [row for row in rows if row.error_kind == "Unauthorized"]
    if refused:
        yield Check("Supabase token", "bad", refused[0].error, why, FIX_TOKEN)
    else:
        seen = max((row.seen_at for row in rows if row.seen_at), default=None)
        lately = seen is not None and database_time() - seen <= STALE
        found = f"{'' if lately else 'last '}accepted at {seen:%Y-%m-%d %H:%M} UTC" if seen else "not used yet"
        fix = "" if lately else "Run sampelit-ops sync_provider_backups." if seen else "Run sampelit-ops setup."
        yield Check("Supabase token", "ok" if lately else "warn", found, why, fix)
    yield expiry(settings.SUPABASE_TOKEN_EXPIRES, database_time())
    for row in rows.filter(environment=environment) if environment else rows:
        yield from project(row)


def expiry(text: str, now: datetime) -> Check:
    """Supabase's API tells no token's expiry (reference: Management API), so the date is written down once."""
    why = "A token that runs out in the night of an accident takes the provider's backups out of reach."
    if not text:
        fix = "Write its date into SUPABASE_TOKEN_EXPIRES (YYYY-MM-DD) to be warned 14 days before."
        return Check("Supabase token expiry", "idle", "not told: Supabase's API does not show it", why, fix)
    try:
        ends = date.fromisoformat(text)
    except ValueError:
        return Check("Supabase token expiry", "bad", f"SUPABASE_TOKEN_EXPIRES is no date: {text}", why, "YYYY-MM-DD.")
    left = (ends - now.date()).days
    tone = "bad" if left < 0 else "warn" if left <= SOON.days else "ok"
    state = f"ran out on {ends}" if left < 0 else f"{counted(left, 'day')} left, until {ends}"
    return Check("Supabase token expiry", tone, state, why, "" if tone == "ok" else FIX_TOKEN)


def project(row: SupabaseProject) -> Iterator[Check]:
    """One project: its health, its copies and who may reach it; green is only what was read lately."""
    lately = not row.error and row.seen_at is not None and database_time() - row.seen_at <= STALE
    when = f"{row.seen_at:%Y-%m-%d %H:%M} UTC" if row.seen_at else "never"
    for check in _project(row):
        as_read = check if lately or check.tone != "ok" else replace(check, tone="warn")
        yield as_read if as_read is check else replace(as_read, found=f"{check.found}, when it was last read ({when})")


def _project(row: SupabaseProject) -> Iterator[Check]:
    name = f"Supabase {row.environment.slug}"
    yield _health(name, row)
    backups = list(ProviderBackup.objects.listed().filter(environment=row.environment, ref=row.ref))
    verdict = judge(row, backups)
    yield Check(
        f"{name} backups",
        verdict.tone,
        verdict.word,
        "It is the layer that needs no act of ours.",
        "" if verdict.tone == "ok" else verdict.sentence,
    )
    yield Check(
        f"{name} PITR",
        "ok" if row.pitr_enabled else "idle",
        "on" if row.pitr_enabled else "off",
        "It returns to any second; without it up to a day is lost.",
        pitr_price(row),
    )
    yield from _ways_in(name, row)


def _ways_in(name: str, row: SupabaseProject) -> Iterator[Check]:
    """Who may reach it, and how."""
    encrypted = "enforced" if row.ssl_enforced else "not enforced"
    why, fix = "Without it a client may talk in clear.", "Supabase: Database settings, Enforce SSL."
    yield _way_in(f"{name} TLS", row.ssl_enforced, encrypted, why, fix, row.notes.get("ssl"))
    closed = None if row.open_to_all is None else not row.open_to_all
    reach = "restricted" if closed else "every address may connect"
    why, fix = "A leaked password is enough then.", "Allow only Render's and the portal's addresses."
    yield _way_in(f"{name} network", closed, reach, why, fix, row.notes.get("network"))


def _way_in(name: str, good: bool | None, state: str, why: str, fix: str, note: str | None) -> Check:
    if good is None:
        return Check(name, "idle", "not known", why, note or "Not read yet.")
    return Check(name, "ok" if good else "warn", state, why, "" if good else fix)


def _health(name: str, row: SupabaseProject) -> Check:
    why = "A project that is not well takes the product down, and its backups may be late."
    if row.error:
        return Check(f"{name} project", "bad", row.error, why, CLEAR.get(row.error_kind, "Read the message."))
    if row.seen_at is None or database_time() - row.seen_at > STALE:
        return Check(f"{name} project", "warn", "not read for an hour", why, "sampelit-ops sync_provider_backups")
    if row.paused:
        return Check(f"{name} project", "bad", f"paused ({row.status})", why, "Resume it in Supabase's dashboard.")
    unwell = row.unhealthy_services
    if not row.healthy or unwell:
        state = f"{row.status}{': ' + ', '.join(unwell) if unwell else ''}"
        return Check(f"{name} project", "bad", state, why, "Look at status.supabase.com and the project's dashboard.")
    untold = "; how its services are is not told" if "health" in row.notes or not row.services else ""
    return Check(f"{name} project", "ok", f"{row.status}, Postgres {row.version}{untold}", why)


def register() -> None:
    for check in (supabase,):
        doctor.register(check)
