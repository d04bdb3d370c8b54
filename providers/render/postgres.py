"""Render's own databases: which there are, and how far back Render can bring one (api-docs, "Postgres", recovery)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from providers.http.api_client import JsonClient
from providers.render.models import Json, moment, text
from providers.render.paging import at, things


@dataclass(frozen=True)
class Database:
    id: str
    name: str
    plan: str = ""
    status: str = ""
    expires_at: datetime | None = None

    @classmethod
    def parse(cls, data: Json) -> Database:
        return cls(
            text(data["id"]),
            text(data.get("name")),
            text(data.get("plan")),
            text(data.get("status")),
            moment(data.get("expiresAt")),
        )


@dataclass(frozen=True)
class RecoveryWindow:
    """`status` is AVAILABLE, BACKUP_NOT_READY or NOT_AVAILABLE; `starts_at` is the earliest point of return."""

    status: str
    starts_at: datetime | None = None

    @classmethod
    def parse(cls, data: Json) -> RecoveryWindow:
        return cls(text(data.get("recoveryStatus")), moment(data.get("startsAt")))


class Databases:
    def __init__(self, http: JsonClient) -> None:
        self._http = http

    def list(self) -> Iterator[Database]:
        for data in things(self._http, "/postgres", "postgres", includeReplicas=True):
            yield Database.parse(data)

    def recovery(self, database: str) -> RecoveryWindow:
        return RecoveryWindow.parse(self._http.get(at("postgres", database, "recovery")))
