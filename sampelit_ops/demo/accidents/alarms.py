"""Which alarm answered which provoked accident, and when: read from the ledger, where every alarm leaves an entry.

In: entries. Out: a row per accident with a link to what answered; the page of the demo (admins only).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from deployments.models import Deployment
from ledger.models import Entry
from ledger.registry import sentence_for, sentences
from operations import navigation
from operations.web.pages import render_page
from providers.errors import ProviderError, Refused
from sampelit_ops.demo.accidents import causes, provoke
from sampelit_ops.demo.accidents.provoke import ACCIDENTS, PROVOKED, PUT_BACK

MAY = "operations.change_environment"  # admins alone hold it
SHOWN = 30


@dataclass(frozen=True)
class AccidentAlarm:
    """One provoked accident; `seconds` until its alarm, None while it is awaited."""

    label: str
    provoked: Entry
    alarm: Entry | None
    sentence: str
    url: str

    @property
    def seconds(self) -> float | None:
        return (self.alarm.at - self.provoked.at).total_seconds() if self.alarm else None


def answers(limit: int = SHOWN) -> list[AccidentAlarm]:
    """Newest first; an alarm answers the newest accident before it that it can answer."""
    provoked = list(Entry.objects.filter(code=PROVOKED).order_by("-sequence")[:limit])
    if not provoked:
        return []
    codes = {code for accident in ACCIDENTS.values() for code in accident.answers}
    alarms = Entry.objects.filter(code__in=codes, sequence__gt=provoked[-1].sequence, seeded=False)
    entries = list(alarms.filter(environment=causes.ENVIRONMENT).order_by("sequence")[:500])
    return [_answer(entry, _next(entry, provoked), entries) for entry in provoked if entry.subject in ACCIDENTS]


def _next(entry: Entry, provoked: list[Entry]) -> int:
    """The sequence number at which the same accident was provoked again."""
    later = [other.sequence for other in provoked if other.subject == entry.subject and other.sequence > entry.sequence]
    return min(later, default=2**62)


def _answer(entry: Entry, until: int, entries: list[Entry]) -> AccidentAlarm:
    accident = ACCIDENTS[entry.subject]
    alarm = next(
        (
            candidate
            for candidate in entries
            if candidate.code in accident.answers and entry.sequence < candidate.sequence < until
        ),
        None,
    )
    return AccidentAlarm(
        accident.label, entry, alarm, sentence_for(alarm) if alarm else "", _url(alarm) if alarm else ""
    )


def _url(alarm: Entry) -> str:
    """Where the alarm leads: the incident, the drift, the run, the deployment."""
    if alarm.code == "deployments.failed":
        row = Deployment.objects.filter(render_id=str(alarm.payload.get("deploy"))).only("pk").first()
        return reverse("admin:deployments_deployment_change", args=[row.pk]) if row else ""
    name, key = {
        "backups.incident.opened": ("backups_incident", alarm.subject),
        "backups.export.failed": ("backups_run", alarm.subject),
        "migrations_registry.drift.found": ("migrations_registry_driftincident", alarm.payload.get("incident")),
    }[alarm.code]
    return reverse(f"admin:{name}_change", args=[key])


def page(request: HttpRequest) -> HttpResponse:
    """GET shows buttons and answers; POST provokes or puts back. Outside the demo there is no such page."""
    if not settings.DEMO:
        raise Http404
    if not request.user.has_perm(MAY):
        raise PermissionDenied
    if request.method == "POST":
        _act(request)
        return redirect("admin:demo_alarms")
    if request.GET.get("fragment"):
        return render(request, "admin/demo/answers.html", {"answers": answers()})
    standing = _standing()
    context: dict[str, Any] = {
        "title": "Provoke an accident",
        "accidents": [
            {"accident": accident, "standing": accident.name in standing and accident.put_back}
            for accident in ACCIDENTS.values()
        ],
        "answers": answers(),
    }
    return render_page(request, "admin/demo/alarms.html", context)


def _act(request: HttpRequest) -> None:
    name, by = request.POST.get("accident", ""), request.user.get_username()
    try:
        if request.POST.get("act") == "put-back":
            messages.success(request, f"Put back: {provoke.put_back(name, by).label}.")
        else:
            messages.warning(request, f"Provoked: {provoke.provoke(name, by).label}. Its alarm is awaited.")
    except (Refused, ProviderError) as error:
        messages.error(request, str(error))


def _standing() -> set[str]:
    """Names whose newest entry is the accident."""
    newest: dict[str, str] = {}
    entries = Entry.objects.filter(code__in=[PROVOKED, PUT_BACK]).order_by("sequence")
    for subject, code in entries.values_list("subject", "code"):
        newest[subject] = code
    return {name for name, code in newest.items() if code == PROVOKED}


def register() -> None:
    """A link in the sidebar, for whoever may provoke."""
    sentences(
        {
            PROVOKED: "{actor} provoked an accident in the demo: {label}.",
            PUT_BACK: "{actor} put back in the demo: {label}.",
        }
    )
    navigation.register(navigation.NavLink("Health", 99, "Accidents", "admin:demo_alarms", MAY))
