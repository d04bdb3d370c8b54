"""Levers of the demo and the tests, under /__sandbox__/: faults, plan, PITR, refused endpoints, the token, a backup."""

from __future__ import annotations

import re
import time

from sandbox.supabase.api_backups import daily_backup
from sandbox.supabase.api_projects import Answer
from sandbox.supabase.routing import body_object, route
from sandbox.supabase.state import ApiError, Json, World
from sandbox.web import Request

LEVERS = {
    "plan",
    "pitr_enabled",
    "internal_endpoints",
    "status",
    "ssl",
    "cidrs",
    "cidrs_v6",
    "network_status",
    "backups",
}


@route("POST", "/__sandbox__/faults")
def add_fault(world: World, request: Request) -> Answer:
    """{match: regex of "METHOD path", status, message, times (default 1), after: act first, delay: seconds, empty}"""
    world.faults.append({"times": 1, "status": 500, "message": "Internal Server Error"} | body_object(request))
    return 201, {"faults": len(world.faults)}


@route("DELETE", "/__sandbox__/faults")
def clear_faults(world: World, request: Request) -> Answer:
    world.faults.clear()
    return 200, {"faults": 0}


@route("PATCH", "/__sandbox__/projects/{ref}")
def pull(world: World, request: Request, ref: str) -> Answer:
    body = body_object(request)
    if unknown := set(body) - LEVERS:
        raise ApiError(400, f"unknown levers, nothing was changed: {', '.join(sorted(unknown))}")
    world.project(ref).update(body)
    return 200, {name: world.project(ref)[name] for name in body}


@route("POST", "/__sandbox__/projects/{ref}/backup")
def back_up(world: World, request: Request, ref: str) -> Answer:
    daily_backup(world, world.project(ref))
    return 201, world.project(ref)["backups"][0]


@route("PATCH", "/__sandbox__/token")
def token(world: World, request: Request) -> Answer:
    world.token_valid = bool(body_object(request).get("valid"))
    return 200, {"valid": world.token_valid}


def due_fault(world: World, request: Request) -> Json | None:
    """The first fault that matches, counted down; its delay is waited for here, outside the lock."""
    with world.lock:
        for fault in world.faults:
            if fault["times"] > 0 and re.search(fault["match"], f"{request.method} {request.path}"):
                fault["times"] -= 1
                break
        else:
            return None
    time.sleep(float(fault.get("delay", 0)))
    return fault
