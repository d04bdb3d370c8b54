"""Which tables are searched, by which columns, and what a hit is called. In: one word or id. Out: rows of each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from backups.models import Policy, Run
from deployments.models import ConfigFingerprint, Deployment, EdgeSecret, GroupVariable, Service
from migrations_registry.models import MigrationFile
from operations.models import Environment, Operation

HEX = re.compile(r"[0-9a-f]{4,64}")
Rows = QuerySet[Any]


@dataclass(frozen=True)
class Table:
    """`rows` finds; `name` and `about` are the columns that are shown, `at` says when, `page` opens one by its key."""

    heading: str
    permission: str
    page: str
    rows: Callable[[str], Rows]
    name: str
    about: str = ""
    at: str = ""
    key: str = "pk"


def _services(word: str) -> Rows:
    fits = Q(name__icontains=word) | Q(render_id=word) | Q(repo__icontains=word)
    return Service.objects.filter(fits, removed_at=None).order_by("-environment__protected", "name")


def _deployments(word: str) -> Rows:
    """A commit by its first digits, a deploy by Render's id, else messages and people; newest first."""
    rows = Deployment.objects.order_by("-created_at")
    if HEX.fullmatch(word.lower()):
        return rows.filter(Q(commit_sha__startswith=word.lower()) | Q(commit_message__icontains=word))
    if word.startswith("dep-"):
        return rows.filter(render_id=word)
    return rows.filter(Q(commit_message__icontains=word) | Q(actor__icontains=word) | Q(service__name__icontains=word))


def _operations(word: str) -> Rows:
    return Operation.objects.filter(
        Q(pk__startswith=word.upper())
        | Q(kind__icontains=word)
        | Q(subject__icontains=word)
        | Q(requested_by__username=word.lower())
    ).order_by("-requested_at")


def _runs(word: str) -> Rows:
    fits = Q(pk__startswith=word.upper()) | Q(policy__name__icontains=word) | Q(manifest_sha256=word.lower())
    return Run.objects.filter(fits).order_by("-started_at")


def _files(word: str) -> Rows:
    fits = Q(path__icontains=word) | Q(sha256__startswith=word.lower())
    return MigrationFile.objects.newest().filter(fits).order_by("position")


def _people(word: str) -> Rows:
    names = ("username", "first_name", "last_name", "email")
    fits = Q(*((f"{name}__icontains", word) for name in names), _connector=Q.OR)
    return User.objects.filter(fits).order_by("username")


def _environments(word: str) -> Rows:
    return Environment.objects.filter(Q(slug__icontains=word) | Q(name__icontains=word)).order_by("-protected", "slug")


def _variables(word: str) -> Rows:
    return ConfigFingerprint.objects.filter(key__icontains=word).order_by("key", "service__name")


def _group_variables(word: str) -> Rows:
    return GroupVariable.objects.filter(key__icontains=word).distinct().order_by()


def _secrets(word: str) -> Rows:
    return EdgeSecret.objects.filter(name__icontains=word).order_by("name")


def _policies(word: str) -> Rows:
    return Policy.objects.filter(name__icontains=word).order_by("name")


_LOOK_AT_SERVICES = "deployments.view_service"


def page(model: str) -> str:
    return f"admin:{model}_change"


TABLES = (
    Table("Services", _LOOK_AT_SERVICES, page("deployments_service"), _services, "name", "environment__slug"),
    Table(
        "Deployments",
        "deployments.view_deployment",
        page("deployments_deployment"),
        _deployments,
        "commit_sha",
        "commit_message",
        "created_at",
    ),
    Table(
        "Environments", _LOOK_AT_SERVICES, "admin:deployments_environment", _environments, "name", "kind", key="slug"
    ),
    Table(
        "Migrations",
        "migrations_registry.view_migrationfile",
        page("migrations_registry_migrationfile"),
        _files,
        "path",
        "risk",
    ),
    Table("Backups", "backups.view_run", page("backups_run"), _runs, "policy__name", "status", "started_at"),
    Table("Policies", "backups.view_policy", page("backups_policy"), _policies, "name", "environment__slug"),
    Table(
        "Variables",
        "deployments.view_configfingerprint",
        page("deployments_service"),
        _variables,
        "key",
        "service__name",
        key="service_id",
    ),
    Table(
        "Variables of groups",
        "deployments.view_configfingerprint",
        "admin:deployments_environment",
        _group_variables,
        "key",
        "group__name",
        key="group__services__environment__slug",
    ),
    Table(
        "Functions' secrets",
        "deployments.view_edgesecret",
        page("deployments_edgesecret"),
        _secrets,
        "name",
        "environment__slug",
    ),
    Table("People", "auth.view_user", page("auth_user"), _people, "username", "email"),
    Table(
        "Operations",
        "operations.view_operation",
        page("operations_operation"),
        _operations,
        "kind",
        "subject",
        "requested_at",
    ),
)
