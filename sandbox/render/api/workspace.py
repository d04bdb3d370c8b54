"""The workspace of the sandbox: its audit log, one project with an environment for each kind, planned maintenance."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sandbox.render.routing import Request, between, page, required, route
from sandbox.render.world import OWNER, ApiError, Json, World

PROJECT = "prj-sampelit000000000000"
LOGGED = (
    ("ChangeTeamMemberRoleEvent", "olga@sampelit.example", {"member": "ben@sampelit.example"}),
    ("UpdateEnvVarsEvent", "ben@sampelit.example", {"field": "env_vars"}),
    ("UpdateServiceNameEvent", "olga@sampelit.example", {"field": "name"}),
)


@route("GET", "/owners/{owner}/audit-logs")
def audit_log(world: World, request: Request, owner: str) -> tuple[int, Any]:
    if owner != OWNER:
        raise ApiError(404, "not found")
    if world.plan == "hobby":
        raise ApiError(402, "audit logs need an Organization workspace or higher")
    logged = [_entry(world, *what, hours=3 + 5 * number) for number, what in enumerate(LOGGED)]
    entries = [*reversed(world.things.setdefault("audit", [])), *logged]
    return 200, page(request, "auditLog", between(request, entries, "timestamp", "startTime", "endTime"))


def _entry(world: World, event: str, email: str, metadata: Json, hours: float = 0) -> Json:
    return {
        "id": world.new_id("aud", event + email),
        "timestamp": world.stamp(world.now() - timedelta(hours=hours)),
        "event": event,
        "status": "success",
        "actor": {"type": "user", "email": email, "id": world.new_id("usr", email)},
        "metadata": metadata,
    }


@route("GET", "/projects")
def projects(world: World, request: Request) -> tuple[int, Any]:
    return 200, page(request, "project", [project(world)])


def project(world: World) -> Json:
    made = world.stamp(world.now() - timedelta(days=90))
    owner = {"id": OWNER, "name": "Sampelit", "email": "team@sampelit.example", "type": "team"}
    ids = [environment["id"] for environment in _environments(world)]
    times = {"createdAt": made, "updatedAt": made}
    return {"id": PROJECT, "name": "Sampelit", "owner": owner, "environmentIds": ids} | times


@route("GET", "/environments")
def environments(world: World, request: Request) -> tuple[int, Any]:
    if PROJECT not in request.query.get("projectId", []):
        raise ApiError(400, "projectId is required")
    return 200, page(request, "environment", _environments(world))


def _environments(world: World) -> list[Json]:
    """One for each kind of the seed; `things["moved"]` puts a service into another."""
    moved, held = world.things.setdefault("moved", {}), dict[str, list[str]]()
    for service in world.services.values():
        if service["_environment"] != "preview":
            held.setdefault(moved.get(service["id"], service["_environment"]), []).append(service["id"])
    return [
        {
            "id": world.new_id("evm", name),
            "name": name.capitalize(),
            "projectId": PROJECT,
            "databasesIds": [],
            "redisIds": [],
            "serviceIds": services,
            "envGroupIds": [],
            "protectedStatus": "protected" if name == "production" else "unprotected",
            "networkIsolationEnabled": False,
        }
        for name, services in held.items()
    ]


def _runs(world: World) -> list[Json]:
    return world.things.setdefault("maintenance", [])


def _run(world: World, run: str) -> Json:
    for candidate in _runs(world):
        if candidate["id"] == run:
            return candidate
    raise ApiError(404, "maintenance run not found")


def plan(world: World, resource: str, at: datetime, latest: datetime) -> Json:
    """Render plans work on a resource."""
    times = {"scheduledAt": world.stamp(at), "pendingMaintenanceBy": world.stamp(latest)}
    run = {"id": world.new_id("mrn"), "type": "postgres_minor_version_upgrade", "state": "scheduled"}
    _runs(world).append(run | times | {"resourceId": resource})
    return _runs(world)[-1]


@route("GET", "/maintenance")
def maintenance(world: World, request: Request) -> tuple[int, Any]:
    return 200, _runs(world)


@route("GET", "/maintenance/{run}")
def one_run(world: World, request: Request, run: str) -> tuple[int, Any]:
    return 200, _run(world, run)


@route("PATCH", "/maintenance/{run}")
def reschedule(world: World, request: Request, run: str) -> tuple[int, Any]:
    target, (at,) = _run(world, run), required(request.body, "scheduledAt")
    try:
        late = datetime.fromisoformat(at) > datetime.fromisoformat(target["pendingMaintenanceBy"])
    except (TypeError, ValueError):
        raise ApiError(400, "scheduledAt is not a date-time") from None
    if late or target["state"] != "scheduled":
        raise ApiError(400, "maintenance can not be scheduled for that time")
    target["scheduledAt"] = at
    return 202, None


@route("POST", "/maintenance/{run}/trigger")
def trigger(world: World, request: Request, run: str) -> tuple[int, Any]:
    _run(world, run)["state"] = "in_progress"
    return 202, None
