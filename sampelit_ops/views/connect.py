"""Connect a database: which variables to set, the SQL of the roles, then live checks of what is set.

In: an environment. Out: text to copy, and the doctor's checks of its databases and of the store. A DSN is never typed
into a page: it lives in the variables of the services.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from deployments import network
from operations.authority import holds_somewhere
from operations.doctor import Check, databases
from operations.models import Environment, SupabaseProject
from operations.models.environment import PURPOSES
from operations.web.page_environment import page_environment
from providers import outside

SQL = Path(__file__).parent.parent / "sql" / "connect_roles.sql"
HOLDERS = {"export": "export and prove workers", "migration": "export worker", "restore": "prove worker"}


@dataclass(frozen=True)
class Wanted:
    """One variable: its name, which service holds it, and what it looks like."""

    variable: str
    holder: str
    example: str


@require_http_methods(["GET", "POST"])
def connect_page(request: HttpRequest) -> HttpResponse:
    """GET prints what to set; POST also checks it live, from this process."""
    if not holds_somewhere(request.user, "operations.change_environment"):
        raise PermissionDenied
    environments = list(Environment.objects.of_the_product())
    chosen = page_environment(environments, request.GET.get("environment") or request.POST.get("environment"))
    context = {
        **admin.site.each_context(request),
        "title": "Connect a database",
        "environments": environments,
        "chosen": chosen,
        "wanted": wanted(chosen) if chosen else [],
        "roles_sql": roles_sql(),
        "reach": list(network.of(chosen)) if chosen else [],
        "checks": live(chosen) if chosen and request.method == "POST" else None,
    }
    return render(request, "admin/connect.html", context)


def wanted(environment: Environment) -> list[Wanted]:
    """The three variables of an environment, as Supabase's session pooler wants them."""
    ref = environment.supabase_ref or "PROJECT-REF"
    project = SupabaseProject.objects.filter(environment=environment).first()
    pooler = (project.pooler_host if project else "") or "aws-0-REGION.pooler.supabase.com"
    host = f"{pooler}:5432/postgres?sslmode=verify-full&sslrootcert=PATH"
    return [
        Wanted(environment.variable(purpose), holder, f"postgresql://sampelit_ops_{purpose}.{ref}:PASSWORD@{host}")
        for purpose, holder in HOLDERS.items()
    ]


def live(environment: Environment) -> list[Check]:
    try:
        with outside.waiting():
            checks = [check for purpose in PURPOSES for check in databases.database(environment, purpose)]
            return [*checks, *databases.store(environment)]
    except outside.Busy as busy:
        return [Check("not looked", "warn", busy.message)]


@lru_cache(maxsize=1)
def roles_sql() -> str:
    return SQL.read_text()
