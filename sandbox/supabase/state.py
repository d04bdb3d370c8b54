"""The stand-in's state: one JSON file of projects, so that a restart of the sandbox continues where it was."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from providers.embedded_postgres.server import EmbeddedPostgres
from sandbox.supabase import dumps
from sandbox.supabase.recovery import Recovery

Json = dict[str, Any]


class ApiError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass
class World:
    """`projects` is what is kept; a project's keys are those of `new_project`."""

    server: EmbeddedPostgres
    home: Path
    recovery: Recovery
    token: str
    base_url: str = ""
    token_valid: bool = True
    projects: dict[str, Json] = field(default_factory=dict)
    faults: list[Json] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def file(self) -> Path:
        return self.home / "state.json"

    def load(self) -> bool:
        if not self.file.exists():
            return False
        self.projects = json.loads(self.file.read_text())
        for project in self.projects.values():
            if project["status"] != "INACTIVE":  # the last process may have been killed in the middle of a restore
                dumps.reopen(self.server, project["database"])
                project["status"] = "ACTIVE_HEALTHY"
        return True

    def save(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        partial = self.file.with_suffix(".partial")
        partial.write_text(json.dumps(self.projects, indent=1))
        partial.replace(self.file)

    def project(self, ref: str) -> Json:
        if ref not in self.projects:
            raise ApiError(404, "Project not found")
        return self.projects[ref]


def new_project(ref: str, environment: str, database: str, plan: str, version: str) -> Json:
    return {
        "ref": ref,
        "name": f"sampelit-{environment}",
        "environment": environment,
        "database": database,
        "organization": "sampelit" if plan != "free" else "sampelit-free",
        "plan": plan,
        "status": "ACTIVE_HEALTHY",
        "version": version,
        "created_at": "2026-01-12T09:00:00Z",
        "pitr_enabled": plan != "free",
        "internal_endpoints": True,
        "ssl": False,
        "cidrs": ["0.0.0.0/0"],
        "cidrs_v6": ["::/0"],
        "network_status": "applied",
        "backups": [],
        "points": {},
        "functions": {},
        "secrets": {},
    }


def now() -> datetime:
    return datetime.now(UTC)


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
