"""The verbs of this app as operation kinds; `register()` is called once when the apps are ready."""

from __future__ import annotations

from migrations_registry.kinds.apply import ApplyMigration
from migrations_registry.kinds.backfill import Backfill, Pause
from migrations_registry.kinds.baseline import Baseline
from migrations_registry.kinds.mark import Look, Mark
from migrations_registry.kinds.path import ApplyPath
from migrations_registry.kinds.register import Register
from migrations_registry.kinds.rehearse import Rehearse
from migrations_registry.kinds.rules import ChangeRules
from migrations_registry.kinds.undo import Undo
from operations.engine import kinds


def register() -> None:
    """Offer the kinds to the engine."""
    kinds.register(ApplyMigration())
    kinds.register(ApplyPath())
    kinds.register(Backfill())
    kinds.register(Baseline())
    kinds.register(ChangeRules())
    kinds.register(Look())
    kinds.register(Mark())
    kinds.register(Pause())
    kinds.register(Register())
    kinds.register(Rehearse())
    kinds.register(Undo())
