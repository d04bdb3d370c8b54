"""Supabase's own backups and restores. Restores are in place, with downtime, and answer an empty body."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from providers.errors import Refused
from providers.http.api_client import JsonClient
from providers.http.errors import Unavailable, UnknownOutcome
from providers.http.part import Part
from providers.http.shapes import part, thing
from providers.supabase.models import Backups, RestorePoint

POINT_NAME_LENGTH = 20


class DatabaseBackups(Part):
    def list(self, ref: str) -> Backups:
        """Daily backups and the PITR window; an empty list is an answer, not an error, and means no backups."""
        return Backups.parse(thing(self._http.get(f"/v1/projects/{ref}/database/backups")))

    def restore(self, ref: str, backup_id: int) -> None:
        """Put a daily backup back, in place. An internal endpoint: it may refuse (Unauthorized, NotFound, Rejected)."""
        self._http.send("POST", f"/v1/projects/{ref}/database/backups/restore", body={"id": backup_id})

    def restore_to(self, ref: str, at: datetime) -> None:
        """Point-in-time recovery, in place, to the second of `at`; Rejected where PITR is not enabled."""
        if at.tzinfo is None:
            raise Refused("A recovery time needs its time zone; nothing was restored. Give it with an offset.")
        body = {"recovery_time_target_unix": int(at.timestamp())}
        self._http.send("POST", f"/v1/projects/{ref}/database/backups/restore-pitr", body=body)

    def create_point(self, ref: str, name: str) -> RestorePoint:
        """Mark now. An internal endpoint: never the only safety net, fall back to our own export."""
        body = {"name": _point_name(name)}
        path = f"/v1/projects/{ref}/database/backups/restore-point"
        return RestorePoint.parse(body | dict(part(self._http.send("POST", path, body=body))))

    def point(self, ref: str, name: str) -> RestorePoint:
        path = f"/v1/projects/{ref}/database/backups/restore-point"
        return RestorePoint.parse({"name": name} | dict(thing(self._http.get(path, {"name": name}))))

    def undo(self, ref: str, name: str) -> None:
        """Go back to a restore point, in place."""
        body = {"name": _point_name(name)}
        self._http.send("POST", f"/v1/projects/{ref}/database/backups/undo", body=body)


def read_by_post(http: JsonClient, path: str, body: Any = None) -> Any:
    """What Supabase takes as POST though it only reads, so that a lost answer changed nothing."""
    try:
        return http.send("POST", path, body=body)
    except UnknownOutcome as error:
        what = error.message.split(". It may")[0]
        raise Unavailable(f"{what}. Nothing was changed: the query only reads.") from None


def _point_name(name: str) -> str:
    if not 0 < len(name) <= POINT_NAME_LENGTH:
        raise Refused(f"A restore point's name has 1 to {POINT_NAME_LENGTH} characters; nothing was marked: {name!r}")
    return name
