"""Read-only because of a full disk, upgrades, and logs of the stand-in."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sandbox.supabase.api_projects import Answer
from sandbox.supabase.routing import PROJECT, route
from sandbox.supabase.state import ApiError, World, now, stamp
from sandbox.web import Request

LIFTED = timedelta(minutes=15)
NOTHING_IN_THE_WAY: dict[str, list[str]] = {
    "legacy_auth_custom_roles": [],
    "objects_to_be_dropped": [],
    "unsupported_extensions": [],
    "user_defined_objects_in_internal_schemas": [],
    "validation_errors": [],
    "warnings": [],
}


@route("GET", PROJECT + "/readonly")
def read_only(world: World, request: Request, ref: str) -> Answer:
    project = world.project(ref)
    until = project.get("writable_until", "")
    return 200, {
        "enabled": bool(project.get("read_only")),
        "override_enabled": bool(until),
        "override_active_until": until or stamp(datetime.fromtimestamp(0, UTC)),
    }


@route("POST", PROJECT + "/readonly/temporary-disable")
def lift(world: World, request: Request, ref: str) -> Answer:
    world.project(ref)["writable_until"] = stamp(now() + LIFTED)
    return 201, None


@route("GET", PROJECT + "/upgrade/eligibility")
def eligibility(world: World, request: Request, ref: str) -> Answer:
    project = world.project(ref)
    newer = {"postgres_version": "17", "release_channel": "ga", "app_version": "supabase-postgres-17.6.1.090"}
    reasons = project.get("in_the_way", [])
    return 200, NOTHING_IN_THE_WAY | {
        "eligible": not reasons,
        "current_app_version": f"supabase-postgres-{project['version']}",
        "current_app_version_release_channel": "ga",
        "latest_app_version": newer["app_version"],
        "target_upgrade_versions": [newer],
        "duration_estimate_hours": 1,
        "validation_errors": reasons,
    }


@route("GET", PROJECT + "/upgrade/status")
def status(world: World, request: Request, ref: str) -> Answer:
    return 200, {"databaseUpgradeStatus": world.project(ref).get("upgrade")}


@route("GET", PROJECT + "/analytics/endpoints/logs")
def logs(world: World, request: Request, ref: str) -> Answer:
    """The newest lines of the sources that the query names; each project has one of each."""
    world.project(ref)
    sql = next(iter(request.query.get("sql", [])), "")
    if " FROM logs " not in f" {sql} ":
        raise ApiError(400, "Unknown table: there is only logs")
    end = datetime.fromisoformat(next(iter(request.query.get("iso_timestamp_end", [])), stamp(now())))
    named = [name for name in re.findall(r"'(\w+)'", sql) if name.endswith("_logs")]
    said = {"postgres_logs": "checkpoint complete: wrote 42 buffers", "function_logs": "capture-lead: stored a lead"}
    lines = [
        {"timestamp": stamp(end - timedelta(seconds=20 * number)), "source_name": name, "event_message": said[name]}
        for number, name in enumerate(named, 1)
        if name in said
    ]
    return 200, {"result": lines}
