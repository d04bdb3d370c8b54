"""Structured logs: one JSON object a line, with the request's and the operation's id, secrets redacted.

In: log records; the ids come from two context variables. Out: lines on stderr. The middleware sets the request's.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

from operations.log_context import operation_id

request_id: ContextVar[str] = ContextVar("request_id", default="")
_GIVEN = re.compile(r"[A-Za-z0-9._\-]{8,64}")


class JsonFormatter(logging.Formatter):
    """One object a line: time, level, logger, message, and what is known of request, operation and exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON; newlines stay escaped, so nobody can forge a line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id.get(),
            "operation_id": getattr(record, "operation_id", "") or operation_id.get(),
            "error": record.exc_text or (self.formatException(record.exc_info) if record.exc_info else ""),
        }
        return json.dumps({key: value for key, value in line.items() if value}, ensure_ascii=False)


class RequestIdMiddleware:
    """Takes the proxy's X-Request-ID (or makes one), keeps it for the log, returns it to the caller."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request under its id."""
        given = request.headers.get("X-Request-ID", "")
        token = request_id.set(given if _GIVEN.fullmatch(given) else uuid4().hex)
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id.get()
            return response
        finally:
            request_id.reset(token)
