"""Logs and metrics of the sandbox. Metrics are a pure function of time with a bump after each deploy."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from sandbox.render.routing import Request, between, route
from sandbox.render.world import ApiError, Json, World

UNITS = {
    "cpu": ("cores", 0.18),
    "memory": ("bytes", 260e6),
    "http-requests": ("requests", 900.0),
    "http-latency": ("ms", 84.0),
    "instance-count": ("instances", 1.0),
    "bandwidth": ("bytes", 4e6),
    "cpu-limit": ("cores", 0.5),
    "memory-limit": ("bytes", 512e6),
}


@route("GET", "/logs")
def logs(world: World, request: Request) -> tuple[int, Any]:
    if not request.one("ownerId") or not request.query.get("resource"):
        raise ApiError(400, "ownerId and resource are required")
    lines = [line for line in world.logs if _label(line, "resource") in request.query["resource"]]
    for name in ("type", "level"):
        if wanted := request.query.get(name):
            lines = [line for line in lines if _label(line, name) in wanted]
    if texts := request.query.get("text"):
        lines = [line for line in lines if any(text in line["message"] for text in texts)]
    lines = sorted(between(request, lines, "timestamp", "startTime", "endTime"), key=lambda line: line["timestamp"])
    if request.one("direction") != "forward":
        lines.reverse()
    limit = int(request.one("limit") or 20)
    edge = lines[min(limit, len(lines)) - 1]["timestamp"] if lines else world.stamp()
    more = {"hasMore": len(lines) > limit, "nextStartTime": edge, "nextEndTime": edge}
    return 200, more | {"logs": lines[:limit]}


def _label(line: Json, name: str) -> str:
    return next((label["value"] for label in line["labels"] if label["name"] == name), "")


@route("GET", "/metrics/{metric}")
def metrics(world: World, request: Request, metric: str) -> tuple[int, Any]:
    if metric not in UNITS:
        raise ApiError(404, "no such metric")
    service = world.service(request.one("resource") or request.one("service") or "")["id"]
    end = request.moment("endTime") or world.now()
    start = request.moment("startTime") or end - timedelta(hours=1)
    step = max(float(request.one("resolutionSeconds") or 60), 10.0)
    unit, level = UNITS[metric]
    switches = [datetime.fromisoformat(d["finishedAt"]) for d in world.deploys[service] if d.get("finishedAt")]
    values = []
    for number in range(min(int((end - start).total_seconds() / step) + 1, 2000)):
        at = start + timedelta(seconds=number * step)
        values.append({"timestamp": world.stamp(at), "value": _level(metric, level, at, switches), "unit": unit})
    return 200, [{"labels": [{"field": "resource", "value": service}], "values": values, "unit": unit}]


def _level(metric: str, level: float, at: datetime, switches: list[datetime]) -> float:
    if metric in ("instance-count", "cpu-limit", "memory-limit"):
        return level
    wave = 1 + 0.25 * math.sin(at.timestamp() / 4300) + 0.06 * math.sin(at.timestamp() / 190)
    bump = sum(0.8 for switch in switches if 0 <= (at - switch).total_seconds() < 180)
    return round(level * (wave + (min(bump, 0.8) if metric in ("cpu", "http-latency") else 0)), 4)
