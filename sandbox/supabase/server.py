"""The Management API on loopback. In: a server, its recovery, databases by environment. Out: an address and a token."""

from __future__ import annotations

import sys
import threading
from datetime import datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg

from providers.embedded_postgres.server import EmbeddedPostgres
from sandbox.refs import REFS, SUPABASE_TOKEN
from sandbox.supabase import api_backups, api_database, api_functions, api_network, api_projects, api_state, control
from sandbox.supabase.recovery import Recovery
from sandbox.supabase.routing import dispatch
from sandbox.supabase.state import ApiError, World, new_project
from sandbox.web import Request, Response, base_url, serve

API_MODULES = (api_backups, api_database, api_functions, api_network, api_projects, api_state)
# As recorded; the sandbox never runs out by itself, a fault of 429 does that.
LIMITS = {"X-RateLimit-Limit": "120", "X-RateLimit-Remaining": "119", "X-RateLimit-Reset": "60"}
PLANS = {"production": "pro", "staging": "free"}


class SupabaseSandbox:
    """Running from construction until `stop()`. `databases` maps an environment to its database's name."""

    def __init__(
        self,
        server: EmbeddedPostgres,
        home: Path,
        recovery: Recovery,
        databases: dict[str, str],
        until: datetime,
        port: int = 0,
    ) -> None:
        self.world = World(server, home, recovery, SUPABASE_TOKEN)
        known = self.world.load()
        for environment, name in databases.items():
            if not known or self.world.projects.get(REFS[environment], {}).get("database") != name:
                self._add(environment, name, until)
        self.world.save()
        # The window for point-in-time recovery opens when the base backup is done; nobody waits for it.
        self._base = threading.Thread(target=self._take_base, name="base-backup", daemon=True)
        self._base.start()
        self._http: ThreadingHTTPServer = serve(self.answer, port)
        self.base = self.world.base_url = base_url(self._http)

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._base.join()

    def _take_base(self) -> None:
        try:
            self.world.recovery.ensure_base(self.world.server)
        except (RuntimeError, OSError, psycopg.Error) as error:
            print(f"sandbox: no base backup, so no point-in-time recovery: {error}", file=sys.stderr, flush=True)

    def _add(self, environment: str, name: str, until: datetime) -> None:
        with psycopg.connect(self.world.server.dsn()) as connection:
            version = f"{connection.info.server_version // 10000}.{connection.info.server_version % 10000}.1.084"
        project = new_project(REFS[environment], environment, name, PLANS[environment], version)
        self.world.projects[project["ref"]] = project
        api_functions.first_functions(project)
        api_backups.first_backups(self.world, project, until)

    def answer(self, request: Request) -> Response:
        self.world.calls.append(f"{request.method} {request.path}")
        fault = control.due_fault(self.world, request) if request.path.startswith("/v1/") else None
        if fault and not fault.get("after"):
            return self._failed(fault["status"], fault["message"], bool(fault.get("empty")))
        try:
            self._authorize(request)
            with self.world.lock:
                status, body = dispatch(self.world, request)
                if request.method != "GET":
                    self.world.save()
        except ApiError as error:
            return self._failed(error.status, error.message)
        if fault:
            return self._failed(fault["status"], fault["message"], bool(fault.get("empty")))
        return Response(status, body, LIMITS)

    def _authorize(self, request: Request) -> None:
        open_to_all = request.path.startswith(("/__sandbox__/", "/functions/"))
        right = request.headers.get("Authorization") == f"Bearer {self.world.token}" and self.world.token_valid
        if not open_to_all and not right:
            raise ApiError(401, "Unauthorized")

    def _failed(self, status: int, message: str, empty: bool = False) -> Response:
        headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"} if status == 429 else {}
        body: Any = None if empty else {"message": message}
        return Response(status, body, headers)
