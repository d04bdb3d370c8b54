"""Answers about functions, secrets, advisors and network settings, as frozen dataclasses. No secret's value is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from providers.http.shapes import Json, flag, moment, needed, part, text, thing, whole, words


@dataclass(frozen=True)
class Function:
    """An edge function as it is live; `bundle_sha256` names the bundle that runs."""

    slug: str
    id: str = ""
    name: str = ""
    status: str = ""
    version: int = 0
    verify_jwt: bool = True
    entrypoint: str = ""
    bundle_sha256: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls(
            slug=needed(data, "slug"),
            id=text(data.get("id")),
            name=text(data.get("name")),
            status=text(data.get("status")),
            version=whole(data.get("version")) or 0,
            verify_jwt=data.get("verify_jwt") is not False,
            entrypoint=text(data.get("entrypoint_path")),
            bundle_sha256=text(data.get("ezbr_sha256")),
            created_at=moment(data.get("created_at")),
            updated_at=moment(data.get("updated_at")),
        )


@dataclass(frozen=True)
class Calls:
    """How often a function was called, and how often it failed by itself (5xx)."""

    requests: int
    server_errors: int


@dataclass(frozen=True)
class Secret:
    """A secret's name; the API sends its value (or a digest of it) too, which is dropped here."""

    name: str
    updated_at: datetime | None = None

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls(needed(data, "name"), moment(data.get("updated_at")))


@dataclass(frozen=True)
class Lint:
    """One finding of an advisor; `cache_key` identifies it from one look to the next."""

    name: str
    title: str
    level: str
    detail: str
    remediation: str
    cache_key: str
    categories: tuple[str, ...] = ()

    @classmethod
    def parse(cls, data: Json) -> Self:
        name, detail = needed(data, "name"), text(data.get("detail"))
        return cls(
            name=name,
            title=text(data.get("title")) or name,
            level=text(data.get("level")),
            detail=detail,
            remediation=text(data.get("remediation")),
            cache_key=text(data.get("cache_key")) or f"{name}:{detail}",
            categories=tuple(text(word) for word in data.get("categories") or ()),
        )


@dataclass(frozen=True)
class NetworkRestrictions:
    """Who may reach the database. `status` "stored" means: kept, but not yet in force."""

    allowed: bool
    status: str
    cidrs: tuple[str, ...] = ()
    cidrs_v6: tuple[str, ...] = ()

    @classmethod
    def parse(cls, data: Json) -> Self:
        config = thing(data.get("config"))
        four, six = (words(config, name) if name in config else () for name in ("dbAllowedCidrs", "dbAllowedCidrsV6"))
        return cls(
            allowed=data.get("entitlement") == "allowed",
            status=text(data.get("status")),
            cidrs=four,
            cidrs_v6=six,
        )

    @property
    def open_to_all(self) -> bool:
        """Without a list, and with 0.0.0.0/0 or ::/0 in it, everybody may connect."""
        return not (self.cidrs or self.cidrs_v6) or "0.0.0.0/0" in self.cidrs or "::/0" in self.cidrs_v6


@dataclass(frozen=True)
class SslEnforcement:
    enforced: bool
    applied: bool

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls(flag(part(data.get("currentConfig")), "database"), data.get("appliedSuccessfully") is True)


@dataclass(frozen=True)
class Pooler:
    type: str
    host: str
    port: int
    user: str
    database: str
    mode: str

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls(
            type=text(data.get("database_type")),
            host=text(data.get("db_host")),
            port=whole(data.get("db_port")) or 0,
            user=text(data.get("db_user")),
            database=text(data.get("db_name")),
            mode=text(data.get("pool_mode")),
        )
