"""Variables, webhooks and blueprint validation of the sandbox, one key at a time."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from sandbox.render.blueprint import check
from sandbox.render.routing import Request, page, required, route
from sandbox.render.world import OWNER, ApiError, Json, World, public


def _pairs(world: World, service: str) -> list[Json]:
    world.service(service)
    return [{"key": key, "value": value} for key, value in sorted(world.env[service].items())]


@route("GET", "/services/{service}/env-vars")
def env_vars(world: World, request: Request, service: str) -> tuple[int, Any]:
    return 200, page(request, "envVar", _pairs(world, service))


@route("GET", "/services/{service}/env-vars/{key}")
def env_var(world: World, request: Request, service: str, key: str) -> tuple[int, Any]:
    pairs = [pair for pair in _pairs(world, service) if pair["key"] == key]
    if not pairs:
        raise ApiError(404, "environment variable not found")
    return 200, pairs[0]


@route("PUT", "/services/{service}/env-vars/{key}")
def set_env_var(world: World, request: Request, service: str, key: str) -> tuple[int, Any]:
    world.service(service)
    body = request.body
    if not isinstance(body.get("value"), str) and body.get("generateValue") is not True:
        raise ApiError(400, "value is required")
    world.env[service][key] = body.get("value") or world.new_id("gen")
    return 200, {"key": key, "value": world.env[service][key]}


@route("DELETE", "/services/{service}/env-vars/{key}")
def delete_env_var(world: World, request: Request, service: str, key: str) -> tuple[int, Any]:
    world.service(service)
    if world.env[service].pop(key, None) is None:
        raise ApiError(404, "environment variable not found")
    return 204, None


@route("GET", "/webhooks")
def webhooks(world: World, request: Request) -> tuple[int, Any]:
    owners = request.query.get("ownerId") or []
    hooks = [public(hook) for hook in world.webhooks.values() if not owners or hook["_owner"] in owners]
    return 200, page(request, "webhook", hooks)


@route("POST", "/webhooks")
def create_webhook(world: World, request: Request) -> tuple[int, Any]:
    if world.plan not in ("professional", "organization", "enterprise"):
        raise ApiError(402, "webhooks need a Professional workspace or higher")
    owner, url, name = required(request.body, "ownerId", "url", "name")
    if owner not in {OWNER} | {service["ownerId"] for service in world.services.values()}:
        raise ApiError(404, "owner not found")
    hook = {
        "id": world.new_id("whk"),
        "_owner": owner,
        "url": url,
        "name": name,
        "enabled": request.body.get("enabled") is True,
        "eventFilter": request.body.get("eventFilter") or [],
        "secret": world.webhook_secret if owner == OWNER else f"whsec_{b64encode(owner.encode() * 4).decode()}",
    }
    world.webhooks[hook["id"]] = hook
    world.sent[hook["id"]] = []
    return 201, public(hook)


@route("DELETE", "/webhooks/{hook}")
def delete_webhook(world: World, request: Request, hook: str) -> tuple[int, Any]:
    if world.webhooks.pop(hook, None) is None:
        raise ApiError(404, "webhook not found")
    return 204, None


@route("GET", "/webhooks/{hook}/events")
def webhook_events(world: World, request: Request, hook: str) -> tuple[int, Any]:
    if hook not in world.webhooks:
        raise ApiError(404, "webhook not found")
    return 200, page(request, "webhookEvent", world.sent[hook][::-1])


@route("GET", "/blueprints")
def blueprints(world: World, request: Request) -> tuple[int, Any]:
    """One blueprint; it is in error once a service's branch no longer is the one of its render.yaml."""
    web = next(iter(world.services.values()))
    drifted = web["branch"] != "main"
    shown = {
        "id": world.new_id("exs", "blueprint"),
        "name": "sampelit",
        "status": "error" if drifted else "in_sync",
        "autoSync": False,
        "repo": web["repo"],
        "branch": "main",
        "path": "render.yaml",
        "lastSync": web["createdAt"],
    }
    return 200, page(request, "blueprint", [shown])


@route("POST", "/blueprints/validate")
def validate(world: World, request: Request) -> tuple[int, Any]:
    return 200, check(request)
