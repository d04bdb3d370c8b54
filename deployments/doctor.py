"""This app's checks for doctor: key, polling, webhook, health paths, parity, previews. Reads only what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings

from deployments import network, workspace
from deployments.functions.advisors import open_errors
from deployments.health.trouble import troubles, unknown_words
from deployments.models import BlueprintFile, EdgeFunction, ProjectSync, Service, SyncState, WebhookDelivery
from deployments.render.client import configured
from deployments.variables import parity
from ledger.models import Entry
from operations import doctor, supabase_projects
from operations.doctor import Check
from operations.models import Environment
from operations.periodic.clock import database_time

FIXES = {
    "Unauthorized": "Create a new key in Render (Account settings, API keys) and set RENDER_API_KEY everywhere.",
    "Unavailable": "Look at status.render.com. Records and rollback buttons go on working when it answers again.",
    "RateLimited": "Wait a minute; raise RENDER_POLL_SECONDS if it stays so.",
    "PlanTooLow": "The workspace's plan is too low or unpaid; see Render's billing page.",
}


def render(environment: Environment | None) -> Iterator[Check]:
    """Whether Render answers, and whether its webhooks arrive."""
    why = "Without Render's answers the portal shows an old picture and cannot deploy or roll back."
    if not configured():
        yield Check("Render key", "bad", "RENDER_API_KEY is not set", why, FIXES["Unauthorized"])
        return
    state = SyncState.objects.filter(pk=1).first()
    if state is None:
        yield Check("Render", "warn", "never asked", why, "Run sampelit-ops sync_deployments.")
    elif state.error:
        yield Check("Render", "bad", state.error, why, FIXES.get(state.error_kind, "Read the message, then try again."))
    else:
        yield Check("Render", "ok", "answers", why)
    if state is not None and state.unread:
        found = f"{len(state.unread)} could not be recorded in the last pass: {state.unread[0]}"
        yield Check("Render's answers", "warn", found, "What is not recorded is not seen.", "See the worker's log.")
    yield _webhooks()


def _webhooks() -> Check:
    why = "Webhooks make changes visible at once; polling sees them within a minute anyway."
    if not settings.RENDER_WEBHOOK_SECRET:
        return Check("Render webhooks", "idle", "not set up; polling is the base", why, "Needs a paid workspace.")
    day_ago = database_time() - timedelta(days=1)
    stuck = WebhookDelivery.objects.filter(status=WebhookDelivery.Status.FAILED, received_at__gt=day_ago).count()
    if stuck:
        return Check("Render webhooks", "warn", f"{stuck} deliveries could not be worked off", why, "See their errors.")
    week_ago = day_ago - timedelta(days=6)
    if not WebhookDelivery.objects.filter(received_at__gt=week_ago).exists():
        if not Entry.objects.filter(at__lte=week_ago, seeded=False).exists():  # the portal is younger
            return Check("Render webhooks", "idle", "none arrived yet", why, "Is it enabled at Render?")
        return Check("Render webhooks", "warn", "none arrived in a week", why, "Is it enabled at Render?")
    return Check("Render webhooks", "ok", "arrive and are worked off", why)


def services(environment: Environment | None) -> Iterator[Check]:
    """Health paths, maintenance without an end, old previews."""
    rows = Service.objects.filter(removed_at=None).select_related("environment")
    for service in rows.filter(environment=environment) if environment else rows:
        yield from _outages(service)
        if service.is_web and not service.health_check_path:
            yield Check(
                f"{service.name} health path",
                "warn",
                "none",
                "Render switches to a broken build.",
                "Request deployments.health_path with /health.",
            )
        if service.maintenance and service.maintenance_until is None:
            yield Check(
                f"{service.name} maintenance",
                "warn",
                "on, not by this portal",
                "Visitors see a closed door.",
                "Request deployments.maintenance with state=off.",
            )
        if service.is_preview and (ends := service.preview_ends) and ends < database_time():
            yield Check(
                f"{service.name} preview",
                "warn",
                f"its time ended on {ends:%Y-%m-%d}",
                "It costs money.",
                "Request deployments.delete_preview, or keep_preview with another day.",
            )


def _outages(service: Service) -> Iterator[Check]:
    """Suspended, or in doubt."""
    if service.suspended and not service.is_preview:
        tone = "bad" if service.environment and service.environment.kind == "production" else "warn"
        found = f"suspended by {service.suspenders.replace('_', ' ') or 'somebody'}"
        fix = "Request deployments.resume, or pay Render's bill."
        yield Check(f"{service.name} runs", tone, found, "It serves nobody.", fix)
    if service.doubt:
        fix = "Look at the address from elsewhere, and let it answer with a status."
        yield Check(f"{service.name} health", "warn", service.doubt, "Nobody can tell whether it is well.", fix)


def variables(environment: Environment | None) -> Iterator[Check]:
    """Violations of parity: red, each with its service and name."""
    why = "A shared secret lets staging act on production; a missing one breaks the next deploy."
    bad = [(s, f) for s, f in parity.violations() if environment is None or s.environment_id == environment.pk]
    for service, finding in bad:
        yield Check(f"{service.name} {finding.key}", "bad", finding.text, why, "Request deployments.set_variable.")
    if not bad:
        read = Service.objects.filter(variables__isnull=False).exists()
        yield Check(
            "variables",
            "ok" if read else "idle",
            "no violation" if read else "not read yet",
            why,
            "" if read else "Open an environment's parity page, or run sampelit-ops setup.",
        )


def blueprints(environment: Environment | None) -> Iterator[Check]:
    """The render.yaml that was read last against what runs."""
    why = "The next sync of the blueprint would undo what was changed by hand, or break what the file does not know."
    files = BlueprintFile.objects.select_related("environment")
    for file in files.filter(environment=environment) if environment else files:
        bad = sum(line["tone"] == "bad" for line in file.differences)
        tone = "warn" if bad or file.valid is False else "ok"
        differ = "1 setting differs" if bad == 1 else f"{bad} settings differ"
        state = differ if bad else "Render finds it invalid" if file.valid is False else "as live"
        fix = "" if tone == "ok" else f"Open the page of {file}; change the file or the service."
        yield Check(f"{file}", tone, state, why, fix)


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
    return Check(name, "ok", "read", why)


def register() -> None:
    for check in (render, services, variables, blueprints, supabase_functions, troubles, unknown_words):
        doctor.register(check)
    for check in (workspace.refused, workspace.places, workspace.planned_maintenance, network.reach):
        doctor.register(check)
