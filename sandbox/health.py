"""Stand-in for the product's `GET /health`. In: a DSN and a switch. Out: the documented body; 200 while degraded.

`POST /__sandbox__/health {"status": "healthy"|"degraded"|"unhealthy"}` forces an answer, "healthy" ends that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from sandbox.web import Request, Response

STATUSES = ("healthy", "degraded", "unhealthy")


@dataclass
class Health:
    dsn: str
    environment: str
    version: str = "1.4.2"
    forced: str = "healthy"
    deployed: Callable[[], tuple[str, str]] | None = None  # what runs now: (state, version)

    def answer(self, request: Request) -> Response:
        if request.path == "/health" and request.method == "GET":
            return self._health()
        if request.path == "/__sandbox__/health" and request.method == "POST":
            return self._switch(request)
        return Response(404, {"detail": "Not Found"})

    def _health(self) -> Response:
        state, version = self.deployed() if self.deployed else ("healthy", self.version)
        if self.forced == "unhealthy" or state == "down":
            return Response(503, {"status": "unhealthy"})
        connected = self.forced == "healthy" and state == "healthy" and self._connected()
        body = {
            "status": "healthy" if connected else "degraded",
            "database": "connected" if connected else "disconnected",
            "version": version,
            "environment": self.environment,
        }
        return Response(200, body)

    def _switch(self, request: Request) -> Response:
        wanted = (request.body or {}).get("status")
        if wanted not in STATUSES:
            return Response(400, {"detail": f"status must be one of {', '.join(STATUSES)}; it is still {self.forced}"})
        self.forced = wanted
        return Response(200, {"status": wanted})

    def _connected(self) -> bool:
        try:
            with psycopg.connect(self.dsn, connect_timeout=2) as connection:
                connection.execute("SELECT FROM experiments LIMIT 1")
        except psycopg.Error:
            return False
        return True
