"""The sidebar links of this app."""

from __future__ import annotations

from operations import navigation
from operations.navigation import NavLink


def register() -> None:
    navigation.register(
        NavLink("Operate", 12, "Services", "admin:deployments_service_changelist", "deployments.view_service")
    )
    navigation.register(
        NavLink("Operate", 14, "Edge functions", "admin:deployments_edgefunction_changelist",
                "deployments.view_edgefunction")
    )  # fmt: skip
    navigation.register(
        NavLink("Watch", 38, "Advisors", "admin:deployments_advisorfinding_changelist",
                "deployments.view_advisorfinding")
    )  # fmt: skip
