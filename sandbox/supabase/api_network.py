"""TLS enforcement, network restrictions and bans: stored settings, answered in the API's two shapes."""

from __future__ import annotations

from sandbox.supabase.api_projects import Answer
from sandbox.supabase.routing import PROJECT, body_object, route, wanted
from sandbox.supabase.state import Json, World
from sandbox.web import Request


@route("GET", PROJECT + "/ssl-enforcement")
def ssl(world: World, request: Request, ref: str) -> Answer:
    return 200, {"currentConfig": {"database": world.project(ref)["ssl"]}, "appliedSuccessfully": True}


@route("GET", PROJECT + "/network-restrictions")
def restrictions(world: World, request: Request, ref: str) -> Answer:
    return 200, _restrictions(world.project(ref))


def _restrictions(project: Json) -> Json:
    config = {"dbAllowedCidrs": project["cidrs"], "dbAllowedCidrsV6": project["cidrs_v6"]}
    return {"entitlement": "allowed", "config": config, "status": project["network_status"]}


@route("PATCH", PROJECT + "/network-restrictions")
def change_restrictions(world: World, request: Request, ref: str) -> Answer:
    project, body = world.project(ref), body_object(request)
    for name, key in (("dbAllowedCidrs", "cidrs"), ("dbAllowedCidrsV6", "cidrs_v6")):
        added, gone = ((body.get(what) or {}).get(name) or [] for what in ("add", "remove"))
        project[key] = [cidr for cidr in dict.fromkeys([*project[key], *added]) if cidr not in gone]
    kinds = (("v4", project["cidrs"]), ("v6", project["cidrs_v6"]))
    listed = [{"address": cidr, "type": kind} for kind, cidrs in kinds for cidr in cidrs]
    return 200, _restrictions(project) | {"config": {"dbAllowedCidrs": listed}}


@route("POST", PROJECT + "/network-bans/retrieve")
def bans(world: World, request: Request, ref: str) -> Answer:
    return 201, {"banned_ipv4_addresses": world.project(ref).setdefault("banned", [])}


@route("DELETE", PROJECT + "/network-bans")
def unban(world: World, request: Request, ref: str) -> Answer:
    project, freed = world.project(ref), wanted(request, "ipv4_addresses", list)
    project["banned"] = [address for address in project.get("banned", []) if address not in freed]
    return 200, None
