"""TLS enforcement and network restrictions: stored settings, answered in the API's two shapes."""

from __future__ import annotations

from sandbox.supabase.api_projects import Answer
from sandbox.supabase.routing import PROJECT, body_object, route
from sandbox.supabase.state import ApiError, Json, World
from sandbox.web import Request


@route("GET", PROJECT + "/ssl-enforcement")
def ssl(world: World, request: Request, ref: str) -> Answer:
    return 200, {"currentConfig": {"database": world.project(ref)["ssl"]}, "appliedSuccessfully": True}


@route("PUT", PROJECT + "/ssl-enforcement")
def enforce_ssl(world: World, request: Request, ref: str) -> Answer:
    requested = (body_object(request).get("requestedConfig") or {}).get("database")
    if not isinstance(requested, bool):
        raise ApiError(400, "requestedConfig.database: Required")
    world.project(ref)["ssl"] = requested
    return ssl(world, request, ref)


@route("GET", PROJECT + "/network-restrictions")
def restrictions(world: World, request: Request, ref: str) -> Answer:
    return 200, _restrictions(world.project(ref))


@route("POST", PROJECT + "/network-restrictions/apply")
def restrict(world: World, request: Request, ref: str) -> Answer:
    project, body = world.project(ref), body_object(request)
    project["cidrs"] = list(body.get("dbAllowedCidrs") or [])
    project["cidrs_v6"] = list(body.get("dbAllowedCidrsV6") or [])
    return 201, _restrictions(project)


def _restrictions(project: Json) -> Json:
    config = {"dbAllowedCidrs": project["cidrs"], "dbAllowedCidrsV6": project["cidrs_v6"]}
    return {"entitlement": "allowed", "config": config, "status": project["network_status"]}
