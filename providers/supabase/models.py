"""The Management API's answers as frozen dataclasses: unknown fields are ignored, unknown words are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from providers.http.shapes import Json, flag, moment, needed, needed_number, part, rows, text, whole


@dataclass(frozen=True)
class Organization:
    slug: str
    name: str = ""
    plan: str = ""

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls(text(data.get("slug") or data.get("id")), text(data.get("name")), text(data.get("plan")))


@dataclass(frozen=True)
class Member:
    name: str
    email: str
    role: str
    mfa: bool

    @classmethod
    def parse(cls, data: Json) -> Self:
        name, email, role = (text(data.get(key)) for key in ("user_name", "email", "role_name"))
        return cls(name, email, role, data.get("mfa_enabled") is True)


@dataclass(frozen=True)
class Project:
    """`status` is Supabase's own word, also one we do not know; ACTIVE_HEALTHY alone means all is well."""

    ref: str
    name: str = ""
    organization: str = ""
    region: str = ""
    status: str = ""
    host: str = ""
    version: str = ""
    engine: str = ""
    created_at: datetime | None = None

    @classmethod
    def parse(cls, data: Json) -> Self:
        database = part(data.get("database"))
        return cls(
            ref=text(data.get("ref")) or needed(data, "id"),
            name=text(data.get("name")),
            organization=text(data.get("organization_slug") or data.get("organization_id")),
            region=text(data.get("region")),
            status=text(data.get("status")),
            host=text(database.get("host")),
            version=text(database.get("version")),
            engine=text(database.get("postgres_engine")),
            created_at=moment(data.get("created_at")),
        )

    @property
    def healthy(self) -> bool:
        return self.status == "ACTIVE_HEALTHY"

    @property
    def paused(self) -> bool:
        return self.status in {"INACTIVE", "PAUSING"}


@dataclass(frozen=True)
class ServiceHealth:
    name: str
    status: str
    error: str = ""

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls(needed(data, "name"), text(data.get("status")), text(data.get("error")))


@dataclass(frozen=True)
class Backup:
    id: int
    status: str
    physical: bool
    inserted_at: datetime | None

    @classmethod
    def parse(cls, data: Json) -> Self:
        made = moment(data.get("inserted_at"))
        return cls(needed_number(data, "id"), text(data.get("status")), data.get("is_physical_backup") is True, made)


@dataclass(frozen=True)
class Backups:
    """What Supabase keeps (GET …/database/backups). No entry and no window is an answer of 200 and must alarm."""

    region: str
    walg_enabled: bool
    pitr_enabled: bool
    entries: tuple[Backup, ...] = ()
    earliest: datetime | None = None
    latest: datetime | None = None

    @classmethod
    def parse(cls, data: Json) -> Self:
        window = part(data.get("physical_backup_data"))
        return cls(
            region=text(data.get("region")),
            walg_enabled=data.get("walg_enabled") is True,
            pitr_enabled=flag(data, "pitr_enabled"),
            entries=tuple(Backup.parse(entry) for entry in rows(data.get("backups"))),
            earliest=moment(window.get("earliest_physical_backup_date_unix"), 2020),
            latest=moment(window.get("latest_physical_backup_date_unix"), 2020),
        )

    @property
    def restorable(self) -> tuple[Backup, ...]:
        """Completed entries, newest first."""
        done = [entry for entry in self.entries if entry.status == "COMPLETED" and entry.inserted_at]
        return tuple(
            sorted(done, key=lambda entry: entry.inserted_at or datetime.min.replace(tzinfo=UTC), reverse=True)
        )


@dataclass(frozen=True)
class RestorePoint:
    name: str
    status: str
    completed_at: datetime | None = None

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls(needed(data, "name"), text(data.get("status")), moment(data.get("completed_on")))


@dataclass(frozen=True)
class Addon:
    """A selected add-on, such as pitr_7, with its price in the provider's words."""

    type: str
    variant: str
    price: str = ""

    @classmethod
    def parse(cls, data: Json) -> Self:
        variant = part(data.get("variant"))
        price = text(part(variant.get("price")).get("description"))
        return cls(text(data.get("type")), text(variant.get("id")), price)


@dataclass(frozen=True)
class DiskUse:
    """The database's file system in bytes; None where the answer does not say."""

    size_bytes: int | None
    available_bytes: int | None

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls(*(whole(data.get(name)) for name in ("fs_size_bytes", "fs_avail_bytes")))
