"""Queries on the real database, the migration history, and the advisors, which look at the real catalogue."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from sandbox.supabase.api_projects import Answer, active
from sandbox.supabase.routing import PROJECT, body_object, route, wanted
from sandbox.supabase.state import ApiError, Json, World
from sandbox.web import Request

HISTORY = "SELECT version, name FROM supabase_migrations.schema_migrations ORDER BY version"
SQL = Path(__file__).parent


@route("POST", PROJECT + "/database/query")
def query(world: World, request: Request, ref: str) -> Answer:
    read_only = bool(body_object(request).get("read_only"))
    return 201, _rows(world, ref, wanted(request, "query", str), request.body.get("parameters"), read_only)


@route("POST", PROJECT + "/database/query/read-only")
def read_only_query(world: World, request: Request, ref: str) -> Answer:
    return 201, _rows(world, ref, wanted(request, "query", str), request.body.get("parameters"), True)


@route("GET", PROJECT + "/database/migrations")
def migrations(world: World, request: Request, ref: str) -> Answer:
    project = active(world, ref)
    if not project["internal_endpoints"]:
        raise ApiError(403, "Only available to selected partner OAuth apps")
    there = _rows(world, ref, "SELECT to_regclass('supabase_migrations.schema_migrations') AS t", None, True)
    return 200, _rows(world, ref, HISTORY, None, True) if there[0]["t"] else []


@route("GET", PROJECT + "/advisors/security")
def security(world: World, request: Request, ref: str) -> Answer:
    project = active(world, ref)
    lints = [
        _lint("rls_disabled_in_public", "ERROR", "SECURITY", f"Table `public.{row['name']}` is public, but RLS is off.")
        for row in _rows(world, ref, (SQL / "rls_disabled.sql").read_text(), None, True)
    ]
    if not project["pitr_enabled"]:
        lints.append(_lint("pitr_not_enabled", "WARN", "SECURITY", "Point in time recovery is not enabled."))
    if not project["ssl"]:
        lints.append(_lint("ssl_not_enforced", "WARN", "SECURITY", "SSL is not enforced on incoming connections."))
    if "0.0.0.0/0" in project["cidrs"]:
        lints.append(_lint("network_restrictions_not_set", "WARN", "SECURITY", "Every address may connect."))
    return 200, {"lints": lints}


@route("GET", PROJECT + "/advisors/performance")
def performance(world: World, request: Request, ref: str) -> Answer:
    active(world, ref)
    rows = _rows(world, ref, (SQL / "unindexed_keys.sql").read_text(), None, True)
    detail = "Table `public.{table}` has a foreign key `{name}` without a covering index."
    return 200, {
        "lints": [_lint("unindexed_foreign_keys", "INFO", "PERFORMANCE", detail.format(**row)) for row in rows]
    }


def _lint(name: str, level: str, category: str, detail: str) -> Json:
    title = name.replace("_", " ").capitalize()
    return {
        "name": name,
        "title": title,
        "level": level,
        "facing": "EXTERNAL",
        "categories": [category],
        "description": title,
        "detail": detail,
        "cache_key": f"{name}_{detail}",
        "remediation": f"https://supabase.com/docs/guides/database/database-linter?lint={name}",
    }


def _rows(world: World, ref: str, text: str, parameters: Any, read_only: bool) -> list[Json]:
    """The last statement's rows. Writes run as the migration role, reads as Supabase's read-only user."""
    dsn = world.server.dsn(active(world, ref)["database"], "sampelit_migration")
    if read_only:
        dsn = world.server.dsn(world.project(ref)["database"])
    try:
        with psycopg.connect(dsn, row_factory=dict_row) as connection:
            if read_only:
                connection.execute("SET TRANSACTION READ ONLY")
                connection.execute("SET LOCAL ROLE supabase_read_only_user")
            with psycopg.RawCursor(connection, row_factory=dict_row) as cursor:
                cursor.execute(text, parameters or None)
                while cursor.nextset():
                    pass
                raw = cursor.fetchall() if cursor.description else []
    except psycopg.Error as error:
        code = f"{error.sqlstate}: " if error.sqlstate else ""
        raise ApiError(400, f"Failed to run sql query: ERROR: {code}{error}") from None
    rows: list[Json] = json.loads(json.dumps(raw, default=str))
    return rows
