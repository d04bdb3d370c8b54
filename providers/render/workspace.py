"""A workspace's audit log, its projects with their environments, and the maintenance that Render plans for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from providers.http.part import Part
from providers.http.shapes import Json, moment, part, rows, text, thing
from providers.render.models import listed
from providers.render.paging import at, query, things


@dataclass(frozen=True)
class AuditEntry:
    """`event` and `status` are Render's own words, also ones that we do not know."""

    id: str
    event: str
    status: str = ""
    actor: str = ""
    at: datetime | None = None
    metadata: Json = field(default_factory=dict)

    @classmethod
    def parse(cls, data: Json) -> AuditEntry:
        who = part(data.get("actor"))
        return cls(
            text(data.get("id")),
            text(data.get("event")),
            text(data.get("status")),
            text(who.get("email") or who.get("id") or who.get("type")),
            moment(data.get("timestamp")),
            part(data.get("metadata")),
        )


@dataclass(frozen=True)
class RenderEnvironment:
    """One of a project's environments; `services` are the ids of the services in it."""

    id: str
    name: str
    project: str = ""
    protected: bool = False
    services: tuple[str, ...] = ()

    @classmethod
    def parse(cls, data: Json) -> RenderEnvironment:
        return cls(
            text(data.get("id")),
            text(data.get("name")),
            text(data.get("projectId")),
            data.get("protectedStatus") == "protected",
            tuple(text(service) for service in listed(data.get("serviceIds"))),
        )


@dataclass(frozen=True)
class MaintenanceRun:
    """Work that Render plans on one resource; `latest` is the last moment that it can be put off to."""

    id: str
    state: str = ""
    type: str = ""
    resource: str = ""
    at: datetime | None = None
    latest: datetime | None = None

    @classmethod
    def parse(cls, data: Json) -> MaintenanceRun:
        return cls(
            text(data.get("id")),
            text(data.get("state")),
            text(data.get("type")),
            text(data.get("resourceId")),
            moment(data.get("scheduledAt")),
            moment(data.get("pendingMaintenanceBy")),
        )


class AuditLogs(Part):
    """Organization and Enterprise plans only, from the upgrade on (render.com/docs/audit-logs)."""

    def list(self, owner: str, *, start: datetime | None = None, end: datetime | None = None) -> Iterator[AuditEntry]:
        """Newest first; it tells no deploy, rollback, restart or scale."""
        for data in things(self._http, at("owners", owner, "audit-logs"), "auditLog", startTime=start, endTime=end):
            yield AuditEntry.parse(data)


class Environments(Part):
    def projects(self) -> Iterator[str]:
        """The ids of every project."""
        for data in things(self._http, "/projects", "project"):
            yield text(data.get("id"))

    def list(self, projects: Sequence[str]) -> Iterator[RenderEnvironment]:
        """The environments of these projects; Render answers none without one."""
        for data in things(self._http, "/environments", "environment", projectId=[*projects]):
            yield RenderEnvironment.parse(data)


class MaintenanceRuns(Part):
    def list(self, owner: str) -> Sequence[MaintenanceRun]:
        answer = self._http.get("/maintenance", query(ownerId=[owner]))
        return [MaintenanceRun.parse(part(data)) for data in rows(answer)]

    def get(self, run: str) -> MaintenanceRun:
        return MaintenanceRun.parse(thing(self._http.get(at("maintenance", run))))

    def reschedule(self, run: str, when: datetime) -> None:
        body = {"scheduledAt": when.isoformat()}
        self._http.send("PATCH", at("maintenance", run), body=body)

    def start(self, run: str) -> None:
        """Now instead of at its time."""
        self._http.send("POST", at("maintenance", run, "trigger"))
