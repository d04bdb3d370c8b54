"""Variables by name and keyed fingerprint: what is missing, what must be equal, what must differ, what is forbidden.

In: the rows of `fingerprints`, a service's own and those of its linked groups. Out: findings, each with its origin.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Prefetch, QuerySet

from deployments.models import Service, VariableGroup


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
class ParityFinding:
    """One line of the parity table; `tone` is ok, warn or bad."""

    key: str
    rule: Rule
    tone: str
    text: str
    origin: str = ""


def rule_of(key: str, service_type: str) -> Rule:
    """The class of a variable on a kind of service."""
    if service_type == "static_site":
        return Rule.FORBIDDEN if any(word in key.upper() for word in NEVER_STATIC) else Rule.FREE
    if key in MUST_DIFFER:
        return Rule.MUST_DIFFER
    if key in MUST_MATCH:
        return Rule.MUST_MATCH
    return Rule.REQUIRED if key in REQUIRED else Rule.FREE


@dataclass(frozen=True)
class Effective:
    """What a service gets, and where from. `clash`: two groups set it differently, and nothing else sets it.
    `missing`: Render did not find it when asked last."""

    fingerprint: str
    origin: str = ""
    clash: bool = False
    missing: bool = False


Config = Mapping[tuple[str, str], Effective]


def loaded(services: QuerySet[Service]) -> QuerySet[Service]:
    """The services with everything that `effective` reads, in five queries for all of them."""
    reached = Prefetch("services", Service.objects.filter(removed_at=None).select_related("environment"))
    groups = VariableGroup.objects.filter(removed_at=None).order_by("name").prefetch_related("variables", reached)
    return services.select_related("environment").prefetch_related("variables", Prefetch("groups", groups))


def effective(service: Service) -> dict[tuple[str, str], Effective]:
    """What reaches the service, by (kind, name): its own come before its groups'."""
    config: dict[tuple[str, str], Effective] = {}
    for group in service.groups.all():
        for row in group.variables.all():
            variable, before = (row.kind, row.key), config.get((row.kind, row.key))
            origin = f"{before.origin}, group {group.name}" if before else f"group {group.name}"
            clash = before is not None and (before.clash or before.fingerprint != row.fingerprint)
            config[variable] = Effective(row.fingerprint, origin, clash, row.missing_since is not None)
    for own in service.variables.all():
        hidden = config.get((own.kind, own.key))
        origin = f"itself, not {hidden.origin}" if hidden else "itself"
        config[own.kind, own.key] = Effective(own.fingerprint, origin, missing=own.missing_since is not None)
    return config


def compare(service: Service, reference: Service) -> list[ParityFinding]:
    """The service's variables and files judged against production's service of the same part."""
    return judge(effective(service), effective(reference), service.type, same=service.pk == reference.pk)


def judge(ours: Config, theirs: Config, service_type: str, *, same: bool) -> list[ParityFinding]:
    """Findings sorted by gravity, then by name."""
    required = {("variable", key) for key in REQUIRED} if service_type == "web_service" else set()
    places = sorted(set(ours) | set(theirs) | required)
    findings = [_finding(variable, ours.get(variable), theirs.get(variable), service_type, same) for variable in places]
    return sorted(findings, key=lambda finding: (("bad", "warn", "ok").index(finding.tone), finding.key))


def _finding(
    variable: tuple[str, str], ours: Effective | None, theirs: Effective | None, service_type: str, same: bool
) -> ParityFinding:
    kind, key = variable
    rule = rule_of(key, service_type)
    tone, text = _verdict(key, rule, ours, theirs, service_type, same)
    if ours and ours.clash and tone == "ok":
        tone, text = "warn", f"{ours.origin} set it differently; unlink one or set it on the service"
    if ours and ours.missing and tone == "ok":
        tone, text = "warn", "Render did not find it when asked last; it is asked once more"
    if theirs and not same and tone == "ok" and (theirs.clash or theirs.missing):
        why = "its groups set it differently" if theirs.clash else "Render did not find it when asked last"
        tone, text = "warn", f"production's value is not known: {why}"
    return ParityFinding(key if kind == "variable" else f"file {key}", rule, tone, text, ours.origin if ours else "")


def _verdict(
    key: str, rule: Rule, ours: Effective | None, theirs: Effective | None, service_type: str, same: bool
) -> tuple[str, str]:
    """(tone, text) of one variable or file."""
    if rule == Rule.FORBIDDEN:
        return ("bad", "a visitor can read it here; remove it") if ours else ("ok", "absent")
    if ours is None:
        must = key in REQUIRED and service_type == "web_service"
        return "bad" if must else "warn", "missing here" + ("" if same else ", set on production")
    if same:
        return "ok", "set"
    if theirs is None:
        return "warn", "only here, not on production"
    equal = hmac.compare_digest(ours.fingerprint, theirs.fingerprint)
    if rule == Rule.MUST_DIFFER:
        return ("bad", "the same value as production") if equal else ("ok", "differs")
    if rule == Rule.MUST_MATCH:
        return ("ok", "equal") if equal else ("bad", "differs from production")
    return "ok", "equal" if equal else "differs"


def references_for(service: Service, candidates: Iterable[Service]) -> list[Service]:
    """Production's services of the same type whose name the other's begins with, the longest (several, where two
    workspaces have one of that name), else the only one of that type."""
    same_type = [other for other in candidates if other.type == service.type]
    named = [other for other in same_type if service.name.startswith(other.name)]
    longest = max((len(other.name) for other in named), default=0)
    return [other for other in named if len(other.name) == longest] or same_type[: len(same_type) == 1]


def reference_for(service: Service, candidates: Iterable[Service]) -> Service | None:
    """The one of them with most that is not right; none where there is none."""
    return max(references_for(service, candidates), key=lambda other: len(_bad(service, other)), default=None)


def _bad(service: Service, reference: Service) -> list[ParityFinding]:
    return [line for line in compare(service, reference) if line.tone == "bad"]


def violations() -> list[tuple[Service, ParityFinding]]:
    """Every red finding of every service that Render still lists. One without a service of production's to compare
    with is judged by itself."""
    services = list(loaded(Service.objects.filter(removed_at=None)).order_by("name"))
    production = [service for service in services if service.environment and service.environment.kind == "production"]
    violating = []
    for service in services:
        references = [service] if service in production else references_for(service, production) or [service]
        if effective(service):
            found = {line.key: line for reference in references for line in _bad(service, reference)}
            violating += [(service, line) for line in found.values()]
    return violating
