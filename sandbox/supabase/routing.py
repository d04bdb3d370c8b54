"""Method and path pattern → handler. A handler takes the world, the request and the path's parts, returns an answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sandbox.supabase.state import ApiError, World
from sandbox.web import Request

Handler = Callable[..., tuple[int, Any]]
ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []
PROJECT = "/v1/projects/{ref}"


def route(method: str, pattern: str) -> Callable[[Handler], Handler]:
    compiled = re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern) + "$")

    def register(handler: Handler) -> Handler:
        ROUTES.append((method, compiled, handler))
        return handler

    return register


def dispatch(world: World, request: Request) -> tuple[int, Any]:
    for method, pattern, handler in ROUTES:
        if method == request.method and (match := pattern.match(request.path)):
            return handler(world, request, **match.groupdict())
    raise ApiError(404, f"Cannot {request.method} {request.path}")


def body_object(request: Request) -> dict[str, Any]:
    if not isinstance(request.body, dict):
        raise ApiError(400, "Validation failed: the body must be an object")
    return request.body


def wanted(request: Request, name: str, kind: type) -> Any:
    value = body_object(request).get(name)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
        raise ApiError(400, f"{name}: Invalid input: expected {kind.__name__}")
    return value
