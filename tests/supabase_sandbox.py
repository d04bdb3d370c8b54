"""The Supabase stand-in without a database server, for what needs none: functions, secrets, faults, advisors' words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import requests

from sandbox.refs import REFS, SUPABASE_TOKEN
from sandbox.supabase import api_database
from sandbox.supabase.server import SupabaseSandbox
from sandbox.supabase.state import World, new_project
from sandbox.web import base_url, serve

REF, STAGING = REFS["production"], REFS["staging"]


class Stand(SupabaseSandbox):
    """Two projects, production and staging; `unprotected` are the tables that the security advisor complains about."""

    def __init__(self, home: Path) -> None:
        self.unprotected = ["leads"]
        nothing = cast(Any, None)
        self.world = World(nothing, home, nothing, SUPABASE_TOKEN)
        for slug in ("production", "staging"):
            self.world.projects[REFS[slug]] = new_project(REFS[slug], slug, slug, "pro", "17.6.1.084")
        self._http = serve(self.answer)
        self.base = self.world.base_url = base_url(self._http)

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def rows(self, world: World, ref: str, text: str) -> list[dict[str, Any]]:
        return [{"name": name} for name in self.unprotected] if "relrowsecurity" in text else []

    def control(self, method: str, path: str, body: object = None) -> None:
        requests.request(method, f"{self.base}/__sandbox__/{path}", json=body, timeout=5).raise_for_status()

    def fault(self, match: str, status: int, **more: Any) -> None:
        self.control("POST", "faults", {"match": match, "status": status, "message": "as asked for"} | more)

    def writes(self) -> list[str]:
        return [call for call in self.world.calls if not call.startswith("GET") and "/__sandbox__/" not in call]


@contextmanager
def running(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    stand = Stand(home)
    monkeypatch.setattr(api_database, "_rows", stand.rows)
    try:
        yield stand
    finally:
        stand.stop()
