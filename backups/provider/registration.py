"""What this package adds to the registries, called once from AppConfig.ready."""

from __future__ import annotations

from backups.provider import onboarding
from backups.provider.kinds import ProviderPitr, ProviderRestore
from backups.provider.restore_points import RestorePointKind
from ledger.models import Entry
from ledger.registry import sentence
from operations.engine.kinds import register as register_kind


def register() -> None:
    for kind in (ProviderRestore(), ProviderPitr(), RestorePointKind()):
        register_kind(kind)
    onboarding.register()


@sentence("backups.provider.restored")
def _restored(entry: Entry) -> str:
    rows, present = entry.payload["taken_back"], entry.payload["present"]
    before = f"; the state before it is run {present}" if present else "; the state before it was given up"
    return f"{entry.actor} restored {entry.environment} at Supabase to {entry.subject}: {rows} rows taken back{before}."


@sentence("backups.provider.not_restored")
def _not_restored(entry: Entry) -> str:
    return (
        f"The restore of {entry.environment} at Supabase to {entry.subject} did not end well: {entry.payload['reason']}"
    )


@sentence("backups.provider.point")
def _point(entry: Entry) -> str:
    if entry.payload["instead"]:
        return f"{entry.actor} marked {entry.environment} by our own run {entry.subject}. {entry.payload['instead']}"
    return f"{entry.actor} marked {entry.environment} at Supabase as restore point {entry.subject}."
