"""This app's checks for doctor: key, polling, webhook, health paths, parity, previews. Reads only what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Max, Q

from deployments import network, workspace
from deployments.functions.checks import supabase_functions
from deployments.health.trouble import troubles, unknown_words
from deployments.models import BlueprintFile, Service, SyncState, WebhookDelivery
from deployments.render.client import configured
from deployments.render.webhook_coverage import WHY, webhooks_of_workspaces
from deployments.variables import parity
from ledger.models import Entry
from operations import doctor
from operations.doctor import Check
from operations.models import Environment
from operations.periodic.clock import database_time

READ_WITHIN = timedelta(hours=2)
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
    why = WHY
    if not settings.RENDER_WEBHOOK_SECRET:
        return Check("Render webhooks", "idle", "not set up; polling is the base", why, "Needs a paid workspace.")
    day_ago = database_time() - timedelta(days=1)
    recent = WebhookDelivery.objects.filter(received_at__gt=day_ago)
    waiting = Q(status=WebhookDelivery.Status.RECEIVED, received_at__lt=database_time() - timedelta(minutes=10))
    if stuck := recent.filter(waiting | Q(status=WebhookDelivery.Status.FAILED)).count():
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
    if service.missing_since:
        found, fix = f"Render did not find it at {service.missing_since:%H:%M} UTC", "Nothing: it is asked again."
        yield Check(f"{service.name} is there", "warn", found, "One answer does not end it here.", fix)
    if service.health == Service.Health.UNHEALTHY and not (service.suspended or service.maintenance):
        tone = "bad" if service.environment and service.environment.kind == "production" else "warn"
        found = f"not healthy: {service.health_detail}"
        yield Check(f"{service.name} is well", tone, found, "Visitors may see errors.", "Read its log, or roll back.")
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
        yield _read(environment, why)


def _read(environment: Environment | None, why: str) -> Check:
    """No violation, as far as what was read last tells."""
    present = Service.objects.filter(removed_at=None)
    present = present.filter(environment=environment) if environment else present
    oldest = present.filter(variables__isnull=False).annotate(at=Max("variables__seen_at")).order_by("at").first()
    if oldest is None:
        fix = "Open an environment's parity page, or run sampelit-ops setup."
        return Check("variables", "idle", "not read yet", why, fix)
    if oldest.at < database_time() - READ_WITHIN:
        found = f"no violation, but {oldest.name} was last read at {oldest.at:%Y-%m-%d %H:%M} UTC"
        return Check("variables", "warn", found, why, "Open its parity page: it says why Render does not answer.")
    if (
        unread := present.exclude(type="static_site")
        .filter(variables=None, groups=None)
        .values_list("name", flat=True)[:5]
    ):
        found = f"no violation, but nothing is known of {', '.join(unread)}"
        return Check("variables", "warn", found, why, "Open its parity page: it says why Render does not answer.")
    return Check("variables", "ok", "no violation", why)


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


def register() -> None:
    for check, job in (
        (render, "deployments.poll"),
        (webhooks_of_workspaces, "deployments.reconcile"),
        (services, "deployments.poll"),
        (variables, "deployments.variables"),
        (blueprints, "deployments.drift"),
        (supabase_functions, "deployments.functions"),
        (troubles, "deployments.events"),
        (unknown_words, "deployments.poll"),
        (workspace.refused, "deployments.workspace"),
        (workspace.places, "deployments.workspace"),
        (workspace.planned_maintenance, "deployments.workspace"),
        (network.reach, "deployments.network"),
    ):
        doctor.register(check, job)
