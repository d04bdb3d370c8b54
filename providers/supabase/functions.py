"""Edge functions and their secrets. A deploy sends the source files; Supabase keeps no older version to return to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from providers.errors import Refused
from providers.http.api_client import Params
from providers.http.part import Part
from providers.http.shapes import part, rows, thing, whole
from providers.supabase.records import Calls, Function, Secret

RESERVED = "SUPABASE_"
COUNTS = ("requests_count", "request_count")  # both are seen in the wild
BUNDLE = "application/vnd.denoland.eszip"


class BundleClient(Protocol):
    """What the functions need of `client.Http`."""

    def get(self, path: str, params: Params | None = None) -> Any: ...
    def send(
        self, method: str, path: str, *, params: Params | None = None, body: Any = None, files: Any = None
    ) -> Any: ...
    def send_bytes(self, method: str, path: str, content: bytes, kind: str, params: Params) -> Any: ...


class Functions:
    def __init__(self, http: BundleClient) -> None:
        self._http = http

    def list(self, ref: str) -> list[Function]:
        return [Function.parse(item) for item in rows(self._http.get(f"/v1/projects/{ref}/functions"))]

    def get(self, ref: str, slug: str) -> Function:
        return Function.parse({"slug": slug} | dict(thing(self._http.get(f"/v1/projects/{ref}/functions/{slug}"))))

    def deploy(
        self,
        ref: str,
        slug: str,
        files: Mapping[str, bytes],
        *,
        entrypoint: str,
        name: str = "",
        verify_jwt: bool = True,
    ) -> Function:
        """Replace what is live by `files` (path → bytes). Keep them: there is no rollback in the API."""
        if entrypoint not in files:
            raise Refused(f"{slug} has no file {entrypoint}; nothing was deployed. Name the folder's entry point.")
        metadata = {"entrypoint_path": entrypoint, "name": name or slug, "verify_jwt": verify_jwt}
        parts: list[tuple[str, tuple[str | None, str | bytes, str]]] = [
            ("metadata", (None, json.dumps(metadata), "application/json"))
        ]
        parts += [("file", (path, content, "application/octet-stream")) for path, content in sorted(files.items())]
        answer = self._http.send("POST", f"/v1/projects/{ref}/functions/deploy", params={"slug": slug}, files=parts)
        return Function.parse({"slug": slug} | dict(part(answer)))

    def bundle(self, ref: str, slug: str) -> bytes:
        """What runs now, in Supabase's own bundle format: keep it before a deploy, `put_bundle` brings it back."""
        return bytes(self._http.get(f"/v1/projects/{ref}/functions/{slug}/body"))

    def put_bundle(self, ref: str, slug: str, bundle: bytes, *, entrypoint: str, verify_jwt: bool = True) -> Function:
        """Replace what is live by a kept bundle; the version still goes up by one."""
        params: Params = {"verify_jwt": "true" if verify_jwt else "false", "entrypoint_path": entrypoint or None}
        path = f"/v1/projects/{ref}/functions/{slug}"
        answer = self._http.send_bytes("PATCH", path, bundle, BUNDLE, params)
        return Function.parse({"slug": slug} | dict(part(answer)))

    def create_from_bundle(
        self, ref: str, slug: str, bundle: bytes, *, entrypoint: str, verify_jwt: bool = True
    ) -> Function:
        """A deleted function from its kept bundle (deprecated by the API's own words, and the only way)."""
        params: Params = {
            "slug": slug,
            "name": slug,
            "verify_jwt": "true" if verify_jwt else "false",
            "entrypoint_path": entrypoint or None,
        }
        answer = self._http.send_bytes("POST", f"/v1/projects/{ref}/functions", bundle, BUNDLE, params)
        return Function.parse({"slug": slug} | dict(part(answer)))

    def delete(self, ref: str, slug: str) -> None:
        self._http.send("DELETE", f"/v1/projects/{ref}/functions/{slug}")

    def calls(self, ref: str, function_id: str) -> Calls | None:
        """What visitors got in the last hour; None where the answer does not tell (its rows have no fixed form)."""
        params: Params = {"interval": "1hr", "function_id": function_id}
        answer = thing(self._http.get(f"/v1/projects/{ref}/analytics/endpoints/functions.combined-stats", params))
        told = rows(answer.get("result") or [])
        name = next((key for key in COUNTS if told and all(key in row for row in told)), "")
        if not name:
            return None
        return Calls(*(sum(whole(row.get(key)) or 0 for row in told) for key in (name, "server_err_count")))


class Secrets(Part):
    def list(self, ref: str) -> list[Secret]:
        """Names and times only."""
        return [Secret.parse(item) for item in rows(self._http.get(f"/v1/projects/{ref}/secrets"))]

    def set(self, ref: str, values: Mapping[str, str]) -> None:
        """Create or replace by name; the others stay."""
        if reserved := [name for name in values if name.startswith(RESERVED)]:
            raise Refused(f"Names beginning with {RESERVED} are the platform's; nothing was set: {', '.join(reserved)}")
        body = [{"name": name, "value": value} for name, value in values.items()]
        self._http.send("POST", f"/v1/projects/{ref}/secrets", body=body)

    def delete(self, ref: str, names: Sequence[str]) -> None:
        self._http.send("DELETE", f"/v1/projects/{ref}/secrets", body=list(names))
