"""What Render's events say of production's services: crashed, out of memory, disk nearly full; until it ended.

In: the events since the last look. Out: the service's trouble, a message when it begins and ends; words that nobody
knows are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet

from deployments.models import Deployment, Service, SyncState
from deployments.models.deployment import Status
from operations.doctor import Check
from operations.models import Environment
from operations.notify import RESOLVED, alarm
from operations.periodic.clock import database_time
from operations.periodic.isolation import Failed, each, tell
from providers.render import Event, Render
from providers.render.event_types import DISK, DISK_FULL, ENDS_DISK, ENDS_TROUBLE, KNOWN, TROUBLE, trouble_of

FIRST_LOOK = timedelta(hours=1)
FORGOTTEN = timedelta(hours=6)  # without word that it ended
FORGOTTEN_DISK = timedelta(days=3)  # Render says it once at each mark
LATELY = timedelta(minutes=30)
OVERLAP = timedelta(minutes=2)  # an event may be listed late


def read_events(api: Render) -> None:
    """One look at each service of production."""
    failed, now = Failed(), database_time()
    for service in _followed(Service.objects.filter(removed_at=None)):
        with each(service.name, failed):
            _look(api, service, now)
    tell(failed)


def _followed(services: QuerySet[Service]) -> QuerySet[Service]:
    return services.filter(environment__kind=Environment.Kind.PRODUCTION).exclude(type="static_site")


def _said(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "never"


def _look(api: Render, service: Service, now: datetime) -> None:
    since = (service.events_read_at or now - FIRST_LOOK) - OVERLAP
    events = sorted(api.events.list(service.render_id, start=since), key=lambda event: _at(event, now))
    trouble, at = service.trouble, service.trouble_since
    forgotten = at is not None and now - at > (FORGOTTEN_DISK if DISK_FULL in trouble else FORGOTTEN)
    if forgotten:
        trouble, at = "", None
    for event in events:
        if at is None or _at(event, now) >= at or event.type in TROUBLE:
            after = _after(trouble, event)
            at = _at(event, now) if trouble_of(event) else at if after else None
            trouble = after
    if trouble != service.trouble:
        path = f"/admin/deployments/service/{service.pk}/change/"
        quiet = f"no word of “{service.trouble}” for hours; whether it ended, Render did not say"
        subject = f"{service.name}: {trouble or (quiet if forgotten else 'runs')}"
        name, place, ended = f"trouble:{service.render_id}", service.environment, "" if forgotten else RESOLVED
        alarm(name, bool(trouble), subject=subject, path=path, about=place, service=service.name, ended=ended)
    Service.objects.filter(pk=service.pk).update(trouble=trouble, trouble_since=at, events_read_at=now)
    _count([event for event in events if event.type not in KNOWN and _at(event, now) > since + OVERLAP])


def _at(event: Event, now: datetime) -> datetime:
    """When it happened; one that is still to come, by Render's word, happened now."""
    return min(event.at or now, now)


def _after(trouble: str, event: Event) -> str:
    """What is wrong after an event. A server that runs again has no more space on its disk for that."""
    disk = [word for word in trouble.split("; ") if word == DISK_FULL]
    server = [word for word in trouble.split("; ") if word not in ("", DISK_FULL)]
    if event.type == DISK:
        disk = [DISK_FULL]
    elif word := trouble_of(event):
        server = [word]
    elif event.type in ENDS_TROUBLE:
        server = []
    elif event.type in ENDS_DISK:
        disk = []
    return "; ".join([*server, *disk])[:60]


def _count(unknown: list[Event]) -> None:
    """Words that we do not know, with how often they came."""
    if unknown:
        state, _ = SyncState.objects.get_or_create(pk=1)
        counted = Counter(state.unknown_events) + Counter(event.type[:60] for event in unknown)
        SyncState.objects.filter(pk=1).update(unknown_events=dict(counted.most_common(50)))


def troubles(environment: Environment | None) -> Iterator[Check]:
    """A line for each service in trouble, and one for those of which nobody was told lately whether they are."""
    every = Service.objects.filter(removed_at=None)
    every = every.filter(environment=environment) if environment else every
    unread = _followed(every).exclude(events_read_at__gt=database_time() - LATELY)
    if names := [f"{row.name} ({_said(row.events_read_at)})" for row in unread.order_by("name")[:5]]:
        fix = "See the worker's log: it says what Render answers about its events."
        why = "A crash or a full disk would not be seen."
        yield Check("Render's events", "warn", f"not read lately: {', '.join(names)}", why, fix)
    for service in every.exclude(trouble=""):
        fix = "Read its log; raise its plan where memory or disk ran out, or roll back."
        yield Check(f"{service.name} trouble", "bad", service.trouble, "Visitors may see errors.", fix)


def unknown_words(environment: Environment | None) -> Iterator[Check]:
    """What Render says in words that this portal does not know: kept, shown, counted."""
    if environment is not None:
        return
    month = database_time() - timedelta(days=30)
    rows = Deployment.objects.filter(status=Status.UNKNOWN, seeded=False, first_seen_at__gt=month).order_by()
    words = dict(rows.values_list("provider_status").annotate(Count("pk")))
    state = SyncState.objects.filter(pk=1).first()
    events = dict(state.unknown_events) if state else {}
    told = [f"{word} ({count})" for word, count in {**words, **events}.items()]
    found = ", ".join(told)[:300] or "none"
    fix = "They are shown as Render says them; update the portal." if told else ""
    yield Check("Render's words", "warn" if told else "ok", found, "A new word may mean something new.", fix)
