"""Checks for doctor: whether Supabase answers about functions, whether they are healthy, open security findings."""

from __future__ import annotations

from collections.abc import Iterator

from deployments.functions.advisors import open_errors
from deployments.functions.client import configured
from deployments.models import EdgeFunction, ProjectSync
from operations.doctor import Check, register
from operations.models import Environment

FIXES = {
    "Unauthorized": "Create a token in Supabase (Account, Access Tokens) and set SUPABASE_ACCESS_TOKEN everywhere.",
    "PlanTooLow": "The organisation's plan does not include it; see Supabase's billing page.",
    "NotFound": "Set the right Supabase ref on the environment's page.",
    "RateLimited": "Nothing: it is asked again when Supabase's window ends.",
    "Unavailable": "Look at status.supabase.com; it is asked again in a few minutes.",
    "Rejected": "Read the message: a paused project answers nothing until it is resumed.",
}


@register
def supabase_functions(environment: Environment | None) -> Iterator[Check]:
    """One line for each environment with a project."""
    places = Environment.objects.exclude(supabase_ref="").select_related("project_sync")
    for place in places.filter(pk=environment.pk) if environment else places:
        yield _answers(place)
        bad = [row.slug for row in EdgeFunction.objects.filter(environment=place, removed_at=None)
               if row.health == "unhealthy"]  # fmt: skip
        if bad:
            yield Check(f"{place.slug} edge functions", "bad", f"not healthy: {', '.join(bad)}",
                        "Visitors get errors from them.", "Request deployments.function_rollback.")  # fmt: skip
        found = open_errors(place)
        if found:
            yield Check(f"{place.slug} security advisor", "warn", f"{found} findings of level ERROR are open",
                        "Supabase calls them holes.", "Fix each, or ignore it with a reason on its page.")  # fmt: skip


def _answers(place: Environment) -> Check:
    name, why = f"{place.slug} functions and advisors", "Without them a broken function or an open hole is not seen."
    state: ProjectSync | None = getattr(place, "project_sync", None)
    if not configured():
        return Check(name, "idle", "SUPABASE_ACCESS_TOKEN is not set", why, FIXES["Unauthorized"])
    if state is None:
        return Check(name, "warn", "never asked", why, "Run manage.py sync_functions.")
    if state.error:
        fix = FIXES.get(state.error_kind, "Read the message, then try again.")
        return Check(name, "bad" if state.error_kind == "Unauthorized" else "warn", state.error, why, fix)
    return Check(name, "ok", "read", why)
