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
    found = PATH.match(path)
    service = next((s for s in world.services.values() if found and s["slug"] == found[1]), None)
    if service is None or found is None:
        return 404, "text/plain", b"no such application"
    live = world.live(service["id"])
    if live is None or service["suspended"] == "suspended":
        return 503, "text/plain", b"Service Suspended"
    if service["serviceDetails"].get("maintenanceMode", {}).get("enabled"):
        return 503, "text/html", b"<h1>Service under maintenance</h1>"
    health = service["serviceDetails"].get("healthCheckPath")
    if health and found[2] == health:
        status, body = _health(service, live)
        return status, "application/json", json.dumps(body).encode()
    return 200, "text/html", f"<h1>{service['name']}</h1><p>{live['commit']['id'][:7]}</p>".encode()


def _health(service: Json, live: Json) -> tuple[int, Json]:
    state = service.get("_health") or live["_behaviour"]
    version = {"version": live["commit"]["id"][:7], "environment": service["_environment"]}
    if state == "degraded":
        return 200, {"status": "degraded", "database": "disconnected"} | version
    if state == "down":
        return 503, {"status": "unhealthy"}
    return 200, {"status": "healthy", "database": "connected"} | version
