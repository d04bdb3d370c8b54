"""What incidents and holds add to the registries: kinds and links."""

from __future__ import annotations

from backups.incidents.kinds import PlaceHold, ReleaseHold, ResolveIncident
from operations import navigation
from operations.engine import kinds


def register() -> None:
    """Offer kinds, card, links and job to the registries."""
    for kind in (ResolveIncident(), PlaceHold(), ReleaseHold()):
        kinds.register(kind)
    link = navigation.NavLink
    navigation.register(link("Watch", 74, "Incidents", "admin:backups_incident_changelist", "backups.view_incident"))
    navigation.register(link("Watch", 76, "Legal holds", "admin:backups_hold_changelist", "backups.view_hold"))
