"""Validates recorded exchanges against the providers' OpenAPI files, where `../shared/specs` exists.

Prism 5.14.2 judged 1,229 requests as openapi-core does, right and spoilt ones of every call, but for a body of `null`
that the file lets be absent (2026-11-30): that is refused here. It is not installed: 90 MB, and its newest version
wants a younger Node than Debian's.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from openapi_core import OpenAPI

SPECS = Path(__file__).resolve().parents[2] / "shared" / "specs"
RENDER, RENDER_AS_PUBLISHED = SPECS / "render-openapi.mock.json", SPECS / "render-openapi.json"
SUPABASE_AS_PUBLISHED = SPECS / "supabase-management-openapi.json"


def required(spec: Path) -> OpenAPI:
    """The loaded file; skips the test where it does not exist."""
    if not spec.exists():
        pytest.skip(f"{spec.name} is not here")
    return _load(spec)


@functools.cache
def _load(spec: Path) -> OpenAPI:
    from openapi_core import Config, OpenAPI  # a second, which a process without such a test need not spend

    return OpenAPI.from_file_path(str(spec), config=Config(spec_validator_cls=None))  # type: ignore[arg-type]


def unknown() -> type[Exception]:
    """What `check` raises for a path or method that the file does not have."""
    from openapi_core.templating.paths.exceptions import PathError

    return PathError


def moved(request: requests.PreparedRequest, base: str, server: str) -> requests.PreparedRequest:
    """The same request as if it had gone to the provider's own address."""
    copy = request.copy()
    copy.url = (request.url or "").replace(base, server, 1)
    return copy


def check(spec: OpenAPI, request: requests.PreparedRequest, response: requests.Response | None = None) -> Any:
    """Raises openapi-core's error where the request, or the answer, is not what the file says."""
    from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
    from openapi_core.exceptions import OpenAPIError

    asked = RequestsOpenAPIRequest(request)
    if request.body in (b"null", "null"):
        raise OpenAPIError("a body of null, which no operation of either file takes")
    if response is None:
        return spec.validate_request(asked)
    return spec.validate_response(asked, RequestsOpenAPIResponse(response))
