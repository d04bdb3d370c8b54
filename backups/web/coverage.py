"""Coverage per table: which tables of an environment no enabled policy copies. In: a request. Out: a page."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import psycopg
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from backups.models import Policy, Run
from operations.models import Environment
from providers import postgres
from providers.errors import ProviderError


@dataclass(frozen=True)
class Covered:
    """`policies` name it, `proven` is the newest run that holds it; without either it is amber."""

    table: str
    size_bytes: int
    policies: tuple[str, ...]
    proven: Any


def matches(pattern: str, table: str) -> bool:
    """Whether a policy's pattern names a table ("users" means public.users)."""
    schema = table.split(".", 1)[0]
    if pattern == "*":
        return schema not in postgres.PLATFORM_SCHEMAS
    return pattern in (table, f"{schema}.*") or f"public.{pattern}" == table


def covered(environment: Environment, sizes: dict[str, int]) -> list[Covered]:
    """One line a table, largest first."""
    policies = list(Policy.objects.filter(environment=environment, enabled=True))
    newest: dict[str, Any] = {}
    for run in Run.objects.counting().filter(policy__environment=environment).order_by("-proven_at")[:50]:
        for table in run.tables:
            newest.setdefault(table, run.proven_at)
    lines = []
    for table, size in sizes.items():
        names = tuple(p.name for p in policies if any(matches(pattern, table) for pattern in p.tables))
        lines.append(Covered(table, size, names, newest.get(table)))
    return lines


def sizes_of(environment: Environment) -> tuple[dict[str, int], str]:
    """The live catalogue with sizes, or the reason why it cannot be read."""
    found, problem = live_tables(environment)
    return {table.name: table.size_bytes for table in found}, problem


def live_tables(environment: Environment) -> tuple[list[postgres.Listed], str]:
    """Every table that a policy can name, largest first, or the reason why they cannot be read."""
    variable = environment.variable("export")
    dsn = os.environ.get(variable, "")
    if not dsn:
        return [], f"{variable} is not set here, so the live catalogue cannot be read."
    try:
        with postgres.connect(dsn, timeout=5) as connection:
            return postgres.listed_tables(connection), ""
    except ProviderError as error:
        return [], error.message
    except psycopg.Error as error:
        return [], postgres.explain(error, "Reading the catalogue").message


def page(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("backups.view_run"):
        raise PermissionDenied
    environments = list(Environment.objects.all())
    slug = request.GET.get("environment", "")
    chosen = next((item for item in environments if item.slug == slug), environments[0] if environments else None)
    sizes, problem = sizes_of(chosen) if chosen else ({}, "There is no environment yet.")
    lines = covered(chosen, sizes) if chosen else []
    context = {
        **admin.site.each_context(request),
        "title": "Coverage",
        "environments": environments,
        "chosen": chosen,
        "problem": problem,
        "lines": lines,
        "uncovered": [line for line in lines if not line.policies],
    }
    return TemplateResponse(request, "admin/backups/coverage.html", context)
