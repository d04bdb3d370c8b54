"""Parity of one environment with production: variables by name and fingerprint, and the settings that differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.safestring import SafeString

from deployments.models import Service
from deployments.render.client import configured
from deployments.variables import parity
from deployments.web import remote
from deployments.web.verbs import group_verbs
from operations.authority import holds
from operations.engine import tick
from operations.models import Environment
from operations.web import formatting
from operations.web.pages import render_page
from providers.counting import counted
from providers.render import Render
from providers.render.records import Blueprint

SETTINGS = (
    "runtime",
    "plan",
    "region",
    "numInstances",
    "healthCheckPath",
    "buildCommand",
    "startCommand",
    "preDeployCommand",
    "maxShutdownDelaySeconds",
    "publishPath",
    "autoDeploy",
    "branch",
)


@permission_required("deployments.view_configfingerprint", raise_exception=True)
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """GET shows what was read last; POST lets the names and fingerprints be read from Render again."""
    environment = get_object_or_404(Environment, slug=slug)
    may = any(
        holds(request.user, held, environment) for held in ("deployments.configure", "operations.change_environment")
    )
    if request.method == "POST":
        if not may:
            raise PermissionDenied
        return _refresh(request, environment)
    here = Q(environment=environment) | Q(environment__kind="production")
    known = list(parity.loaded(Service.objects.filter(here, removed_at=None)).order_by("-type", "name"))
    production = [service for service in known if service.environment and service.environment.kind == "production"]
    services = [service for service in known if service.environment_id == environment.pk]
    context = {
        "title": f"Parity of {environment.name}",
        "environment": environment,
        "may": may,
        "parts": [part(service, production) for service in services],
        **blueprints(services),
        "groups": groups(request, services),
    }
    return render_page(request, "admin/deployments/parity.html", context)


def _refresh(request: HttpRequest, environment: Environment) -> HttpResponse:
    """No page waits for Render: the next tick reads."""
    if configured():
        tick.hasten("deployments.variables")
        said = "Names and fingerprints are being read; look again in half a minute. No value is stored."
        messages.success(request, said)
    else:
        messages.error(request, "RENDER_API_KEY is not set. Nothing was asked of Render. What is shown is older.")
    return redirect("admin:deployments_parity", environment.slug)


def blueprints(services: list[Service]) -> dict[str, Any]:
    """Render's own word on whether its render.yaml and what runs are the same."""
    owners = sorted({service.owner_id for service in services if service.owner_id})
    if not owners:
        return {"blueprints": []}
    readers = {f"blueprints of {owner}": partial(_blueprints, owner) for owner in owners}
    answers, missing = remote.read(f"blueprints:{':'.join(owners)}", readers)
    return {"blueprints": [one for rows in answers.values() for one in rows], "missing": missing}


def _blueprints(owner: str, api: Render) -> list[Blueprint]:
    return list(api.blueprints.list(owner))


def part(service: Service, production: list[Service]) -> dict[str, Any]:
    """One service beside production's service of the same part."""
    own = service if service in production else None
    reference = own or parity.reference_for(service, production)
    findings = parity.compare(service, reference or service)
    differing = settings_diff(service, reference) if reference and not own else []
    return {
        "service": service,
        "reference": reference,
        "findings": findings,
        "verdict": _verdict(findings, is_compared=reference is not None),
        "settings": differing,
        "read": bool(parity.effective(service)),
    }


def _verdict(findings: Sequence[parity.ParityFinding], *, is_compared: bool) -> SafeString:
    """Green only where there is nothing to look at, and something was compared."""
    tones = Counter(finding.tone for finding in findings)
    if tones["bad"]:
        return formatting.badge(counted(tones["bad"], "violation"), "bad")
    if tones["warn"]:
        return formatting.badge(f"{tones['warn']} to look at", "warn")
    return formatting.badge("passed") if is_compared else formatting.badge("not compared", "idle")


def groups(request: HttpRequest, services: list[Service]) -> list[dict[str, Any]]:
    """The environment groups that reach these services, what each holds by name, whom it reaches, and its verbs."""
    held = {group.pk: group for service in services for group in service.groups.all()}
    with_verbs = [
        (member, group_verbs(request.user, member)) for member in sorted(held.values(), key=lambda group: group.name)
    ]
    return [
        {
            "group": group,
            "variables": group.variables.all(),
            "reaches": sorted(service.name for service in group.services.all()),
            "verbs": verbs,
            "on_variable": verbs[:2],
        }
        for group, verbs in with_verbs
    ]


def settings_diff(service: Service, reference: Service) -> list[tuple[str, str, str]]:
    """(setting, here, production) where they differ."""
    ours, theirs = flat(service), flat(reference)
    return [
        (name, ours.get(name, "–"), theirs.get(name, "–")) for name in SETTINGS if ours.get(name) != theirs.get(name)
    ]


def flat(service: Service) -> dict[str, str]:
    details = {**service.settings, **(service.settings.get("envSpecificDetails") or {})}
    details |= {"autoDeploy": "on" if service.autodeploy else "off", "branch": service.branch}
    return {name: str(details[name]) for name in SETTINGS if name in details}
