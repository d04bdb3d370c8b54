"""Every periodic job of backups, with its period in seconds."""

from __future__ import annotations

from backups.anchoring import checkpoints, witness
from backups.incidents import service as incidents
from backups.policies import overdue, portal
from backups.policies.scheduler import run_due
from backups.provider import sync
from backups.restore.scratch import keep_scratch
from backups.retention.kinds import keep_retention
from backups.stores.configured import keep_reports
from backups.stores.orphans import sweep_default_store
from backups.stores.replication import catch_up
from operations.engine import tick


def register() -> None:
    tick.every("backups.schedule", 15, run_due)
    tick.every("backups.overdue", 60, overdue.keep)
    tick.every("backups.incidents", 300, incidents.remind)
    tick.every("backups.retention", 86_400, keep_retention)
    tick.every("backups.second_store", 60, catch_up)
    tick.every("backups.store_reports", 600, keep_reports)
    tick.every("backups.scratch", 3600, keep_scratch)
    tick.every("backups.sweep", 3600, sweep_default_store)
    tick.every("backups.checkpoints", 60, checkpoints.keep, checkpoints.can_sign)
    tick.every("backups.witness", 600, witness.keep, witness.can_sign)
    tick.every("backups.portal", 3600, portal.keep)
    tick.every("backups.provider", sync.EVERY_SECONDS, sync.sync_all)
