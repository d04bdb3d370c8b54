"""Render's answers about configuration, jobs, logs and metrics, as frozen dataclasses.

Values of environment variables and webhook secrets are kept out of `repr`, so that no log or error prints them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from providers.http.shapes import Json, moment, needed, part, text


@dataclass(frozen=True)
class EnvVar:
    key: str
    value: str = field(repr=False)


@dataclass(frozen=True)
class Job:
    id: str
    status: str = ""
    start_command: str = ""
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @classmethod
    def parse(cls, data: Json) -> Job:
        return cls(
            needed(data, "id"),
            text(data.get("status")),
            text(data.get("startCommand")),
            moment(data.get("createdAt")),
            moment(data.get("startedAt")),
            moment(data.get("finishedAt")),
        )


@dataclass(frozen=True)
class CronRun:
    """`status` is Render's word: pending, successful, unsuccessful or canceled."""

    id: str
    status: str = ""


@dataclass(frozen=True)
class Webhook:
    id: str
    url: str
    enabled: bool
    secret: str = field(default="", repr=False)
    events: tuple[str, ...] = ()

    @classmethod
    def parse(cls, data: Json) -> Webhook:
        events = tuple(text(name) for name in data.get("eventFilter") or ())
        return cls(
            needed(data, "id"), text(data.get("url")), data.get("enabled") is True, text(data.get("secret")), events
        )


@dataclass(frozen=True)
class WebhookEvent:
    """One delivery as Render saw it: the base of the reconcile pass."""

    id: str
    event_id: str
    event_type: str
    sent_at: datetime | None
    status_code: int | None

    @classmethod
    def parse(cls, data: Json) -> WebhookEvent:
        code = data.get("statusCode")
        return cls(
            text(data.get("id")),
            text(data.get("eventId")),
            text(data.get("eventType")),
            moment(data.get("sentAt")),
            code if isinstance(code, int) else None,
        )


@dataclass(frozen=True)
class LogLine:
    id: str
    at: datetime | None
    message: str
    level: str = ""
    type: str = ""

    @classmethod
    def parse(cls, data: Json) -> LogLine:
        labels = {text(part(label).get("name")): text(part(label).get("value")) for label in data.get("labels") or ()}
        return cls(
            text(data.get("id")),
            moment(data.get("timestamp")),
            text(data.get("message")),
            labels.get("level", ""),
            labels.get("type", ""),
        )


@dataclass(frozen=True)
class Series:
    """One metric line: `points` are (time, value), in `unit`."""

    unit: str
    labels: Json
    points: tuple[tuple[datetime, float], ...]

    @classmethod
    def parse(cls, data: Json) -> Series:
        labels = {text(part(label).get("field")): text(part(label).get("value")) for label in data.get("labels") or ()}
        points = []
        for point in data.get("values") or ():
            at, value = moment(part(point).get("timestamp")), part(point).get("value")
            if at is not None and isinstance(value, int | float):
                points.append((at, float(value)))
        return cls(text(data.get("unit")), labels, tuple(points))


@dataclass(frozen=True)
class Blueprint:
    """`status` is created, paused, in_sync, syncing or error."""

    id: str
    name: str
    status: str = ""
    auto_sync: bool = False
    repo: str = ""
    branch: str = ""
    path: str = ""
    last_sync: datetime | None = None

    @classmethod
    def parse(cls, data: Json) -> Blueprint:
        return cls(
            needed(data, "id"),
            text(data.get("name")),
            text(data.get("status")),
            data.get("autoSync") is True,
            text(data.get("repo")),
            text(data.get("branch")),
            text(data.get("path")),
            moment(data.get("lastSync")),
        )


@dataclass(frozen=True)
class BlueprintCheck:
    valid: bool
    errors: tuple[str, ...] = ()
    plan: Json = field(default_factory=dict)

    @classmethod
    def parse(cls, data: Json) -> BlueprintCheck:
        errors = []
        for error in data.get("errors") or ():
            where = f" (line {error['line']})" if part(error).get("line") else ""
            errors.append(f"{text(part(error).get('path'))}: {text(part(error).get('error'))}{where}".lstrip(": "))
        return cls(data.get("valid") is True, tuple(errors), part(data.get("plan")))
