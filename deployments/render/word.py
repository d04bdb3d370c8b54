"""Render's word against what is known of a deploy or a service: what it says, and whether it counts.

A list is a hint: where it contradicts what is known without being newer, or has what was gone, it is no word, and the
thing is asked for by its id.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from deployments.models import Deployment, Service
from deployments.models.deployment import ENDED, GONE, PHASE, Status, known
from operations.periodic.clock import database_time
from providers.render import Deploy
from providers.render import Service as Seen

AHEAD = timedelta(minutes=5)
_WEB = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?(?:[/?#][!-~]*)?")
IDENTITY = ("name", "type", "owner_id", "url")
FOLLOWED = (
    *IDENTITY,
    *("autodeploy", "branch", "repo", "suspended", "suspenders", "maintenance", "instances", "health_check_path"),
)
DETAILS = ("region", "plan", "runtime", "schedule", "preDeployCommand")  # of the settings


def facts(deploy: Deploy) -> dict[str, Any]:
    """The columns that Render decides."""
    return {
        "status": known(deploy.status),
        "provider_status": deploy.status[:60],
        "trigger": deploy.trigger[:60],
        "commit_sha": deploy.commit.id[:64],
        "commit_message": deploy.commit.message,
        "commit_at": deploy.commit.created_at,
        "image": deploy.image[:300],
        "created_at": deploy.created_at or deploy.started_at or database_time(),
        "started_at": deploy.started_at,
        "finished_at": deploy.finished_at,
        "provider_updated_at": deploy.updated_at,
    }


def differs(row: Deployment, deploy: Deploy, by_id: bool = False) -> bool:
    """Whether Render's newer answer says something else than the row."""
    new, last = facts(deploy), row.provider_updated_at
    same_time = not last or not deploy.updated_at or last == deploy.updated_at
    if not (by_id and same_time) and _stale(row, deploy.updated_at, new["status"]):
        return False
    compared = ("status", "provider_status", "commit_sha", "image", "started_at", "finished_at", "provider_updated_at")
    return any(getattr(row, name) != new[name] for name in compared if new[name] is not None)


def is_doubtful(row: Deployment, deploy: Deploy) -> bool:
    """Whether a list is no word about it: it has what was gone, or says otherwise than the row without being newer."""
    if row.provider_status == GONE:
        return True
    last, at = row.provider_updated_at, deploy.updated_at
    if last and at and at != last:
        return False
    before, now = Status(row.status), Status(known(deploy.status))
    forward = now == before or _phase(now) > _phase(before) or (before, now) == (Status.LIVE, Status.DEACTIVATED)
    return not forward or is_another(row, deploy)


def is_another(row: Deployment, deploy: Deploy) -> bool:
    """Whether it runs something else than the row says; what was not told at first may be told later."""
    pairs = ((row.commit_sha, deploy.commit.id), (row.image, deploy.image))
    return any(before and now and before != now for before, now in pairs)


def _stale(row: Deployment, updated_at: datetime | None, status: str) -> bool:
    """Whether an answer is older than the row; without a time of its own, or of the same, a step back is."""
    last = row.provider_updated_at
    if row.provider_status == GONE:
        return False
    if last and updated_at and updated_at != last:
        return updated_at < last <= database_time() + AHEAD  # a time that lies ahead says nothing
    return Status.UNKNOWN not in (row.status, status) and _phase(status) < _phase(row.status)


def _phase(status: str) -> int:
    return PHASE.get(Status(status), ENDED)


def service_is_doubtful(row: Service, said: list[Seen]) -> bool:
    """Whether a list is no word about it: one that says two things, has what was gone, or contradicts what is known
    without being newer. It is asked for by its id."""
    if row.removed_at is not None or any(seen != said[0] for seen in said):
        return True
    new, last, at = columns(said[0]), row.updated_at, said[0].updated_at
    newer = last is None or (at is not None and at > last)
    return not newer and any(getattr(row, key) != new[key] for key in FOLLOWED)


def is_older(row: Service, seen: Seen) -> bool:
    """An old page: it changes nothing. A time of the row that lies ahead says nothing of what is older."""
    last = row.updated_at
    return bool(last and seen.updated_at and seen.updated_at < last <= database_time() + AHEAD)


def web_address(given: str) -> str:
    """What may become a link on a page; nothing for anything but http(s) addresses."""
    return given if len(given) <= 500 and _WEB.fullmatch(given) else ""


def columns(seen: Seen) -> dict[str, Any]:
    """The columns that Render decides."""
    return {
        "name": seen.name[:200],
        "type": seen.type[:40],
        "owner_id": seen.owner_id,
        "repo": seen.repo[:300],
        "branch": seen.branch[:200],
        "url": web_address(seen.url),
        "dashboard_url": web_address(seen.dashboard_url),
        "health_check_path": seen.health_check_path[:200],
        "autodeploy": seen.auto_deploy,
        "autodeploy_trigger": seen.auto_deploy_trigger[:40],
        "suspended": seen.suspended,
        "suspenders": ", ".join(seen.suspenders)[:200],
        "maintenance": seen.maintenance.enabled,
        "instances": seen.instances,
        "parent_render_id": seen.parent_id,
        "settings": dict(seen.details),
        "created_at": seen.created_at,
        "updated_at": seen.updated_at,
        "removed_at": None,
        "missing_since": None,
    }
