"""A running Render sandbox for tests: quick phases, control verbs as a function, and every deploy settled on demand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from providers.render import Render
from sandbox.render import RenderSandbox

API = "sampelit-api"
STAGING = "sampelit-api-staging"


class Harness:
    """The sandbox, a client for it, and shortcuts. Time moves only when `advance` is called."""

    def __init__(self, sandbox: RenderSandbox) -> None:
        self.sandbox = sandbox
        self.render = Render(sandbox.api_key, sandbox.base, timeout=(1.0, 2.0), deadline=5.0)

    def control(self, verb: str, **body: Any) -> dict[str, Any]:
        answer = requests.post(f"{self.sandbox.address}/__sandbox__/{verb}", json=body, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def advance(self, seconds: float = 60) -> None:
        self.control("advance", seconds=seconds)

    def service(self, name: str = API) -> str:
        return next(key for key, service in self.sandbox.world.services.items() if service["name"] == name)

    def deploys(self, name: str = API) -> list[dict[str, Any]]:
        return self.sandbox.world.deploys[self.service(name)]

    def writes(self) -> list[str]:
        return [call for call in self.sandbox.calls if not call.startswith("GET")]


@contextmanager
def running(**options: Any) -> Iterator[Harness]:
    with RenderSandbox(tick_seconds=3600, **options) as sandbox:
        yield Harness(sandbox)
