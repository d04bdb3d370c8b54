"""The sidebar links of this app."""

from __future__ import annotations

from operations import navigation
from operations.navigation import NavLink


def register() -> None:
    navigation.register(
        NavLink("Operate", 12, "Services", "admin:deployments_service_changelist", "deployments.view_service")
    )
