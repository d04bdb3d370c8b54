"""The advisors, which look at the real catalogue."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from sandbox.supabase.api_projects import Answer, active
from sandbox.supabase.routing import PROJECT, route
from sandbox.supabase.state import Json, World
from sandbox.web import Request

SQL = Path(__file__).parent


@route("GET", PROJECT + "/advisors/security")
def security(world: World, request: Request, ref: str) -> Answer:
    project = active(world, ref)
    lints = [
        _lint("rls_disabled_in_public", "ERROR", "SECURITY", f"Table `public.{row['name']}` is public, but RLS is off.")
        for row in _rows(world, ref, (SQL / "rls_disabled.sql").read_text())
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
    rows = _rows(world, ref, (SQL / "unindexed_keys.sql").read_text())
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


def _rows(world: World, ref: str, text: str) -> list[Json]:
    """What Supabase's read-only user sees."""
    dsn = world.server.dsn(active(world, ref)["database"])
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        connection.execute("SET TRANSACTION READ ONLY")
        connection.execute("SET LOCAL ROLE supabase_read_only_user")
        return connection.execute(text).fetchall()
