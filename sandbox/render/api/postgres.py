"""The sandbox's one database at Render: the portal's own, on a paid plan with three days of point-in-time recovery."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sandbox.render.routing import Request, page, route
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


@route("GET", "/postgres")
def databases(world: World, request: Request) -> tuple[int, Any]:
    return 200, page(request, "postgres", [_database(world)])


@route("GET", "/postgres/{database}/recovery")
def recovery(world: World, request: Request, database: str) -> tuple[int, Any]:
    if database != ID:
        raise ApiError(404, f"postgres {database} not found")
    return 200, {"recoveryStatus": "AVAILABLE", "startsAt": world.stamp(world.now() - WINDOW)}
