"""Every page a person can open: from the admin's registry, plus the pages listed here by name.

In: the site and the rows of `tests.factories.world()`. Out: (name, URL maker) pairs; "" where no row exists.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import RequestFactory
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from backups.models import Policy, Run
from deployments.models import Deployment
from operations.models import Environment, Operation
from tests.factories_migrations import destructive_pk

PageUrl = Callable[[], str]


def named(name: str, query: str = "", args: Sequence[str] = ()) -> PageUrl:
    """A page by its URL name; "" while no app defines it."""
    return lambda: _named(name, query, args)


def operation(key: str, verb: str = "") -> PageUrl:
    """The page of the seeded operation with this key, or its page for one verb."""

    def url() -> str:
        pk = Operation.objects.filter(parameters__key=key).values_list("pk", flat=True).first()
        if pk is None:
            return ""
        name, more = ("admin:operations_act", [verb]) if verb else ("admin:operations_operation_change", [])
        return reverse(name, args=[pk, *more])

    return url


def _retention() -> str:
    pk = Policy.objects.filter(name="whole-database").values_list("pk", flat=True).first()
    return "" if pk is None else reverse("admin:backups_retention", args=[pk])


def _purged_run() -> str:
    pk = Run.objects.exclude(purged_at=None).values_list("pk", flat=True).first()
    return "" if pk is None else reverse("admin:backups_run_change", args=[pk])


def _first(model: type[Model], name: str) -> str:
    pk = model._default_manager.order_by("pk").values_list("pk", flat=True).first()
    return "" if pk is None else reverse(name, args=[pk])


# Pages that no registry knows. Add yours: (what it is, its URL).
CUSTOM: list[tuple[str, PageUrl]] = [
    ("home", named("admin:index")),
    ("search", named("admin:jump", "?q=re")),
    ("search without a hit", named("admin:jump", "?q=zzzz")),
    ("all records", named("admin:records")),
    ("change password", named("admin:password_change")),
    ("approvals", named("admin:approvals")),
    ("who could pass by", named("admin:outsiders")),
    ("accidents of the demo", named("admin:demo_alarms")),
    ("calendar of slots", named("admin:backups_calendar")),
    (
        "resolve an incident",
        named("admin:operations_request", "?environment=production&incident=1", ["backups.resolve_incident"]),
    ),
    ("doctor", named("admin:doctor")),
    ("guide", named("admin:guide")),
    ("guide for operators", named("admin:guide_page", args=["operator"])),
    ("filtered timeline", named("admin:ledger_entry_changelist", "?environment=production&from=2026-01-01")),
    ("another second factor", named("account:replace_second_factor")),
    ("sign in", lambda: "/admin/login/?next=/"),
    ("second factor", named("account:second_factor")),
    ("sessions", named("account:sessions")),
    ("personal tokens", named("account:tokens")),
    ("not found", lambda: "/admin/nothing/here/"),
    ("request catalogue", named("admin:operations_catalogue")),
    ("request routine", lambda: reverse("admin:operations_request", args=["rehearsal.routine"])),
    (
        "request destructive",
        lambda: reverse("admin:operations_request", args=["rehearsal.destructive"]) + "?environment=production&key=k",
    ),
    *((f"operation {key}", operation(key)) for key in ("half approved", "running", "succeeded", "failed")),
    ("approve", operation("waiting", "approve")),
    ("cancel", operation("running", "cancel")),
    ("history of one decision", named("admin:backups_decision")),
    ("verify offline", named("admin:backups_offline")),
    ("backup coverage", named("admin:backups_coverage")),
    ("retention", lambda: _retention()),
    ("purged run", lambda: _purged_run()),
    ("environment of deployments", named("admin:deployments_environment", args=["production"])),
    ("parity", named("admin:deployments_parity", args=["staging"])),
    ("parity of production", named("admin:deployments_parity", args=["production"])),
    ("render.yaml", named("admin:deployments_blueprint", args=["production"])),
    ("log of a deploy", lambda: _log()),
    ("previews", named("admin:deployments_previews")),
    ("upload a function", named("admin:deployments_function_upload")),
    ("delete a function", lambda: reverse("admin:operations_request", args=["deployments.function_delete"])),
    ("render setup", named("admin:deployments_setup")),
    ("register migrations", named("admin:migrations_upload")),
    ("migration status", named("admin:migrations_status")),
    ("review destructive", lambda: _migration()),
    ("connect a database", named("admin:connect")),
    ("backup layers", named("admin:backups_layers", "?environment=production")),
    ("backup layers of a free project", named("admin:backups_layers", "?environment=staging")),
    ("recover", named("admin:recover")),
    ("recover a project", lambda: _recover("project")),
    ("recover a table", lambda: _recover("table&table=public.experiments")),
    (
        "request a restore at Supabase",
        named("admin:operations_request", "?environment=production&backup=1000", ["backups.provider_restore"]),
    ),
    ("records of one app", lambda: reverse("admin:app_list", args=["operations"])),
    ("history of an environment", partial(_first, Environment, "admin:operations_environment_history")),
    ("empty list", named("admin:operations_operation_changelist", "?q=zzzzzz")),
]


def _log() -> str:
    pk = Deployment.objects.order_by("pk").values_list("pk", flat=True).first()
    return "" if pk is None else reverse("admin:deployments_log", args=[pk, "service"])


def _recover(lost: str) -> str:
    return f"{reverse('admin:recover')}?environment=production&lost={lost}&at={timezone.now():%Y-%m-%dT%H:%M:%S}"


def _migration() -> str:
    pk = destructive_pk()
    return "" if pk is None else reverse("admin:migrations_registry_migrationfile_change", args=[pk])


def pages() -> list[tuple[str, PageUrl]]:
    """All of them, in a stable order."""
    return [*CUSTOM, *(page for model in _models() for page in _of(model))]


def _models() -> list[type[Model]]:
    return sorted(admin.site._registry, key=lambda model: model._meta.label_lower)


def _of(model: type[Model]) -> list[tuple[str, PageUrl]]:
    label = model._meta.label_lower
    base = f"admin:{label.replace('.', '_')}"
    links: list[tuple[str, PageUrl]] = [
        (f"{label} list", named(f"{base}_changelist")),
        (f"{label} page", partial(_first, model, f"{base}_change")),
    ]
    return [*links, (f"{label} add", named(f"{base}_add"))] if _may_add(model) else links


def _named(name: str, query: str, args: Sequence[str]) -> str:
    try:
        return reverse(name, args=args) + query
    except NoReverseMatch:
        return ""


def _may_add(model: type[Model]) -> bool:
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_active=True)
    return admin.site._registry[model].has_add_permission(request)
