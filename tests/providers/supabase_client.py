"""A client of Supabase that talks to a canned answer instead of the network."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import requests
from requests.adapters import BaseAdapter

from providers.supabase import Supabase

REF = "abcdefghijklmnopqrst"
AT = datetime(2026, 11, 23, 4, 5, 6, 700_000, tzinfo=UTC)
TOKEN = "sbp_0123456789abcdef"


class Answering(BaseAdapter):
    """Answers every request with one status and body, and keeps the requests."""

    def __init__(self, status: int = 200, body: Any = None, headers: dict[str, str] | None = None) -> None:
        super().__init__()
        self.status, self.headers = status, {"Content-Type": "application/json"} | (headers or {})
        self.content = b"" if body is None else json.dumps(body).encode()
        self.requests: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        self.requests.append(request)
        response = requests.Response()
        response.status_code, response.request, response.url = self.status, request, request.url or ""
        response.headers.update(self.headers)
        response._content = self.content
        response._content_consumed = True
        return response

    def close(self) -> None:
        """Nothing is open."""


def client(adapter: Answering, deadline: float = 0.2) -> Supabase:
    supabase = Supabase(TOKEN, deadline=deadline)
    supabase.http._session.mount("https://", adapter)
    return supabase
