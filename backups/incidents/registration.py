"""What incidents and holds add: sentences of the timeline, links, kinds, the daily reminder."""

from __future__ import annotations

from backups.incidents.kinds import PlaceHold, ReleaseHold, ResolveIncident
from ledger.models import Entry
from ledger.registry import sentence
from operations import navigation
from operations.engine import kinds


def register() -> None:
    """Offer kinds, card, links and job to the registries."""
    for kind in (ResolveIncident(), PlaceHold(), ReleaseHold()):
        kinds.register(kind)
    link = navigation.NavLink
    navigation.register(
        link("Watch", 74, "Incidents", "admin:backups_incident_changelist", "backups.view_incident")
    )  # fmt: skip
    navigation.register(link("Watch", 76, "Legal holds", "admin:backups_hold_changelist", "backups.view_hold"))


@sentence("backups.incident.opened")
def _opened(entry: Entry) -> str:
    return f"Altered on {entry.environment}: {entry.payload['summary']}"


@sentence("backups.incident.resolved")
def _resolved(entry: Entry) -> str:
    agreed = entry.payload.get("agreed")
    who = f"{entry.actor} (agreed: {', '.join(agreed)})" if isinstance(agreed, list) and agreed else entry.actor
    return f"{who} resolved the incident {entry.subject} ({entry.payload['about']}): {entry.payload['reason']}"


@sentence("backups.hold.placed")
def _placed(entry: Entry) -> str:
    return f"Run {entry.subject} is under a legal hold: {entry.payload['reason']}"


@sentence("backups.hold.released")
def _released(entry: Entry) -> str:
    return f"{entry.actor} released the hold on run {entry.subject}: {entry.payload['reason']}"
