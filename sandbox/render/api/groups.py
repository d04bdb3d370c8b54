"""Environment groups and secret files of the sandbox: groups linked to services, one key or file at a time."""

from __future__ import annotations

from typing import Any

from sandbox.render.routing import Request, between, limit_of, page, required, route
from sandbox.render.world import ApiError, Json, World, public

SHORT = {
    "web_service": "web",
    "static_site": "static",
    "private_service": "pserv",
    "background_worker": "worker",
    "cron_job": "cron",
}


def _group(world: World, group: str) -> Json:
    if group not in world.groups:
        raise ApiError(404, "environment group not found")
    return world.groups[group]


def meta(world: World, group: Json) -> Json:
    """A group as lists show it: without its variables and files."""
    links = [
        {"id": service, "name": world.services[service]["name"], "type": SHORT[world.services[service]["type"]]}
        for service in group["_services"]
        if service in world.services
    ]
    return public(group) | {"serviceLinks": links}


def whole(world: World, group: Json) -> Json:
    pairs = [{"key": key, "value": value} for key, value in sorted(group["_env"].items())]
    files = [{"name": name, "content": content} for name, content in sorted(group["_files"].items())]
    return meta(world, group) | {"envVars": pairs, "secretFiles": files}


@route("GET", "/env-groups")
def groups(world: World, request: Request) -> tuple[int, Any]:
    """Bare objects without cursors, as Render's file says, and no more than the limit."""
    rows = between(request, list(world.groups.values()), "createdAt", "createdAfter", "createdBefore")
    if owners := request.query.get("ownerId"):
        rows = [group for group in rows if group["ownerId"] in owners]
    return 200, [meta(world, group) for group in rows[: limit_of(request)]]


@route("POST", "/env-groups")
def create(world: World, request: Request) -> tuple[int, Any]:
    name, owner = required(request.body, "name", "ownerId")
    made = new_group(world, world.new_id("evg"), name, owner)
    for pair in request.body.get("envVars") or []:
        made["_env"][pair["key"]] = pair.get("value") or world.new_id("gen")
    made["_files"] = {item["name"]: item["content"] for item in request.body.get("secretFiles") or []}
    made["_services"] = [service for service in request.body.get("serviceIds") or [] if world.service(service)]
    return 201, whole(world, made)


def new_group(world: World, identity: str, name: str, owner: str) -> Json:
    made = world.stamp()
    world.groups[identity] = {
        "id": identity,
        "name": name,
        "ownerId": owner,
        "createdAt": made,
        "updatedAt": made,
        "_env": {},
        "_files": {},
        "_services": [],
    }
    return world.groups[identity]


@route("GET", "/env-groups/{group}")
def retrieve(world: World, request: Request, group: str) -> tuple[int, Any]:
    return 200, whole(world, _group(world, group))


@route("DELETE", "/env-groups/{group}")
def delete(world: World, request: Request, group: str) -> tuple[int, Any]:
    _group(world, group)
    del world.groups[group]
    return 204, None


@route("POST", "/env-groups/{group}/services/{service}")
def link(world: World, request: Request, group: str, service: str) -> tuple[int, Any]:
    env_group = _group(world, group)
    world.service(service)
    if service not in env_group["_services"]:
        env_group["_services"].append(service)
    return 200, whole(world, env_group)


@route("DELETE", "/env-groups/{group}/services/{service}")
def unlink(world: World, request: Request, group: str, service: str) -> tuple[int, Any]:
    env_group = _group(world, group)
    if service not in env_group["_services"]:
        raise ApiError(404, "the service is not linked")
    env_group["_services"].remove(service)
    return 204, None


@route("GET", "/env-groups/{group}/env-vars/{key}")
def variable(world: World, request: Request, group: str, key: str) -> tuple[int, Any]:
    return 200, {"key": key, "value": _kept(_group(world, group)["_env"], key)}


@route("PUT", "/env-groups/{group}/env-vars/{key}")
def set_variable(world: World, request: Request, group: str, key: str) -> tuple[int, Any]:
    env_group, body = _group(world, group), request.body
    if not isinstance(body.get("value"), str) and body.get("generateValue") is not True:
        raise ApiError(400, "value is required")
    env_group["_env"][key] = body.get("value") or world.new_id("gen")
    world.touch(env_group)
    return 200, whole(world, env_group)


@route("DELETE", "/env-groups/{group}/env-vars/{key}")
def delete_variable(world: World, request: Request, group: str, key: str) -> tuple[int, Any]:
    env_group = _group(world, group)
    _kept(env_group["_env"], key)
    del env_group["_env"][key]
    world.touch(env_group)
    return 204, None


@route("GET", "/env-groups/{group}/secret-files/{name}")
def file(world: World, request: Request, group: str, name: str) -> tuple[int, Any]:
    return 200, {"name": name, "content": _kept(_group(world, group)["_files"], name)}


@route("PUT", "/env-groups/{group}/secret-files/{name}")
def set_file(world: World, request: Request, group: str, name: str) -> tuple[int, Any]:
    env_group = _group(world, group)
    (env_group["_files"][name],) = required(request.body, "content")
    world.touch(env_group)
    return 200, whole(world, env_group)


@route("DELETE", "/env-groups/{group}/secret-files/{name}")
def delete_file(world: World, request: Request, group: str, name: str) -> tuple[int, Any]:
    env_group = _group(world, group)
    _kept(env_group["_files"], name)
    del env_group["_files"][name]
    world.touch(env_group)
    return 204, None


@route("GET", "/services/{service}/secret-files")
def files(world: World, request: Request, service: str) -> tuple[int, Any]:
    world.service(service)
    stored = sorted(world.files.get(service, {}).items())
    return 200, page(request, "secretFile", [{"name": name, "content": content} for name, content in stored])


@route("GET", "/services/{service}/secret-files/{name}")
def service_file(world: World, request: Request, service: str, name: str) -> tuple[int, Any]:
    world.service(service)
    return 200, {"name": name, "content": _kept(world.files.get(service, {}), name)}


def _kept(things: dict[str, str], name: str) -> str:
    if name not in things:
        raise ApiError(404, f"{name} not found")
    return things[name]
