"""Looking at a project while it is restored: its status at Supabase and the database's own mark. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from operations.dsns import known_dsn
from operations.models import Environment
from providers import postgres
from providers.errors import ProviderError
from providers.postgres import database_mark
from providers.supabase import Supabase

MOVING = {"RESTORING", "COMING_UP", "RESTARTING", "GOING_DOWN", "PAUSING", "UNKNOWN", "RESIZING", "UPGRADING"}
BROKEN = {"RESTORE_FAILED", "INIT_FAILED", "REMOVED", "PAUSE_FAILED", "INACTIVE"}


@dataclass(frozen=True)
class Sight:
    """`status` and `mark` are empty where they could not be read just now."""

    status: str
    mark: str

    def moved_from(self, mark: str) -> bool:
        """Whether this shows that a restore began: the project moves, or another database answers."""
        return self.status in MOVING | BROKEN or bool(mark and self.mark and self.mark != mark)


def look(api: Supabase, ref: str, environment: Environment) -> Sight:
    return Sight(_status(api, ref), mark_of(environment))


def _status(api: Supabase, ref: str) -> str:
    try:
        return api.projects.get(ref).status
    except ProviderError:
        return ""


def mark_of(environment: Environment) -> str:
    """The database's mark through the read-only role; empty while it does not answer."""
    dsn = known_dsn(environment, "export")
    if not dsn:
        return ""
    try:
        with postgres.connect(dsn, timeout=3) as connection:
            return database_mark.mark(connection)
    except (ProviderError, psycopg.Error):
        return ""
