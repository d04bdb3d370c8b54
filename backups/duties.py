"""What time does for the safety of the portal itself and for retention; `scheduler` has the duties of the schedule."""

from __future__ import annotations

from backups import checkpoints, overdue, portal, witness
from backups.retention_kinds import keep_retention
from operations.engine import tick


def register_duties() -> None:
    tick.every("backups.retention", 86_400, keep_retention)
    tick.every("backups.portal", 3_600, portal.keep)
    tick.every("backups.checkpoints", 60, checkpoints.keep)
    overdue.register_job()
    tick.every("backups.witness", 600, witness.keep)
