"""What the registry of migrations offers the rest of the portal: periodic readings and the gate of deploys."""

from __future__ import annotations

from migrations_registry import deploys, readings
from operations.engine import kinds, tick


def register() -> None:
    """Fill the registries of operations; called once when the apps are ready."""
    tick.every("migrations_registry.readings", readings.EVERY_SECONDS, readings.refresh_all)
    kinds.consequences(deploys.KIND, deploys.tell)
    kinds.guards(deploys.KIND, deploys.refuse)
