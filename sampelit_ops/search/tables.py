"""Which tables are searched, by which columns, and what a hit is called. In: one word or id. Out: rows of each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Case, F, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Coalesce

from backups.models import Policy, Run
from backups.policy_spec import RESTORE_POINT
from deployments.models import ConfigFingerprint, Deployment, EdgeSecret, GroupVariable, Service
from migrations_registry.models import MigrationFile
from operations.models import Environment, Operation

HEX = re.compile(r"[0-9a-f]{4,64}")
ULID = re.compile(r"0[0-9A-HJKMNP-TV-Z]{3,25}")
NEWEST = 20_000
BEGINNING = datetime.min.replace(tzinfo=UTC)
MOST = 6  # of one table on the page
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


def _newest(rows: Rows, at: str, fits: Q) -> Rows:
    """What fits among the `NEWEST` rows: the tables that grow for years have no index that finds a part of a text."""
    since = Coalesce(Subquery(rows.values(at)[NEWEST - 1 : NEWEST]), Value(BEGINNING))
    return rows.filter(fits, **{f"{at}__gte": since})


def _deployments(word: str) -> Rows:
    """A commit by its first digits, a deploy by Render's id, else messages and people; newest first."""
    rows = Deployment.objects.order_by("-created_at", "-id")
    if word.startswith("dep-"):
        return rows.filter(render_id=word)
    if HEX.fullmatch(word.lower()):
        by_commit = rows.filter(commit_sha__startswith=word.lower()).values("pk")
        by_message = _newest(rows, "created_at", Q(commit_message__icontains=word)).values("pk")
        return rows.filter(Q(pk__in=by_commit[:MOST]) | Q(pk__in=by_message[:MOST]))
    services = Service.objects.filter(name__icontains=word).values("pk")
    fits = Q(commit_message__icontains=word) | Q(actor__icontains=word) | Q(service__in=services)
    return _newest(rows, "created_at", fits)


def _operations(word: str) -> Rows:
    rows = Operation.objects.order_by("-requested_at", "id")
    if ULID.fullmatch(word.upper()):
        return rows.filter(pk__startswith=word.upper())
    people = User.objects.filter(username=word.lower()).values("pk")
    fits = Q(kind__icontains=word) | Q(subject__icontains=word) | Q(requested_by__in=people)
    return _newest(rows, "requested_at", fits)


def _runs(word: str) -> Rows:
    fits = Q(pk__startswith=word.upper()) | Q(called__icontains=word) | Q(manifest_sha256=word.lower())
    return Run.objects.annotate(called=_called("policy__")).filter(fits).order_by("-started_at")


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
    return Policy.objects.annotate(called=_called()).filter(called__icontains=word).order_by("called")


def _called(path: str = "") -> Case:
    """`Policy.title` as a column."""
    point = Q((f"{path}name__regex", f"^{RESTORE_POINT}$")) & ~Q((f"{path}description", ""))
    return Case(When(point, then=F(f"{path}description")), default=F(f"{path}name"), output_field=TextField())


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
    Table("Backups", "backups.view_run", page("backups_run"), _runs, "called", "status", "started_at"),
    Table("Policies", "backups.view_policy", page("backups_policy"), _policies, "called", "environment__slug"),
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
