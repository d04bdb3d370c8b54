"""What incidents and holds add: sentences of the timeline, the red card of the home page, links, the daily reminder."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

from backups import incidents
from backups.incident_kinds import PlaceHold, ReleaseHold, ResolveIncident
from backups.models import Incident
from ledger.models import Entry
from ledger.registry import sentence
from operations import navigation, panels
from operations.engine import kinds, tick
from operations.panels import Panel


def register() -> None:
    """Offer kinds, card, links and job to the registries."""
    for kind in (ResolveIncident(), PlaceHold(), ReleaseHold()):
        kinds.register(kind)
    panels.register(46, altered)
    tick.every("backups.incidents", 300, remind)
    link = navigation.NavLink
    navigation.register(
        link("Watch", 74, "Incidents", "admin:backups_incident_changelist", "backups.view_incident")
    )  # fmt: skip
    navigation.register(link("Watch", 76, "Legal holds", "admin:backups_hold_changelist", "backups.view_hold"))


def remind() -> None:
    """The periodic job."""
    incidents.remind()


def altered(request: HttpRequest) -> Panel | None:
    """Shown only while an incident is open; nothing but a person's reason takes it away."""
    if not request.user.has_perm("backups.view_incident"):
        return None
    rows = list(Incident.objects.open().defer("evidence").select_related("environment").order_by("-opened_at")[:50])
    if not rows:
        return None
    newest = rows[0]
    answer = f"{len(rows)} open incident{'s' if len(rows) != 1 else ''}"
    url = reverse("admin:backups_incident_change", args=[newest.pk])
    if len(rows) > 1:
        url = f"{reverse('admin:backups_incident_changelist')}?status__exact=open"
    return Panel("Audit data", answer, "bad", "altered", f"{newest.environment}: {newest.summary}", url)


@sentence("backups.incident.opened")
def _opened(entry: Entry) -> str:
    return f"Altered on {entry.environment}: {entry.payload['summary']}"


@sentence("backups.incident.resolved")
def _resolved(entry: Entry) -> str:
    return f"{entry.actor} resolved the incident {entry.subject} ({entry.payload['about']}): {entry.payload['reason']}"


@sentence("backups.hold.placed")
def _placed(entry: Entry) -> str:
    return f"Run {entry.subject} is under a legal hold: {entry.payload['reason']}"


@sentence("backups.hold.released")
def _released(entry: Entry) -> str:
    return f"{entry.actor} released the hold on run {entry.subject}: {entry.payload['reason']}"
