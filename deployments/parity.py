"""Variables by name and keyed fingerprint: what is missing, what must be equal, what must differ, what is forbidden.

`judge` is pure over rows; `refresh` reads values from Render, fingerprints them at once and stores neither.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.utils import timezone

from deployments.models import ConfigFingerprint, Service
from providers.render import Render


class Rule(StrEnum):
    REQUIRED = "required"
    MUST_MATCH = "must match"
    MUST_DIFFER = "must differ"
    FORBIDDEN = "forbidden"
    FREE = "free"


MUST_DIFFER = {"DATABASE_URL", "SUPABASE_SERVICE_KEY", "JWT_SECRET", "SUPABASE_URL", "SUPABASE_ANON_KEY", "SECRET_KEY"}
MUST_MATCH = {"PYTHON_VERSION", "JWT_ALGORITHM", "API_RATE_LIMIT", "IS_DEVELOPMENT"}
REQUIRED = MUST_DIFFER - {"SECRET_KEY"} | MUST_MATCH | {"ALLOWED_ORIGINS"}
NEVER_STATIC = ("SERVICE_KEY", "SERVICE_ROLE", "JWT_SECRET", "DATABASE_URL", "SECRET", "PASSWORD", "PRIVATE")


@dataclass(frozen=True)
class Finding:
    """One line of the parity table; `tone` is ok, warn or bad."""

    key: str
    rule: Rule
    tone: str
    text: str


def fingerprint(value: str) -> str:
    """HMAC-SHA256 under the portal's key: comparable between services, not reversible by a reader of the table."""
    return hmac.new(settings.SECRET_KEY.encode(), b"deployments.parity\0" + value.encode(), hashlib.sha256).hexdigest()


def rule_of(key: str, service_type: str) -> Rule:
    """The class of a variable on a kind of service."""
    if service_type == "static_site":
        return Rule.FORBIDDEN if any(word in key.upper() for word in NEVER_STATIC) else Rule.FREE
    if key in MUST_DIFFER:
        return Rule.MUST_DIFFER
    if key in MUST_MATCH:
        return Rule.MUST_MATCH
    return Rule.REQUIRED if key in REQUIRED else Rule.FREE


def note(service: Service, key: str, value: str) -> None:
    """Store the fingerprint of one value."""
    made, now = fingerprint(value), timezone.now()
    row, created = ConfigFingerprint.objects.get_or_create(service=service, key=key, defaults={"fingerprint": made})
    if not created and row.fingerprint != made:
        row.fingerprint, row.changed_at = made, now
    row.seen_at = now
    row.save()


def refresh(api: Render, service: Service) -> int:
    """Read the names and fingerprints of one service; returns how many there are. Raises ProviderError."""
    seen = {var.key: fingerprint(var.value) for var in api.env_vars.list(service.render_id)}
    rows = {row.key: row for row in service.variables.all()}
    service.variables.exclude(key__in=seen).delete()
    now = timezone.now()
    for key, made in seen.items():
        row = rows.get(key)
        if row is None:
            ConfigFingerprint.objects.create(service=service, key=key, fingerprint=made)
        elif row.fingerprint != made:
            ConfigFingerprint.objects.filter(pk=row.pk).update(fingerprint=made, changed_at=now, seen_at=now)
    return len(seen)


def compare(service: Service, reference: Service) -> list[Finding]:
    """The service's variables judged against production's service of the same part."""
    ours = dict(service.variables.values_list("key", "fingerprint"))
    theirs = dict(reference.variables.values_list("key", "fingerprint"))
    return judge(ours, theirs, service.type, same=service.pk == reference.pk)


def judge(ours: dict[str, str], theirs: dict[str, str], service_type: str, *, same: bool) -> list[Finding]:
    """Findings sorted by gravity, then by name."""
    required = REQUIRED if service_type == "web_service" else set()
    found = [_finding(key, ours, theirs, service_type, same) for key in sorted(set(ours) | set(theirs) | required)]
    return sorted(found, key=lambda finding: (("bad", "warn", "ok").index(finding.tone), finding.key))


def _finding(key: str, ours: dict[str, str], theirs: dict[str, str], service_type: str, same: bool) -> Finding:
    rule = rule_of(key, service_type)
    if rule == Rule.FORBIDDEN:
        here = key in ours
        return Finding(
            key, rule, "bad" if here else "ok", "a visitor can read it here; remove it" if here else "absent"
        )
    if key not in ours:
        must = key in REQUIRED and service_type == "web_service"
        return Finding(key, rule, "bad" if must else "warn", "missing here" + ("" if same else ", set on production"))
    if same:
        return Finding(key, rule, "ok", "set")
    if key not in theirs:
        return Finding(key, rule, "warn", "only here, not on production")
    equal = hmac.compare_digest(ours[key], theirs[key])
    if rule == Rule.MUST_DIFFER:
        return Finding(key, rule, "bad" if equal else "ok", "the same value as production" if equal else "differs")
    if rule == Rule.MUST_MATCH:
        return Finding(key, rule, "ok" if equal else "bad", "equal" if equal else "differs from production")
    return Finding(key, rule, "ok", "equal" if equal else "differs")


def reference_for(service: Service, candidates: Iterable[Service]) -> Service | None:
    """Production's service of the same type whose name the other's begins with, else the only one of that type."""
    same_type = [other for other in candidates if other.type == service.type]
    named = [other for other in same_type if service.name.startswith(other.name)]
    return max(named, key=lambda other: len(other.name)) if named else (same_type[0] if len(same_type) == 1 else None)


def violations() -> list[tuple[Service, Finding]]:
    """Every red finding of every service that Render still lists."""
    services = list(Service.objects.filter(removed_at=None).select_related("environment").order_by("name"))
    production = [service for service in services if service.environment and service.environment.kind == "production"]
    found = []
    for service in services:
        reference = service if service in production else reference_for(service, production)
        if reference is not None and service.variables.exists():
            found += [(service, line) for line in compare(service, reference) if line.tone == "bad"]
    return found
