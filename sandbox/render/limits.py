"""Render's rate limits, counted in fixed windows per bucket, with its three headers on every answer."""

from __future__ import annotations

import math
import re
from datetime import datetime

MINUTE = 60.0
DEFAULTS = {"read": 400, "write": 30, "deploy": 10, "logs": 30, "jobs": 100, "create-service": 20}
_DEPLOY = re.compile(r"^/services/([^/]+)(?:/(?:deploys|rollback|suspend|resume))?$")


def bucket(method: str, path: str) -> str:
    """The bucket that a request counts against; deploys share one for each service."""
    if path.startswith("/logs"):
        return "logs"
    if method == "GET":
        return "read"
    if path == "/services" and method == "POST":
        return "create-service"
    if path.endswith("/jobs"):
        return "jobs"
    match = _DEPLOY.match(path)
    return f"deploy:{match[1]}" if match and method in ("POST", "PATCH") else "write"


class Limits:
    """`allowed` maps a bucket's kind to requests a minute; `epoch` shows the reset as epoch seconds instead."""

    def __init__(self) -> None:
        self.allowed = dict(DEFAULTS)
        self.epoch = False
        self._windows: dict[str, tuple[datetime, int]] = {}

    def count_request(self, name: str, now: datetime) -> tuple[bool, dict[str, str]]:
        """Counts one request; whether it is allowed, and the headers that say what remains."""
        allowed = self.allowed.get(name.split(":")[0], 400)
        begun, used = self._windows.get(name, (now, 0))
        if (now - begun).total_seconds() >= MINUTE:
            begun, used = now, 0
        used += 1
        self._windows[name] = (begun, used)
        left = max(MINUTE - (now - begun).total_seconds(), 0.0)
        reset = math.ceil(now.timestamp() + left) if self.epoch else math.ceil(left)
        headers = {"Ratelimit-Limit": allowed, "Ratelimit-Remaining": max(allowed - used, 0), "Ratelimit-Reset": reset}
        return used <= allowed, {key: str(value) for key, value in headers.items()}

    def forget(self) -> None:
        self._windows.clear()
