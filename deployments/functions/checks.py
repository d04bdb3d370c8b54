"""Doctor's lines about each project's edge functions and advisors. Reads only what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from deployments.functions.advisors import open_errors
from deployments.models import EdgeFunction, ProjectSync
from operations import supabase_projects
from operations.doctor import Check
from operations.models import Environment
from operations.periodic.clock import database_time

LATELY = timedelta(hours=1)
SUPABASE_FIXES = {
    "Unauthorized": "Create a token in Supabase (Account, Access Tokens) and set SUPABASE_ACCESS_TOKEN everywhere.",
    "PlanTooLow": "The organisation's plan does not include it; see Supabase's billing page.",
    "NotFound": "Set the right Supabase ref on the environment's page.",
    "RateLimited": "Nothing: it is asked again when Supabase's window ends.",
    "Unavailable": "Look at status.supabase.com; it is asked again in a few minutes.",
    "Rejected": "Read the message: a paused project answers nothing until it is resumed.",
}


def supabase_functions(environment: Environment | None) -> Iterator[Check]:
    """One line for each environment with a project."""
    places = Environment.objects.exclude(supabase_ref="").select_related("project_sync")
    for linked in places.filter(pk=environment.pk) if environment else places:
        yield _answers(linked)
        bad = [
            row.slug
            for row in EdgeFunction.objects.filter(environment=linked, removed_at=None)
            if row.health == "unhealthy"
        ]
        if bad:
            yield Check(
                f"{linked.slug} edge functions",
                "bad",
                f"not healthy: {', '.join(bad)}",
                "Visitors get errors from them.",
                "Request deployments.function_rollback.",
            )
        open_count = open_errors(linked)
        if open_count:
            yield Check(
                f"{linked.slug} security advisor",
                "warn",
                f"{open_count} findings of level ERROR are open",
                "Supabase calls them holes.",
                "Fix each, or ignore it with a reason on its page.",
            )


def _answers(environment: Environment) -> Check:
    name, why = (
        f"{environment.slug} functions and advisors",
        "Without them a broken function or an open hole is not seen.",
    )
    state: ProjectSync | None = getattr(environment, "project_sync", None)
    if not supabase_projects.configured():
        return Check(name, "idle", "SUPABASE_ACCESS_TOKEN is not set", why, SUPABASE_FIXES["Unauthorized"])
    if state is None:
        return Check(name, "warn", "never asked", why, "Run sampelit-ops sync_functions.")
    if state.error:
        fix = SUPABASE_FIXES.get(state.error_kind, "Read the message, then try again.")
        return Check(name, "bad" if state.error_kind == "Unauthorized" else "warn", state.error, why, fix)
    if state.ok_at is None or database_time() - state.ok_at > LATELY:
        found = f"last read at {state.ok_at:%Y-%m-%d %H:%M} UTC" if state.ok_at else "never read"
        return Check(name, "warn", found, why, "Run sampelit-ops sync_functions; it says why Supabase is not asked.")
    return Check(name, "ok", "read", why)
