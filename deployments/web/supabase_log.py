"""What a project's database and functions logged around a moment, for the pages where a person looks for it.

A database's log may quote rows, so it is for those who may act on the service; secrets are cut out of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest

from deployments.web import remote
from operations.authority import holds
from operations.models import Environment
from operations.supabase_projects import configured
from providers.redact import redact

Shown = dict[str, Any]
SOURCES = ("postgres_logs", "function_logs")
LONGEST = timedelta(hours=24)  # Supabase answers no longer time at once


def around(request: HttpRequest, environment: Environment | None, start: datetime, end: datetime, key: str) -> Shown:
    """`supabase_log` and why it is missing; nothing where there is no project or no token, or the person may not."""
    if environment is None or not environment.supabase_ref or not configured():
        return {}
    if not holds(request.user, "deployments.maintain", environment):
        return {}
    ref, start = environment.supabase_ref, max(start, end - LONGEST)
    readers = {"log": lambda api: api.logs.tail(ref, SOURCES, start, end)}
    answers, missing = remote.read(f"supabase:{ref}:{key}", readers, source=remote.SUPABASE)
    lines = [replace(line, message=redact(line.message)) for line in answers.get("log", [])]
    return {"supabase_log": lines, "supabase_missing": missing, "supabase_asked": True}
