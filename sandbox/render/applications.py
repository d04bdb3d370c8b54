"""The applications that the sandbox's services run: `/apps/<slug>/…` answers as the live deploy behaves.

Sampelit's /health answers 200 while degraded; maintenance mode and a suspended service answer 503.
"""

from __future__ import annotations

import json
import re

from sandbox.render.world import Json, World

PATH = re.compile(r"^/apps/([^/]+)(/.*)?$")


def answer(world: World, path: str) -> tuple[int, str, bytes]:
    """(status, content type, body) of one request to an application."""
    match = PATH.match(path)
    service = next((s for s in world.services.values() if match and s["slug"] == match[1]), None)
    if service is None or match is None:
        return 404, "text/plain", b"no such application"
    doing, version = state(world, service)
    if closed(world, service):
        return 503, "text/html", b"<h1>Service suspended or under maintenance</h1>"
    health = service["serviceDetails"].get("healthCheckPath")
    if health and match[2] == health:
        status, body = _health(service, doing, version)
        return status, "application/json", json.dumps(body).encode()
    return 200, "text/html", f"<h1>{service['name']}</h1><p>{version}</p>".encode()


def closed(world: World, service: Json) -> bool:
    """Nobody is let in: nothing is live, or it is suspended or in maintenance mode."""
    maintained = service["serviceDetails"].get("maintenanceMode", {}).get("enabled", False)
    return world.live(service["id"]) is None or service["suspended"] == "suspended" or maintained


def state(world: World, service: Json) -> tuple[str, str]:
    """(healthy, degraded or down; version) of what is live."""
    live = world.live(service["id"])
    if live is None or closed(world, service):
        return "down", ""
    doing = service.get("_health") or live["_behaviour"]
    return doing if doing in ("degraded", "down") else "healthy", live["commit"]["id"][:7]


def _health(service: Json, doing: str, version: str) -> tuple[int, Json]:
    about = {"version": version, "environment": service["_environment"]}
    if doing == "degraded":
        return 200, {"status": "degraded", "database": "disconnected"} | about
    if doing == "down":
        return 503, {"status": "unhealthy"}
    return 200, {"status": "healthy", "database": "connected"} | about
