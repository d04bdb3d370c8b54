"""What Render saw: events, log lines and metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from providers.http.part import Part
from providers.http.shapes import rows
from providers.render.models import Event, about
from providers.render.paging import at, query, things
from providers.render.records import LogLine, Series


class Events(Part):
    def list(
        self, service: str, *, start: datetime | None = None, end: datetime | None = None, type: str | None = None
    ) -> Iterator[Event]:
        events = things(self._http, at("services", service, "events"), "event", startTime=start, endTime=end, type=type)
        for data in events:
            yield Event.parse(data)

    def get(self, event: str) -> Event:
        return Event.parse(about(event, self._http.get(at("events", event))))


class Logs(Part):
    def tail(
        self,
        owner: str,
        resource: Sequence[str],
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        type: Sequence[str] | None = None,
        limit: int = 100,
        deadline: float | None = None,
    ) -> Sequence[LogLine]:
        """The newest `limit` lines in that time, oldest first."""
        asked = query(
            ownerId=owner, resource=resource, startTime=start, endTime=end, type=type, direction="backward", limit=limit
        )
        answer = self._http.get("/logs", asked, deadline=deadline)
        lines = [LogLine.parse(data) for data in (answer or {}).get("logs") or ()]
        return lines[::-1]


class Metrics(Part):
    """`name` is cpu, memory, http-requests, http-latency, instance-count or another of Render's metric paths."""

    def series(
        self,
        name: str,
        resource: str,
        start: datetime,
        end: datetime,
        resolution_seconds: int = 60,
        *,
        deadline: float | None = None,
    ) -> Sequence[Series]:
        asked = query(resource=resource, startTime=start, endTime=end, resolutionSeconds=resolution_seconds)
        return [Series.parse(data) for data in rows(self._http.get(at("metrics", name), asked, deadline=deadline))]
