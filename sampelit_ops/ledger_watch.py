"""Keeps the ledger's last verification in view: hourly by the tick, and whenever somebody asks.

In: reports of `ledger.services.verify_and_tell`. Out: the heartbeat that the frame of every page reads, a checkpoint.
"""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone

from ledger.registry import on_verified
from ledger.services import VerificationReport, checkpoint, verify_and_tell
from operations.engine import tick
from operations.models import Heartbeat
from operations.notify import alarm

SECONDS = 3600.0


@on_verified
def note_verification(report: VerificationReport) -> None:
    """Write down when the ledger was verified and what came of it."""
    detail = {"valid": report.valid, "entries": report.entries, "problems": len(report.problems)}
    Heartbeat.objects.update_or_create(name="ledger.verified", defaults={"beat_at": timezone.now(), "detail": detail})
    lines = "\n".join(f"Entry {problem.sequence}: {problem.problem}" for problem in report.problems[:10])
    path = reverse("admin:ledger_entry_changelist")
    alarm("ledger", not report.valid, subject="The ledger was altered", body=lines, path=path)


def watch() -> None:
    """Verify; a valid ledger's head becomes a checkpoint that later verifications compare with."""
    if verify_and_tell().valid:
        checkpoint()


def register() -> None:
    tick.every("ledger.verify", SECONDS, watch)
