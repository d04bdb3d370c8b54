"""The portal's own verbs on environments as operation kinds; `register()` is called once when the apps are ready."""

from __future__ import annotations

from operations.engine import kinds
from operations.kinds.add_environment import AddEnvironment
from operations.kinds.change_environment import ChangeEnvironment
from operations.kinds.rebind_environment import RebindEnvironment


def register() -> None:
    """Offer the kinds to the engine."""
    kinds.register(AddEnvironment())
    kinds.register(ChangeEnvironment())
    kinds.register(RebindEnvironment())
