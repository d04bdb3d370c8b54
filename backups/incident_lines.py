"""What incidents and holds add: sentences of the timeline, links, kinds, the daily reminder."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count

from backups import incidents
from backups.incident_kinds import PlaceHold, ReleaseHold, ResolveIncident
from backups.models import Incident
from ledger.models import Entry
from ledger.registry import sentence
from operations import navigation
from operations.doctor import Check
from operations.doctor import register as register_check
from operations.engine import kinds, tick
from operations.models import Environment


def register() -> None:
    """Offer kinds, card, links and job to the registries."""
    for kind in (ResolveIncident(), PlaceHold(), ReleaseHold()):
        kinds.register(kind)
    tick.every("backups.incidents", 300, remind)
    link = navigation.NavLink
    navigation.register(
        link("Watch", 74, "Incidents", "admin:backups_incident_changelist", "backups.view_incident")
    )  # fmt: skip
    navigation.register(link("Watch", 76, "Legal holds", "admin:backups_hold_changelist", "backups.view_hold"))


def remind() -> None:
    """The periodic job."""
    incidents.remind()


@register_check
def altered_data(environment: Environment | None) -> Iterator[Check]:
    """Incidents that nobody has resolved."""
    why = "History that was altered is found only by comparing with an earlier run, and explained only by a person."
    rows = Incident.objects.open().values_list("environment__slug").annotate(Count("pk")).order_by()
    counted = dict(rows.filter(environment=environment) if environment else rows)
    for slug in [environment.slug] if environment else Environment.objects.values_list("slug", flat=True):
        number = counted.get(slug, 0)
        tone, found = ("bad", f"{number} open") if number else ("ok", "none open")
        fix = "Open Incidents in the sidebar, or run manage.py incidents." if number else ""
        yield Check(f"{slug} incidents", tone, found, why, fix)


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
