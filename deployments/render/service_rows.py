"""Service rows from Render's list: created, changed, assigned to an environment, marked removed; nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from deployments.models import Service
from ledger.services import record
from operations.models import Environment
from providers.render import Render
from providers.render import Service as Seen

FOLLOWED = ("autodeploy", "branch", "repo", "suspended", "maintenance", "instances", "health_check_path")


def sync_services(api: Render) -> list[Service]:
    """Read every service of the key; returns the rows that Render still lists. Raises ProviderError."""
    rows = {row.render_id: row for row in Service.objects.select_related("environment")}
    listed = []
    for seen in api.services.list():
        listed.append(take(seen, rows.get(seen.id)))
    gone = set(rows) - {row.render_id for row in listed}
    Service.objects.filter(render_id__in=gone, removed_at=None).update(removed_at=timezone.now())
    return listed


def take(seen: Seen, row: Service | None = None) -> Service:
    """The row of one service, up to date; written only where something differs."""
    new = columns(seen)
    if row is None:
        row = Service(render_id=seen.id, **new, is_self=seen.id == settings.RENDER_SELF_SERVICE_ID)
        row.environment = environment_of(row)
        row.save()
        return row
    changed = {key: value for key, value in new.items() if getattr(row, key) != value}
    if row.environment is None:
        changed["environment"] = environment_of(row)
    if changed:
        _change(row, changed)
    return row


def columns(seen: Seen) -> dict[str, Any]:
    """The columns that Render decides."""
    return {
        "name": seen.name[:200], "type": seen.type[:40], "owner_id": seen.owner_id, "repo": seen.repo[:300],
        "branch": seen.branch[:200], "url": seen.url[:500], "dashboard_url": seen.dashboard_url[:500],
        "health_check_path": seen.health_check_path[:200], "autodeploy": seen.auto_deploy,
        "autodeploy_trigger": seen.auto_deploy_trigger[:40], "suspended": seen.suspended,
        "maintenance": seen.maintenance.enabled, "instances": seen.instances, "parent_render_id": seen.parent_id,
        "settings": dict(seen.details), "created_at": seen.created_at, "updated_at": seen.updated_at,
        "removed_at": None,
    }  # fmt: skip


def environment_of(row: Service) -> Environment:
    """The environment that the service's name, branch and parent point to; created where it does not exist."""
    group = group_of(row.name, row.branch, row.parent_render_id)
    protected = group.kind == Environment.Kind.PRODUCTION
    found, _ = Environment.objects.get_or_create(
        slug=group.slug, defaults={"name": group.name, "kind": group.kind, "protected": protected}
    )
    return found


def _change(row: Service, changed: dict[str, Any]) -> None:
    """Write what differs; a setting that people care about goes to the ledger, old and new."""
    told = {key: [_plain(getattr(row, key)), _plain(changed[key])] for key in FOLLOWED if key in changed}
    for key, value in changed.items():
        setattr(row, key, value)
    with transaction.atomic():
        row.save(update_fields=list(changed))
        if told:
            place = row.environment.slug if row.environment else ""
            data = {"service": row.name, "changed": told}
            record("deployments.settings_changed", actor="Render", environment=place, subject=row.name, data=data)


def _plain(value: Any) -> str | int | bool | None:
    return value if isinstance(value, str | int | bool | None) else str(value)


_STAGING = re.compile(
    r"(?:^|[-_ /.])(staging|stage|stg|dev|develop|development|test|testing|qa|uat)(?:$|[-_ /.])", re.I
)


@dataclass(frozen=True)
class Group:
    slug: str
    name: str
    kind: str


def group_of(name: str, branch: str, parent: str) -> Group:
    """The environment of one service."""
    if parent:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "preview"
        return Group(slug, name[:100], "preview")
    if _STAGING.search(name) or _STAGING.search(branch):
        return Group("staging", "Staging", "staging")
    return Group("production", "Production", "production")
