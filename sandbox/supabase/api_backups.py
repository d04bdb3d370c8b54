"""Daily backups, point-in-time recovery and restore points; each really changes the database, in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from sandbox.supabase.api_projects import Answer, active
from sandbox.supabase.dumps import dump, put_back
from sandbox.supabase.routing import PROJECT, route, wanted
from sandbox.supabase.state import ApiError, Json, World, now, stamp
from sandbox.web import Request

PATH = PROJECT + "/database/backups"
DAYS = 7
TRIM = (Path(__file__).parent / "trim.sql").read_text()


def first_backups(world: World, project: Json, until: datetime) -> None:
    """A week of daily backups: one real dump of the seeded rows; the older days leave out what came after them."""
    if project["plan"] == "free":
        return
    seeded = world.home / project["ref"] / "seed.dump"
    if not seeded.exists():
        dump(world.server, project["database"], seeded)
    for days in range(DAYS):
        at = until - timedelta(days=days)
        project["backups"].append(_entry(1000 - days, at, "seed.dump", stamp(at) if days else ""))


def daily_backup(world: World, project: Json) -> None:
    """Take today's backup and forget the eighth."""
    number = max((entry["id"] for entry in project["backups"]), default=1000) + 1
    dump(world.server, project["database"], world.home / project["ref"] / f"{number}.dump")
    project["backups"] = [_entry(number, now(), f"{number}.dump", ""), *project["backups"]][:DAYS]


def _entry(number: int, at: datetime, file: str, cut: str) -> Json:
    return {"id": number, "inserted_at": stamp(at), "status": "COMPLETED", "file": file, "cut": cut}


@route("GET", PATH)
def backups(world: World, request: Request, ref: str) -> Answer:
    project = world.project(ref)
    earliest, window = world.recovery.earliest, {}
    if project["pitr_enabled"] and earliest:
        window = {
            "earliest_physical_backup_date_unix": (first := int(earliest.timestamp()) + 1),
            "latest_physical_backup_date_unix": max(first, int(now().timestamp())),
        }
    entries = [
        {"id": e["id"], "is_physical_backup": True, "status": e["status"], "inserted_at": e["inserted_at"]}
        for e in project["backups"]
    ]
    return 200, {
        "region": "eu-west-3",
        "walg_enabled": True,
        "pitr_enabled": project["pitr_enabled"],
        "backups": entries,
        "physical_backup_data": window,
    }


@route("POST", PATH + "/restore")
def restore(world: World, request: Request, ref: str) -> Answer:
    number = wanted(request, "id", int)
    project = _internal(world, ref)
    chosen = [entry for entry in project["backups"] if entry["id"] == number]
    if not chosen:
        raise ApiError(404, "Backup not found")
    file, cut = world.home / ref / chosen[0]["file"], chosen[0]["cut"]
    _in_background(world, project, partial(put_back, world.server, project["database"], file, _trim(cut)))
    return 201, None


@route("POST", PATH + "/restore-pitr")
def restore_pitr(world: World, request: Request, ref: str) -> Answer:
    target = datetime.fromtimestamp(wanted(request, "recovery_time_target_unix", int), UTC)
    project = active(world, ref)
    if not project["pitr_enabled"]:
        raise ApiError(400, "PITR is not enabled for this project.")
    earliest = world.recovery.earliest
    if earliest is None or not earliest < target <= now():
        raise ApiError(400, "The recovery time target is outside the window of available backups.")
    _in_background(world, project, partial(_recover, world, project, target))
    return 201, None


@route("POST", PATH + "/restore-point")
def create_point(world: World, request: Request, ref: str) -> Answer:
    name = wanted(request, "name", str)
    project = _internal(world, ref)
    if not 0 < len(name) <= 20 or name in project["points"]:
        raise ApiError(400, "name: must have 1 to 20 characters and be new")
    with psycopg.connect(world.server.dsn(), autocommit=True) as connection:
        connection.execute("SELECT pg_create_restore_point(%s)", [f"{ref}:{name}"])
    project["points"][name] = {"name": name, "status": "AVAILABLE", "completed_on": stamp(now())}
    return 201, project["points"][name]


@route("GET", PATH + "/restore-point")
def point(world: World, request: Request, ref: str) -> Answer:
    points = _internal(world, ref)["points"]
    name = (request.query.get("name") or [next(reversed(points), "")])[-1]
    if name not in points:
        raise ApiError(404, "Restore point not found")
    return 200, points[name]


@route("POST", PATH + "/undo")
def undo(world: World, request: Request, ref: str) -> Answer:
    name = wanted(request, "name", str)
    project = _internal(world, ref)
    if name not in project["points"]:
        raise ApiError(404, "Restore point not found")
    _in_background(world, project, partial(_recover, world, project, f"{ref}:{name}"))
    return 201, None


def _internal(world: World, ref: str) -> Json:
    """Endpoints marked x-internal may refuse a personal token at any time."""
    project = active(world, ref)
    if not project["internal_endpoints"]:
        raise ApiError(403, "This endpoint is not available for your account.")
    return project


def _recover(world: World, project: Json, target: datetime | str) -> None:
    file = world.home / project["ref"] / "recovered.dump"
    world.recovery.dump_as_of(world.server, project["database"], target, file)
    put_back(world.server, project["database"], file)
    file.unlink()


def _in_background(world: World, project: Json, work: Callable[[], Any]) -> None:
    project["status"] = "RESTORING"

    def run() -> None:
        try:
            work()
            status = "ACTIVE_HEALTHY"
        except Exception as error:
            project["last_error"], status = str(error), "RESTORE_FAILED"
        with world.lock:
            project["status"] = status
            world.save()

    threading.Thread(target=run, name=f"restore-{project['ref']}", daemon=True).start()


def _trim(cut: str) -> Callable[[psycopg.Connection], None] | None:
    if not cut:
        return None

    def trim(connection: psycopg.Connection) -> None:
        for statement in TRIM.split(";\n"):
            connection.execute(statement, {"cut": cut} if "%(cut)s" in statement else None)

    return trim
