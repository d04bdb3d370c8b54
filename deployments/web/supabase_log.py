"""What a project's database and functions logged around a moment, for the pages where a person looks for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from deployments.web import remote
from operations.models import Environment
from operations.supabase_projects import configured

SOURCES = ("postgres_logs", "function_logs")
LONGEST = timedelta(hours=24)  # Supabase answers no longer time at once


def around(environment: Environment | None, start: datetime, end: datetime, key: str) -> dict[str, Any]:
    """`supabase_log` and why it is missing; nothing where the environment has no project or there is no token."""
    if environment is None or not environment.supabase_ref or not configured():
        return {}
    ref, start = environment.supabase_ref, max(start, end - LONGEST)
    readers = {"log": lambda api: api.logs.tail(ref, SOURCES, start, end)}
    answers, missing = remote.read(f"supabase:{ref}:{key}", readers, source=remote.SUPABASE)
    return {"supabase_log": answers.get("log", []), "supabase_missing": missing, "supabase_asked": True}
