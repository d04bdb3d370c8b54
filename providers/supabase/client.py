"""The door to Supabase's Management API: one token in, typed answers out.

`Supabase(token, base)` holds the shared HTTP client; its parts group the calls by noun. Reads are retried, writes are
sent once; many writes answer an empty body, so their effect is looked up on the project.
Paths and scopes: supabase.com/docs/reference/api.
"""

from __future__ import annotations

import re
from typing import Any

from requests import Response

from providers.http.api_client import JsonClient, Params
from providers.supabase.database import DatabaseBackups
from providers.supabase.functions import Functions, Secrets
from providers.supabase.logs import Logs
from providers.supabase.projects import Organizations, Projects
from providers.supabase.security import Advisors, Network

SCOPES = (
    "analytics:read, organizations:read, projects:read, projects:write, database:read, database:write, "
    "edge_functions:read, edge_functions:write, secrets:read, secrets:write"
)  # of a scoped token; a personal one may do more

BASE = "https://api.supabase.com"
_SCOPE = re.compile(r"^/v1/(?:projects|organizations)/([^/]+)")


def bucket(method: str, path: str) -> str:
    """120 requests a minute for each user and project or organisation (docs: Management API, rate limits)."""
    match = _SCOPE.match(path)
    return match[1] if match else "account"


class Http(JsonClient):
    """The shared client plus what is not JSON: the bundles of edge functions."""

    def send_bytes(self, method: str, path: str, content: bytes, kind: str, params: Params) -> Any:
        """One write whose body is `content`; raises what `send` raises."""
        return self._once(method, path, params=params, data=content, headers={"Content-Type": kind})

    def _answer(self, method: str, path: str, bucket: str, response: Response, content: bytes) -> Any:
        if path.endswith("/body") and response.status_code == 200:
            return content
        return super()._answer(method, path, bucket, response, content)


class Supabase:
    """The Management API for one token. Raises the errors of `providers.http`."""

    def __init__(
        self, token: str, base: str = BASE, *, timeout: tuple[float, float] = (5.0, 30.0), deadline: float = 45.0
    ) -> None:
        self.http = Http("Supabase", base, token, bucket=bucket, timeout=timeout, deadline=deadline)
        self.organizations = Organizations(self.http)
        self.projects = Projects(self.http)
        self.backups = DatabaseBackups(self.http)
        self.functions = Functions(self.http)
        self.secrets = Secrets(self.http)
        self.advisors = Advisors(self.http)
        self.network = Network(self.http)
        self.logs = Logs(self.http)
