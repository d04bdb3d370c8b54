"""Requests and routes: handlers register a method and a path pattern; paging and bodies are read here once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.render.world import ApiError, Json, World, public

Handler = Callable[..., tuple[int, Any]]
ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, list[str]] = field(default_factory=dict)
    content: bytes = b""
    content_type: str = ""

    @property
    def body(self) -> Json:
        try:
            parsed = json.loads(self.content or b"{}")
        except ValueError:
            raise ApiError(400, "invalid JSON") from None
        if not isinstance(parsed, dict):
            raise ApiError(400, "expected an object")
        return parsed

    def one(self, name: str) -> str | None:
        return self.query[name][-1] if self.query.get(name) else None

    def moment(self, name: str) -> datetime | None:
        value = self.one(name)
        try:
            return datetime.fromisoformat(value) if value else None
        except ValueError:
            raise ApiError(400, f"{name} is not a date-time") from None


def route(method: str, pattern: str) -> Callable[[Handler], Handler]:
    compiled = re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern) + "$")

    def register(handler: Handler) -> Handler:
        ROUTES.append((method, compiled, handler))
        return handler

    return register


def dispatch(world: World, request: Request) -> tuple[int, Any]:
    known = False
    for method, pattern, handler in ROUTES:
        if match := pattern.match(request.path):
            known = True
            if method == request.method:
                return handler(world, request, **match.groupdict())
    raise ApiError(405 if known else 404, "not found")


def required(body: Json, *names: str) -> list[Any]:
    for name in names:
        if body.get(name) in (None, ""):
            raise ApiError(400, f"{name} is required")
    return [body[name] for name in names]


def limit_of(request: Request, default: int = 20) -> int:
    """How many items one answer holds."""
    try:
        return min(max(int(request.one("limit") or default), 1), 100)
    except ValueError:
        raise ApiError(400, "limit is not a number") from None


def page(request: Request, thing: str, items: list[Json], default: int = 20) -> list[Json]:
    """One page of wrapped items after `?cursor=`; the cursor is the item's id (or key, or name)."""
    limit = limit_of(request, default)
    cursor, start = request.one("cursor"), 0
    if cursor:
        names = [_name(item) for item in items]
        if cursor not in names:
            raise ApiError(400, "invalid cursor")
        start = names.index(cursor) + 1
    return [{thing: public(item), "cursor": _name(item)} for item in items[start : start + limit]]


def _name(item: Json) -> str | None:
    return item.get("id") or item.get("key") or item.get("name")


def between(request: Request, items: list[Json], key: str, after: str, before: str) -> list[Json]:
    """Items whose time `key` lies between two optional query parameters."""
    first, last = request.moment(after), request.moment(before)
    if first is None and last is None:
        return items
    fitting = []
    for item in items:
        at = datetime.fromisoformat(item[key]) if item.get(key) else None
        if at and (first is None or at >= first) and (last is None or at <= last):
            fitting.append(item)
    return fitting
