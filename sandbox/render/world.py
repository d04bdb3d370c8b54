"""The sandbox's state: services, deploys, events, variables, jobs, webhooks and commits, as JSON-able dictionaries.

Keys that begin with "_" are private and never leave through the API. Everything runs under one lock and one clock.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Json = dict[str, Any]
OWNER = "tea-sampelit00000000000"
PHASES = {"build_in_progress": 6.0, "pre_deploy_in_progress": 2.0, "update_in_progress": 4.0}
_KEPT = (
    "services",
    "deploys",
    "events",
    "env",
    "jobs",
    "webhooks",
    "sent",
    "commits",
    "logs",
    "offset",
    "plan",
    "groups",
    "files",
    "things",
)


class ApiError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def utc_now() -> datetime:
    return datetime.now(UTC)


class World:
    """`phases` are the seconds of each deploy phase; `clock` and `advance()` let a test move time."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = utc_now,
        phases: dict[str, float] | None = None,
        state: Path | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.phases = PHASES | (phases or {})
        self._clock, self._state = clock, state
        self.base_url = ""
        self.services: dict[str, Json] = {}
        self.deploys: dict[str, list[Json]] = {}
        self.events: dict[str, list[Json]] = {}
        self.env: dict[str, dict[str, str]] = {}
        self.jobs: dict[str, list[Json]] = {}
        self.webhooks: dict[str, Json] = {}
        self.sent: dict[str, list[Json]] = {}
        self.commits: dict[str, list[Json]] = {}
        self.groups: dict[str, Json] = {}
        self.files: dict[str, dict[str, str]] = {}
        self.things: dict[str, Any] = {}  # what only one of the API's modules knows
        self.logs: list[Json] = []
        self.outbox: list[Json] = []
        self.next_failures: dict[str, str] = {}
        self.offset = 0.0
        self.plan = "professional"
        self.webhook_secret = ""

    def now(self) -> datetime:
        return self._clock() + timedelta(seconds=self.offset)

    def stamp(self, at: datetime | None = None) -> str:
        return (at or self.now()).astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

    def new_id(self, prefix: str, seed: str = "") -> str:
        """A Render-like id; with a seed always the same one."""
        digest = hashlib.sha256(seed.encode()).hexdigest() if seed else secrets.token_hex(16)
        return f"{prefix}-{digest[:20]}"

    def service(self, service: str) -> Json:
        if service not in self.services:
            raise ApiError(404, f"service {service} not found")
        return self.services[service]

    def deploy(self, service: str, deploy: str) -> Json:
        self.service(service)
        for candidate in self.deploys[service]:
            if candidate["id"] == deploy:
                return candidate
        raise ApiError(404, f"deploy {deploy} not found")

    def live(self, service: str) -> Json | None:
        return next((d for d in reversed(self.deploys.get(service, [])) if d["status"] == "live"), None)

    def touch(self, thing: Json) -> None:
        thing["updatedAt"] = self.stamp()

    def event(self, service: str, kind: str, details: Json, at: datetime | None = None, *, send: bool = True) -> Json:
        entry = {
            "id": self.new_id("evt"),
            "timestamp": self.stamp(at),
            "serviceId": service,
            "type": kind,
            "details": details,
        }
        self.events.setdefault(service, []).append(entry)
        if send:
            self.outbox.append(entry)
        return entry

    def log(
        self, service: str, message: str, kind: str = "app", level: str = "info", at: datetime | None = None
    ) -> None:
        labels = [
            {"name": "resource", "value": service},
            {"name": "type", "value": kind},
            {"name": "level", "value": level},
        ]
        line = {"id": secrets.token_hex(8), "message": message, "timestamp": self.stamp(at), "labels": labels}
        self.logs.append(line)
        del self.logs[:-5000]

    def save(self) -> None:
        """Writes the state beside its file and renames it, so that a kill leaves the old or the new one."""
        if self._state is None:
            return
        draft = self._state.with_suffix(".new")
        draft.write_text(json.dumps({name: getattr(self, name) for name in _KEPT}))
        draft.chmod(0o600)
        draft.replace(self._state)

    def load(self) -> bool:
        """Reads a saved state; False where there is none."""
        if self._state is None or not self._state.exists():
            return False
        for name, value in json.loads(self._state.read_text()).items():
            if name in _KEPT:
                setattr(self, name, value)
        return True


def public(thing: Json) -> Json:
    """The thing as the API shows it."""
    return {key: value for key, value in thing.items() if not key.startswith("_")}
