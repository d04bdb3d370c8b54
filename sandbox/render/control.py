"""`POST /__sandbox__/<verb>`: what a demo or a test does to the sandbox; a JSON object in, a JSON object out.

advance {seconds} · push {branch, message, behaviour} · fail {service, phase} · health {service, status} · fault {match,
kind, times, seconds} · limits {read, write, …, epoch} · plan {name} · key {value} ·
manual {service, user} · crash {service} · calls
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from sandbox.render import lifecycle
from sandbox.render.faults import Fault, Faults
from sandbox.render.limits import Limits
from sandbox.render.routing import required
from sandbox.render.world import ApiError, Json, World, public


class Controlled(Protocol):
    """What of a running sandbox the verbs reach."""

    world: World
    faults: Faults
    limits: Limits
    calls: deque[str]
    api_key: str


def act(sandbox: Controlled, verb: str, body: Json) -> Json:
    """Carries out one verb. Raises ApiError 404 for an unknown one."""
    handler = _VERBS.get(verb)
    if handler is None:
        raise ApiError(404, f"no such verb: {verb}")
    return handler(sandbox, body) or {"ok": True}


def named(world: World, name: str) -> Json:
    """A service by id or name."""
    for service in world.services.values():
        if name in (service["id"], service["name"]):
            return service
    raise ApiError(404, f"service {name} not found")


def advance(sandbox: Controlled, body: Json) -> None:
    (seconds,) = required(body, "seconds")
    sandbox.world.offset += float(seconds)
    lifecycle.settle(sandbox.world)


def push(sandbox: Controlled, body: Json) -> Json:
    """A commit on a branch; services with autodeploy on that branch deploy it."""
    world, branch = sandbox.world, body.get("branch", "main")
    sha = (world.new_id("c")[2:] + world.new_id("c")[2:])[:40]
    commit = {
        "id": sha,
        "message": body.get("message", "Change something"),
        "createdAt": world.stamp(),
        "_behaviour": body.get("behaviour", ""),
    }
    world.commits.setdefault(branch, []).append(commit)
    for identity, service in world.services.items():
        if service["branch"] == branch and service["autoDeploy"] == "yes":
            lifecycle.start(world, identity, trigger="new_commit", commit=commit)
    return public(commit)


def fail(sandbox: Controlled, body: Json) -> None:
    service, phase = required(body, "service", "phase")
    sandbox.world.next_failures[named(sandbox.world, service)["id"]] = phase


def health(sandbox: Controlled, body: Json) -> None:
    named(sandbox.world, body.get("service", ""))["_health"] = body.get("status", "")


def crash(sandbox: Controlled, body: Json) -> None:
    """The service's instance ran out of memory."""
    service = named(sandbox.world, body.get("service", ""))["id"]
    reason = {"evicted": False, "oomKilled": {"memoryLimit": "512Mi"}}
    sandbox.world.event(service, "server_failed", {"instanceID": f"{service}-abcde", "reason": reason})


def manual(sandbox: Controlled, body: Json) -> Json:
    """A deploy that somebody started in Render's dashboard."""
    world = sandbox.world
    service = named(world, body.get("service", ""))
    commit = world.commits[service["branch"]][-1]
    return public(lifecycle.start(world, service["id"], trigger="manual", commit=commit, user=body.get("user", "")))


def fault(sandbox: Controlled, body: Json) -> None:
    match, kind = required(body, "match", "kind")
    sandbox.faults.add(Fault(match, str(kind), int(body.get("times", 1)), float(body.get("seconds", 1.0))))


def limits(sandbox: Controlled, body: Json) -> None:
    sandbox.limits.epoch = bool(body.pop("epoch", sandbox.limits.epoch))
    sandbox.limits.allowed.update({name: int(value) for name, value in body.items()})
    sandbox.limits.forget()


def plan(sandbox: Controlled, body: Json) -> None:
    (sandbox.world.plan,) = required(body, "name")


def key(sandbox: Controlled, body: Json) -> None:
    """Revokes the API key by replacing it."""
    (sandbox.api_key,) = required(body, "value")


def calls(sandbox: Controlled, body: Json) -> Json:
    """Every API request so far as `METHOD /path`, for tests that count writes."""
    return {"calls": list(sandbox.calls)}


_VERBS = {
    "advance": advance,
    "push": push,
    "fail": fail,
    "health": health,
    "crash": crash,
    "manual": manual,
    "fault": fault,
    "limits": limits,
    "plan": plan,
    "key": key,
    "calls": calls,
}
