"""Render's own databases: which there are, how far back Render can bring one (api-docs, "Postgres", recovery), its
exports, and restart. A recovery is a new database beside the old one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from providers.http.part import Part
from providers.http.shapes import Json, moment, needed, part, rows, text, thing
from providers.render.models import about
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
            needed(data, "id"),
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


@dataclass(frozen=True)
class DatabaseExport:
    """A dump that Render made; its address holds a key, so it is kept nowhere."""

    id: str
    created_at: datetime | None = None
    ready: bool = False

    @classmethod
    def parse(cls, data: Json) -> DatabaseExport:
        return cls(text(data.get("id")), moment(data.get("createdAt")), bool(text(data.get("url"))))


class Databases(Part):
    def list(self) -> Iterator[Database]:
        for data in things(self._http, "/postgres", "postgres", includeReplicas=True):
            yield Database.parse(data)

    def recovery(self, database: str) -> RecoveryWindow:
        return RecoveryWindow.parse(thing(self._http.get(at("postgres", database, "recovery"))))

    def get(self, database: str) -> Database:
        return Database.parse(about(database, self._http.get(at("postgres", database))))

    def restart(self, database: str) -> None:
        self._http.send("POST", at("postgres", database, "restart"))

    def recover(self, database: str, name: str, when: datetime) -> Database | None:
        """A new database `name` as this one was at `when`; None where the answer names none: look it up."""
        body = {"restoreName": name, "restoreTime": when.isoformat()}
        answer = part(self._http.send("POST", at("postgres", database, "recovery"), body=body))
        return Database.parse(answer) if answer.get("id") else None

    def exports(self, database: str) -> Sequence[DatabaseExport]:
        answer = self._http.get(at("postgres", database, "export"))
        return [DatabaseExport.parse(part(data)) for data in rows(answer)]

    def export(self, database: str) -> None:
        """Render begins a dump; it is ready once `exports` shows it so."""
        self._http.send("POST", at("postgres", database, "export"))
