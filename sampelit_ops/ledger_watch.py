"""Keeps the ledger's last verification in view: hourly by the tick, and whenever somebody asks.

In: reports of `ledger.services.verify_and_tell`. Out: the heartbeat that the frame of every page reads, a checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.urls import reverse

from ledger import stream
from ledger.app_role import owner_gaps
from ledger.registry import on_verified
from ledger.services import VerificationReport, checkpoint, verify_and_tell
from operations.doctor import Check
from operations.doctor import register as register_check
from operations.engine import tick
from operations.models import Environment, Heartbeat
from operations.notify import alarm
from operations.periodic.clock import database_time

SECONDS = 3600.0
BEHIND_SECONDS = 60.0


@on_verified
def note_verification(report: VerificationReport) -> None:
    """Write down when the ledger was verified and what came of it."""
    detail = {"valid": report.valid, "entries": report.entries, "problems": len(report.problems)}
    Heartbeat.objects.update_or_create(name="ledger.verified", defaults={"beat_at": database_time(), "detail": detail})
    lines = "\n".join(f"Entry {problem.sequence}: {problem.problem}" for problem in report.problems[:10])
    path = reverse("admin:ledger_entry_changelist")
    alarm("ledger", not report.valid, subject="The ledger was altered", body=lines, path=path)


def watch() -> None:
    """Verify; a valid ledger's head becomes a checkpoint that later verifications compare with."""
    if verify_and_tell().valid:
        checkpoint()


def collector(environment: Environment | None) -> Iterator[Check]:
    """Whether the outside collector has what happened until a minute ago."""
    name, why = (
        "ledger collector",
        "What it has cannot be rewritten here; the checkpoints in the store are an hour apart.",
    )
    state = stream.state() if environment is None else None
    if environment is None and state is None:
        fix = (
            "Set OPS_LEDGER_COLLECTOR to a syslog or HTTPS collector that other people administer (docs/operations.md)."
        )
        yield Check(name, "idle" if settings.DEMO else "warn", "not set", why, fix)
    elif state is not None and (state.problem or state.behind_seconds > BEHIND_SECONDS):
        found = f"{state.behind_entries} entries and {state.behind_seconds:.0f} s behind. {state.problem}".strip()
        yield Check(name, "bad", found, why, "Make the collector take lines again; what it lacks is sent by itself.")
    elif state is not None:
        yield Check(name, "ok", f"{state.behind_entries} entries behind", why)


def ledger_owner(environment: Environment | None) -> Iterator[Check]:
    """Whether the portal's own role could take the ledger's triggers away."""
    if environment is not None:
        return
    why = "Whoever takes the portal over could rewrite what no collector and no anchor holds yet."
    fix = "Run it as a role that owns nothing: MIGRATION_DATABASE_URL and sampelit-ops app_role (docs/deploy.md)."
    if gaps := owner_gaps():
        yield Check("ledger owner", "idle" if settings.DEMO else "warn", "; ".join(gaps), why, fix)
    else:
        yield Check("ledger owner", "ok", "another role than the portal's", why)


def register() -> None:
    tick.every("ledger.verify", SECONDS, watch)
    tick.every("ledger.stream", 5.0, stream.send_due)
    register_check(collector)
    register_check(ledger_owner)
