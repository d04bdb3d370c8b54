"""Owners and services of the sandbox: lists, settings, maintenance mode, suspend, resume, restart, scale, previews."""

from __future__ import annotations

from typing import Any

from sandbox.render import lifecycle
from sandbox.render.routing import Request, page, required, route
from sandbox.render.world import OWNER, ApiError, Json, World, public

TEAM = {"id": OWNER, "name": "Sampelit", "email": "team@sampelit.example", "type": "team"}
MEMBERS = (
    ("Olga Operator", "olga@sampelit.example", "ADMIN", True),
    ("Ben Builder", "ben@sampelit.example", "DEVELOPER", False),
)


def shown(world: World, service: Json) -> Json:
    """The service with the absolute address under which the sandbox serves its application."""
    details = dict(service["serviceDetails"])
    details["url"] = world.base_url + details["url"]
    return public(service) | {"serviceDetails": details}


@route("GET", "/owners")
def owners(world: World, request: Request) -> tuple[int, Any]:
    return 200, page(request, "owner", [TEAM])


@route("GET", "/owners/{owner}/members")
def members(world: World, request: Request, owner: str) -> tuple[int, Any]:
    if owner != TEAM["id"]:
        raise ApiError(404, "not found")
    return 200, [
        {"userId": f"usr-{name}", "name": name, "email": email, "status": "active", "role": role, "mfaEnabled": mfa}
        for name, email, role, mfa in MEMBERS
    ]


@route("GET", "/users")
def user(world: World, request: Request) -> tuple[int, Any]:
    return 200, {"email": TEAM["email"], "name": TEAM["name"]}


@route("GET", "/services")
def services(world: World, request: Request) -> tuple[int, Any]:
    rows = list(world.services.values())
    for name, key in (("name", "name"), ("type", "type"), ("ownerId", "ownerId"), ("suspended", "suspended")):
        if wanted := request.query.get(name):
            rows = [service for service in rows if service[key] in wanted]
    if request.one("includePreviews") == "false":
        rows = [service for service in rows if "parentServer" not in service["serviceDetails"]]
    return 200, page(request, "service", [shown(world, service) for service in rows])


@route("GET", "/services/{service}")
def service(world: World, request: Request, service: str) -> tuple[int, Any]:
    return 200, shown(world, world.service(service))


@route("DELETE", "/services/{service}")
def delete(world: World, request: Request, service: str) -> tuple[int, Any]:
    world.service(service)
    for table in (world.services, world.deploys, world.events, world.env, world.jobs):
        table.pop(service, None)
    return 204, None


@route("PATCH", "/services/{service}")
def patch(world: World, request: Request, service: str) -> tuple[int, Any]:
    target, body = world.service(service), request.body
    if body.get("autoDeploy", "yes") not in ("yes", "no"):
        raise ApiError(400, 'autoDeploy must be "yes" or "no"')
    if body.get("autoDeployTrigger", "off") not in ("commit", "off", "checksPass"):
        raise ApiError(400, "autoDeployTrigger must be commit, off or checksPass")
    if "autoDeployTrigger" in body:
        body["autoDeploy"] = "no" if body["autoDeployTrigger"] == "off" else "yes"
    elif "autoDeploy" in body:
        body["autoDeployTrigger"] = "commit" if body["autoDeploy"] == "yes" else "off"
    details = body.pop("serviceDetails", {})
    if "maintenanceMode" in details:
        _maintenance(world, target, details["maintenanceMode"])
    if "healthCheckPath" in details and target["type"] != "web_service":
        raise ApiError(400, "healthCheckPath is for web services")
    target["serviceDetails"].update(details)
    known = ("autoDeploy", "autoDeployTrigger", "branch", "repo", "name", "rootDir")
    target.update({key: body[key] for key in known if key in body})
    world.touch(target)
    return 200, shown(world, target)


def _maintenance(world: World, service: Json, mode: Json) -> None:
    if service["type"] != "web_service":
        raise ApiError(400, "maintenance mode is for web services")
    if not isinstance(mode.get("enabled"), bool) or not isinstance(mode.get("uri"), str):
        raise ApiError(400, "maintenanceMode needs enabled and uri")
    if mode["enabled"] != service["serviceDetails"]["maintenanceMode"]["enabled"]:
        world.event(service["id"], "maintenance_mode_enabled", {"enabled": mode["enabled"]})


@route("POST", "/services/{service}/suspend")
def suspend(world: World, request: Request, service: str) -> tuple[int, Any]:
    target = world.service(service)
    target["suspended"], target["suspenders"] = "suspended", ["user"]
    world.touch(target)
    world.event(service, "service_suspended", {"actor": "user"})
    return 202, None


@route("POST", "/services/{service}/resume")
def resume(world: World, request: Request, service: str) -> tuple[int, Any]:
    target, live = world.service(service), world.live(service)
    target["suspended"], target["suspenders"] = "not_suspended", []
    world.touch(target)
    world.event(service, "service_resumed", {"actor": "user"})
    if live:
        lifecycle.start(world, service, trigger="service_resumed", commit=live["commit"], skip_build=True)
    return 202, None


@route("POST", "/services/{service}/restart")
def restart(world: World, request: Request, service: str) -> tuple[int, Any]:
    if world.service(service)["type"] in ("cron_job", "static_site"):
        raise ApiError(400, "this service cannot be restarted")
    world.event(service, "server_restarted", {"triggeredByUser": "usr-sandbox"})
    return 200, None


@route("POST", "/services/{service}/scale")
def scale(world: World, request: Request, service: str) -> tuple[int, Any]:
    details, (wanted,) = world.service(service)["serviceDetails"], required(request.body, "numInstances")
    if not isinstance(wanted, int) or not 0 < wanted <= 100 or "numInstances" not in details:
        raise ApiError(400, "numInstances must be 1 to 100, for a service that has instances")
    change = {"fromInstances": details["numInstances"], "toInstances": wanted}
    details["numInstances"] = wanted
    world.touch(world.services[service])
    world.event(service, "instance_count_changed", change)
    return 202, None


@route("POST", "/services/{service}/cache/purge")
def purge(world: World, request: Request, service: str) -> tuple[int, Any]:
    world.service(service)
    return 202, None
