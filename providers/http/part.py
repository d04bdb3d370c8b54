"""One noun of an API: `Services`, `Deploys`. In: the shared client. Out: its calls."""

from __future__ import annotations

from providers.http.api_client import JsonClient


class Part:
    def __init__(self, http: JsonClient) -> None:
        self._http = http
