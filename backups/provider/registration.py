"""What this package adds to the registries, called once from AppConfig.ready."""

from __future__ import annotations

from backups.provider import onboarding
from backups.provider.kinds import ProviderPitr, ProviderRestore
from backups.provider.restore_points import RestorePointKind
from operations.engine.kinds import register as register_kind


def register() -> None:
    for kind in (ProviderRestore(), ProviderPitr(), RestorePointKind()):
        register_kind(kind)
    onboarding.register()
