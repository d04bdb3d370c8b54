"""Organisations, projects, health, pause and resume, add-ons, the pooler."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg

from sandbox.supabase import dumps
from sandbox.supabase.routing import PROJECT, route
from sandbox.supabase.state import ApiError, Json, World
from sandbox.web import Request

Answer = tuple[int, Any]
SERVICES = ("auth", "db", "db_postgres_user", "pg_bouncer", "pooler", "realtime", "rest", "storage")
PITR_PRICE = {"description": "$100/month", "type": "fixed", "interval": "monthly", "amount": 100}


def shown(project: Json) -> Json:
    return {
        "id": project["ref"],
        "ref": project["ref"],
        "organization_id": project["organization"],
        "organization_slug": project["organization"],
        "name": project["name"],
        "region": "eu-west-3",
        "status": project["status"],
        "created_at": project["created_at"],
        "database": {
            "host": f"db.{project['ref']}.supabase.co",
            "version": project["version"],
            "postgres_engine": project["version"].split(".")[0],
            "release_channel": "ga",
        },
    }


@route("GET", "/v1/organizations")
def organizations(world: World, request: Request) -> Answer:
    slugs = sorted({project["organization"] for project in world.projects.values()})
    return 200, [{"id": slug, "slug": slug, "name": slug.replace("-", " ").title()} for slug in slugs]


@route("GET", "/v1/organizations/{slug}")
def organization(world: World, request: Request, slug: str) -> Answer:
    for project in world.projects.values():
        if project["organization"] == slug:
            name = slug.replace("-", " ").title()
            return 200, {
                "id": slug,
                "name": name,
                "plan": project["plan"],
                "opt_in_tags": [],
                "allowed_release_channels": ["ga"],
            }
    raise ApiError(404, "Organization not found")


@route("GET", "/v1/organizations/{slug}/members")
def members(world: World, request: Request, slug: str) -> Answer:
    organization(world, request, slug)
    who = {"user_id": "1", "user_name": "olga", "email": "olga@sampelit.example", "role_name": "Owner"}
    return 200, [who | {"mfa_enabled": True}]


@route("GET", "/v1/projects")
def projects(world: World, request: Request) -> Answer:
    return 200, [shown(project) for project in world.projects.values()]


@route("GET", PROJECT)
def project(world: World, request: Request, ref: str) -> Answer:
    return 200, shown(world.project(ref))


@route("GET", PROJECT + "/health")
def health(world: World, request: Request, ref: str) -> Answer:
    asked = [name for value in request.query.get("services", []) for name in value.split(",")]
    if not asked or not set(asked) <= set(SERVICES):
        raise ApiError(400, f"services: Invalid option: expected one of {', '.join(SERVICES)}")
    up = world.project(ref)["status"] == "ACTIVE_HEALTHY"
    error = None if up and _answers(world, ref) else "Database unreachable"
    status = "UNHEALTHY" if error else "ACTIVE_HEALTHY"
    entries = [{"name": name, "healthy": not error, "status": status} for name in asked]
    return 200, [entry | ({"error": error} if error else {}) for entry in entries]


@route("POST", PROJECT + "/pause")
def pause(world: World, request: Request, ref: str) -> Answer:
    project = active(world, ref)
    project["status"] = "INACTIVE"
    dumps.close(world.server, project["database"])
    return 200, None


@route("POST", PROJECT + "/restore")
def resume(world: World, request: Request, ref: str) -> Answer:
    project = world.project(ref)
    if project["status"] != "INACTIVE":
        raise ApiError(400, "Project is not paused.")
    dumps.reopen(world.server, project["database"])
    project["status"] = "ACTIVE_HEALTHY"
    return 200, None


@route("GET", PROJECT + "/billing/addons")
def addons(world: World, request: Request, ref: str) -> Answer:
    pitr = {"type": "pitr", "variant": {"id": "pitr_7", "name": "7 days", "price": PITR_PRICE}}
    selected = [pitr] if world.project(ref)["pitr_enabled"] else []
    offered = [] if selected else [{"type": "pitr", "name": "Point in time recovery", "variants": [pitr["variant"]]}]
    return 200, {"selected_addons": selected, "available_addons": offered}


@route("GET", PROJECT + "/config/disk/util")
def disk(world: World, request: Request, ref: str) -> Answer:
    """A small project's disk: what its database takes, and 2 GB that the system keeps."""
    with psycopg.connect(world.server.dsn(world.project(ref)["database"])) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    size, used = 8 * 2**30, 2 * 2**30 + (int(row[0]) if row else 0)
    metrics = {"fs_size_bytes": size, "fs_avail_bytes": max(0, size - used), "fs_used_bytes": used}
    return 200, {"timestamp": datetime.now(UTC).isoformat(), "metrics": metrics}


@route("GET", PROJECT + "/config/database/pooler")
def pooler(world: World, request: Request, ref: str) -> Answer:
    world.project(ref)
    host = "aws-0-eu-west-3.pooler.supabase.com"
    address = f"postgresql://postgres.{ref}:[YOUR-PASSWORD]@{host}:6543/postgres"
    return 200, [
        {
            "identifier": ref,
            "database_type": "PRIMARY",
            "is_using_scram_auth": True,
            "db_user": f"postgres.{ref}",
            "db_host": host,
            "db_port": 6543,
            "db_name": "postgres",
            "connection_string": address,
            "connectionString": address,
            "default_pool_size": None,
            "max_client_conn": None,
            "pool_mode": "transaction",
        }
    ]


def active(world: World, ref: str) -> Json:
    project = world.project(ref)
    if project["status"] != "ACTIVE_HEALTHY":
        raise ApiError(400, f"Project is not active (status {project['status']}).")
    return project


def _answers(world: World, ref: str) -> bool:
    try:
        psycopg.connect(world.server.dsn(world.project(ref)["database"], "sampelit_app"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
