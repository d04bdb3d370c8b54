"""Deploys, rollback, jobs and events of the sandbox. While a deploy runs, another one answers 202 without a body."""

from __future__ import annotations

from typing import Any

from sandbox.render import lifecycle
from sandbox.render.routing import Request, between, page, required, route
from sandbox.render.world import ApiError, Json, World, public


@route("GET", "/services/{service}/deploys")
def deploys(world: World, request: Request, service: str) -> tuple[int, Any]:
    world.service(service)
    rows = sorted(world.deploys[service], key=lambda deploy: deploy["createdAt"], reverse=True)
    if wanted := request.query.get("status"):
        rows = [deploy for deploy in rows if deploy["status"] in wanted]
    for key in ("created", "updated", "finished"):
        rows = between(request, rows, f"{key}At", f"{key}After", f"{key}Before")
    return 200, page(request, "deploy", rows)


@route("GET", "/services/{service}/deploys/{deploy}")
def deploy(world: World, request: Request, service: str, deploy: str) -> tuple[int, Any]:
    return 200, public(world.deploy(service, deploy))


@route("POST", "/services/{service}/deploys")
def create(world: World, request: Request, service: str) -> tuple[int, Any]:
    target, body = world.service(service), request.body
    if target["suspended"] == "suspended":
        raise ApiError(409, "service is suspended")
    if body.get("clearCache", "do_not_clear") not in ("clear", "do_not_clear"):
        raise ApiError(400, "clearCache must be clear or do_not_clear")
    if body.get("deployMode") == "deploy_only" and (body.get("commitId") or body.get("clearCache")):
        raise ApiError(400, "deployMode cannot be combined with commitId or clearCache")
    queued = lifecycle.busy(world, service)
    commit = _commit(world, target, body.get("commitId"))
    made = lifecycle.start(
        world, service, trigger="api", commit=commit, skip_build=body.get("deployMode") == "deploy_only"
    )
    return (202, None) if queued else (201, public(made))


def _commit(world: World, service: Json, wanted: str | None) -> Json:
    commits = world.commits.get(service["branch"], [])
    if not wanted and commits:
        return commits[-1]
    for branch in world.commits.values():
        for commit in branch:
            if wanted and commit["id"].startswith(wanted):
                return commit
    raise ApiError(400, "commit not found")


@route("POST", "/services/{service}/deploys/{deploy}/cancel")
def cancel(world: World, request: Request, service: str, deploy: str) -> tuple[int, Any]:
    target = world.deploy(service, deploy)
    if target["status"] not in lifecycle.MOVING:
        raise ApiError(409, f"deploy is {target['status']}")
    lifecycle.finish(world, service, target, "canceled", world.now(), "")
    return 200, public(target)


@route("POST", "/services/{service}/rollback")
def rollback(world: World, request: Request, service: str) -> tuple[int, Any]:
    (wanted,) = required(request.body, "deployId")
    target = world.deploy(service, wanted)
    if target["status"] not in ("live", "deactivated"):
        raise ApiError(400, "only a deploy that was live can be rolled back to")
    made = lifecycle.start(
        world, service, trigger="rollback", commit=target["commit"], behaviour=target["_behaviour"], skip_build=True
    )
    return 201, public(made)


@route("GET", "/services/{service}/events")
def events(world: World, request: Request, service: str) -> tuple[int, Any]:
    world.service(service)
    rows = between(request, world.events[service], "timestamp", "startTime", "endTime")
    if wanted := request.query.get("type"):
        rows = [event for event in rows if event["type"] in wanted]
    return 200, page(request, "event", sorted(rows, key=lambda event: event["timestamp"], reverse=True))


@route("GET", "/events/{event}")
def event(world: World, request: Request, event: str) -> tuple[int, Any]:
    for known in world.events.values():
        for candidate in known:
            if candidate["id"] == event:
                return 200, public(candidate)
    raise ApiError(404, "event not found")


@route("GET", "/services/{service}/jobs")
def jobs(world: World, request: Request, service: str) -> tuple[int, Any]:
    world.service(service)
    rows = between(request, world.jobs[service][::-1], "createdAt", "createdAfter", "createdBefore")
    return 200, page(request, "job", rows)


@route("POST", "/services/{service}/jobs")
def create_job(world: World, request: Request, service: str) -> tuple[int, Any]:
    world.service(service)
    (command,) = required(request.body, "startCommand")
    job = {
        "id": world.new_id("job"),
        "serviceId": service,
        "startCommand": command,
        "planId": "plan-srv-006",
        "status": "pending",
        "createdAt": world.stamp(),
    }
    world.jobs[service].append(job)
    return 201, public(job)


def _job(world: World, service: str, job: str) -> Json:
    world.service(service)
    for candidate in world.jobs[service]:
        if candidate["id"] == job:
            return candidate
    raise ApiError(404, "job not found")


@route("GET", "/services/{service}/jobs/{job}")
def one_job(world: World, request: Request, service: str, job: str) -> tuple[int, Any]:
    return 200, public(_job(world, service, job))
