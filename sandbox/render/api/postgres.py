"""The sandbox's databases at Render: the portal's own, on a paid plan with three days of point-in-time recovery, and
what was recovered from it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sandbox.render.api.workspace import project
from sandbox.render.routing import Request, page, required, route
from sandbox.render.world import OWNER, ApiError, Json, World

ID, NAME = "dpg-sampelitops0000000000-a", "sampelit-ops-db"
WINDOW = timedelta(days=3)


def _database(world: World) -> Json:
    born = world.stamp(world.now() - timedelta(days=90))
    return {
        "id": ID,
        "name": NAME,
        "databaseName": "sampelit_ops",
        "databaseUser": "sampelit_ops",
        "plan": "basic_256mb",
        "region": "frankfurt",
        "status": "available",
        "version": "17",
        "role": "primary",
        "suspended": "not_suspended",
        "suspenders": [],
        "ipAllowList": [],
        "readReplicas": [],
        "highAvailabilityEnabled": False,
        "diskAutoscalingEnabled": False,
        "diskSizeGB": 1,
        "createdAt": born,
        "updatedAt": born,
        "dashboardUrl": f"https://dashboard.render.com/d/{ID}",
        "owner": {"id": OWNER, "name": "Sampelit", "email": "team@sampelit.example", "type": "team"},
    }


def _databases(world: World) -> list[Json]:
    """Recovered ones first, as Render lists the newest first."""
    return [*world.things.setdefault("recovered", []), _database(world)]


def _one(world: World, database: str) -> Json:
    for candidate in _databases(world):
        if candidate["id"] == database:
            return candidate
    raise ApiError(404, f"postgres {database} not found")


@route("GET", "/postgres")
def databases(world: World, request: Request) -> tuple[int, Any]:
    return 200, page(request, "postgres", _databases(world))


@route("GET", "/postgres/{database}")
def database(world: World, request: Request, database: str) -> tuple[int, Any]:
    return 200, _one(world, database) | {"project": project(world)}


@route("GET", "/postgres/{database}/recovery")
def recovery(world: World, request: Request, database: str) -> tuple[int, Any]:
    _one(world, database)
    return 200, {"recoveryStatus": "AVAILABLE", "startsAt": world.stamp(world.now() - WINDOW)}


@route("POST", "/postgres/{database}/recovery")
def recover(world: World, request: Request, database: str) -> tuple[int, Any]:
    source, (at,) = _one(world, database), required(request.body, "restoreTime")
    if datetime.fromisoformat(at) < world.now() - WINDOW:
        raise ApiError(400, "restoreTime is before the recovery window")
    made = source | {
        "id": world.new_id("dpg"),
        "name": request.body.get("restoreName") or f"{source['name']}-recovered",
    }
    world.things["recovered"].append(made | {"createdAt": world.stamp(), "updatedAt": world.stamp()})
    return 200, made | {"project": project(world)}


@route("POST", "/postgres/{database}/restart")
def restart(world: World, request: Request, database: str) -> tuple[int, Any]:
    _one(world, database)
    return 202, None


@route("GET", "/postgres/{database}/export")
def exports(world: World, request: Request, database: str) -> tuple[int, Any]:
    _one(world, database)
    return 200, world.things.setdefault("exports", [])


@route("POST", "/postgres/{database}/export")
def export(world: World, request: Request, database: str) -> tuple[int, Any]:
    _one(world, database)
    made = {"id": world.new_id("exp"), "createdAt": world.stamp(), "url": f"https://exports.example/{database}.tar.gz"}
    world.things.setdefault("exports", []).insert(0, made)
    return 202, None
