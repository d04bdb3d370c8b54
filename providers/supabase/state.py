"""The state of a project's database: writes refused because the disk is nearly full, and upgrades of its Postgres."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from providers.http.shapes import Json, flag, moment, rows, text


@dataclass(frozen=True)
class ReadOnly:
    """`enabled`: writes are refused; `lifted_until`: until when somebody lifted that."""

    enabled: bool
    lifted: bool = False
    lifted_until: datetime | None = None

    @classmethod
    def parse(cls, data: Json) -> Self:
        lifted = data.get("override_enabled") is True
        return cls(flag(data, "enabled"), lifted, moment(data.get("override_active_until")) if lifted else None)


@dataclass(frozen=True)
class Upgrade:
    """`targets` are the versions on offer; `in_the_way` what Supabase names as reasons against, in its words."""

    eligible: bool
    current: str = ""
    targets: tuple[str, ...] = ()
    in_the_way: tuple[str, ...] = ()
    hours: float | None = None

    @classmethod
    def parse(cls, data: Json) -> Self:
        hours = data.get("duration_estimate_hours")
        errors = [_told(error) for error in rows(data.get("validation_errors") or [])]
        roles = [f"role {text(role)} signs in by md5" for role in data.get("legacy_auth_custom_roles") or ()]
        targets = [text(target.get("app_version")) for target in rows(data.get("target_upgrade_versions") or [])]
        return cls(
            flag(data, "eligible"),
            text(data.get("current_app_version")),
            tuple(targets),
            tuple(errors + roles),
            float(hours) if isinstance(hours, int | float) else None,
        )


def _told(error: Json) -> str:
    """One reason, also of a type that we do not know: its word, then what it names."""
    named = [text(value) for key, value in error.items() if key != "type" and isinstance(value, str)]
    named += [text(value) for key in error if isinstance(error[key], list) for value in error[key]]
    return f"{text(error.get('type')).replace('_', ' ')}: {', '.join(named)}".removesuffix(": ")


@dataclass(frozen=True)
class UpgradeStatus:
    progress: str
    error: str = ""
    at: datetime | None = None

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls(text(data.get("progress")), text(data.get("error")), moment(data.get("latest_status_at")))
