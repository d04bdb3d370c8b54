"""Every periodic job of deployments, with its period in seconds.

Each job gives up within seconds, so that a slow Render or a slow service never holds the ticker up.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings

from deployments import maintenance_watchdog, network, previews, workspace
from deployments.blueprint import service as blueprint
from deployments.functions import bundle_retention
from deployments.functions.sync import sync_all
from deployments.health import probing, trouble
from deployments.health.sight import Sight
from deployments.models import Service
from deployments.render import client, webhook_coverage, webhooks
from deployments.render.sync import poll
from deployments.variables import fingerprints, portal
from operations import supabase_projects
from operations.engine import tick
from operations.models import Environment
from operations.periodic.clock import database_time
from operations.periodic.isolation import Failed, each, in_turn, tell
from providers.errors import ProviderError, Refused

logger = logging.getLogger(__name__)
PATIENCE_SECONDS = 15.0
MOST_PROBES = 32


def register() -> None:
    tick.every("deployments.webhooks", 1.0, webhooks.process_waiting)
    tick.every("deployments.poll", settings.RENDER_POLL_SECONDS, poll_render)
    tick.every("deployments.health", settings.HEALTH_PROBE_SECONDS / 3, probe_health)
    tick.every("deployments.events", 60.0, read_events)
    tick.every("deployments.watchdog", 30.0, lift_maintenance)
    tick.every("deployments.drift", 60.0, blueprint.compare_all)
    tick.every("deployments.functions", settings.SUPABASE_SYNC_SECONDS, read_functions)
    tick.every("deployments.previews", 300.0, previews.end_previews)
    tick.every("deployments.reconcile", 600.0, reconcile_webhooks)
    tick.every("deployments.variables", 900.0, read_variables)
    tick.every("deployments.workspace", 900.0, read_workspace)
    tick.every("deployments.network", 600.0, read_networks)
    tick.every("deployments.bundles", 86_400.0, let_bundles_go)


def poll_render() -> None:
    """One poll; what went wrong is on the home page and in doctor, so it is only a warning here."""
    if not client.configured():
        return
    try:
        report = poll(seconds=PATIENCE_SECONDS)
    except (ProviderError, Refused) as error:
        logger.warning("Render could not be read: %s", error)
        return
    if report.created or report.changed:
        logger.info("Render: %d new deployments, %d changed", report.created, report.changed)


def probe_health() -> None:
    """Ask every due service at once, then take the answers in one by one."""
    services = probing.due()
    if not services:
        return
    sight_began = database_time()
    with ThreadPoolExecutor(max_workers=min(MOST_PROBES, len(services))) as pool:
        answers = list(pool.map(probing.fetch_health, [service.health_url for service in services]))
    sight, failed = Sight(answers, sight_began), Failed()
    for service, answer in zip(services, answers, strict=True):
        with each(f"the health of {service.name}", failed):
            probing.record_health(service, answer, sight)
    tell(failed)


def read_events() -> None:
    """What Render says happened to production."""
    if not client.configured():
        return
    try:
        trouble.read_events(client.quick())
    except ProviderError as error:
        logger.warning("events could not be read: %s", error)


def reconcile_webhooks() -> None:
    """Compare what Render sent with what arrived."""
    if not client.configured():
        return
    try:
        outcome = webhook_coverage.reconcile(client.quick())
    except ProviderError as error:
        logger.warning("webhooks could not be compared: %s", error)
        return
    if outcome.recovered:
        logger.warning("%d of Render's %d webhooks never arrived and were recovered", outcome.recovered, outcome.sent)


def read_functions() -> None:
    """Functions, names of secrets and advisors of every project; what went wrong is a state of that environment."""
    if not supabase_projects.configured():
        return
    report = sync_all(deadline=5.0)
    for line in report.failed:
        logger.warning("Supabase could not be read: %s", line)
    tell(report.broken)


def read_workspace() -> None:
    """Databases, planned maintenance, environments and addresses of Render's workspaces."""
    if not client.configured():
        return
    try:
        workspace.read(client.quick())
    except ProviderError as error:
        logger.warning("Render's workspaces could not be read: %s", error)


def read_networks() -> None:
    """Who may reach each project's database."""
    if not supabase_projects.configured():
        return
    failed = Failed()
    for environment in Environment.objects.exclude(supabase_ref=""):
        with each(environment.slug, failed, alone=True):
            try:
                network.read(supabase_projects.quick(), environment)
            except ProviderError as error:
                logger.warning("Who may reach the database of %s could not be read: %s", environment, error)
    tell(failed)


def let_bundles_go() -> None:
    """Bundles that no rule keeps any more lose their bytes."""
    gone = bundle_retention.remove_expired()
    if gone:
        logger.info("%d kept bundles of edge functions were let go", len(gone))


def read_variables() -> None:
    """Names and fingerprints of every service and group, so that parity and drift judge what is there today."""
    if not client.configured():
        return
    ends = time.monotonic() + PATIENCE_SECONDS
    failed = Failed()
    try:
        api = client.quick()
        with each("the groups", failed):
            fingerprints.refresh_groups(api, seconds=PATIENCE_SECONDS)
        for service in Service.objects.filter(removed_at=None).order_by("?"):
            if time.monotonic() < ends:
                with each(service.name, failed):
                    fingerprints.refresh(api, service)
    except ProviderError as error:
        logger.warning("variables could not be read: %s", error)
    portal.mark()
    tell(failed)


def lift_maintenance() -> None:
    in_turn(maintenance_watchdog.lift_forgotten, probing.prune)
