"""The two cards of the home page about all operations: what waits for a vote; what is late, failed or altered.

In: the frame of the request (no query of their own). Out: `Panel`s. Health, deployments and backups bring theirs.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone

from operations import home_panels, navigation
from operations.doctor import Check, jobs
from operations.home_panels import Panel
from operations.web.formatting import relative
from providers.counting import counted
from sampelit_ops.site import page_counts


def waits_for_approval(request: HttpRequest) -> Panel:
    """How many requests this person may vote on, and how many only others may."""
    known = page_counts.of(request)
    url = navigation.page("admin:approvals")
    if not known.waiting:
        return Panel("Waits for approval", "Nothing", "ok", detail="Requests that need a vote appear here.", url=url)
    yours, others = known.votable, known.waiting - known.votable
    answer = ", ".join(
        part for part in (f"{yours} for you" if yours else "", f"{others} for others" if others else "") if part
    )
    badge = "destructive" if known.destructive else "waiting"
    expires = f"first expires {relative(known.expires_at, timezone.now())}" if known.expires_at else ""
    return Panel("Waits for approval", answer, "warn", badge, expires, url)


def late_failed_altered(request: HttpRequest) -> Panel:
    """Red when something failed or the ledger does not verify, amber when something is late, else nothing."""
    known = page_counts.of(request)
    url = navigation.page("admin:operations_operation_changelist")
    if known.ledger_valid is False:
        return Panel(
            "Late, failed or altered", "Ledger altered", "bad", detail="Run verify_ledger; trust no entry.", url=url
        )
    checked = f"ledger verified {relative(known.ledger_at)}" if known.ledger_at else "ledger not verified yet"
    if not known.failed and not known.late:
        return Panel("Late, failed or altered", "Nothing", "ok", detail=checked, url=url)
    answer = ", ".join(f"{n} {word}" for n, word in ((known.failed, "failed"), (known.late, "late")) if n)
    only = f"?status__exact={'failed' if known.failed else 'queued'}"
    return Panel("Late, failed or altered", answer, "bad" if known.failed else "warn", detail=checked, url=url + only)


def unbacked(request: HttpRequest) -> Panel | None:
    """Shown only while Supabase keeps no backup of an environment that should have one."""
    names = page_counts.of(request).unbacked
    if not names or not request.user.has_perm("backups.view_run"):
        return None
    url = f"{navigation.page('admin:backups_layers')}?environment={names[0]}"
    return Panel("Supabase's own backups", "There is none", "bad", ", ".join(names), "Only our runs could help.", url)


def doctor(request: HttpRequest) -> Panel | None:
    """How many findings of the worst tone, and the first in words."""
    known = page_counts.of(request)
    checks = [Check(**check) for check in known.doctor_checks or []]
    worst = [check for check in checks if check.tone == "bad"] or [check for check in checks if check.tone == "warn"]
    if known.doctor_at is None or not worst:
        return None
    first, count = worst[0], len(worst)
    answer = counted(count, "finding")
    detail = f"{first.name}: {first.found[:100]} · checked {relative(known.doctor_at)}"
    badge = "red" if first.tone == "bad" else "amber"
    return Panel("Doctor", answer, first.tone, badge, detail, navigation.page("admin:doctor"))


def register() -> None:
    home_panels.register(40, waits_for_approval)
    home_panels.register(47, unbacked)
    home_panels.register(55, late_failed_altered)
    home_panels.register(60, doctor)
    jobs.register()  # after the ledger's hourly verification was registered, which the round reads
