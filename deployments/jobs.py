"""What the ticker runs here: poll Render, probe health, work off webhook deliveries, lift forgotten maintenance.

Each job gives up within seconds, so that a slow Render or a slow service never holds the ticker up.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor

from deployments import client, deliveries, fingerprints, health, reconcile, watchdog
from deployments.functions import client as functions
from deployments.functions import letting_go
from deployments.functions.sync import sync_all
from deployments.models import Service
from deployments.sync import poll
from providers.errors import ProviderError, Refused

logger = logging.getLogger(__name__)
PATIENCE_SECONDS = 15.0


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
    services = health.due()
    if not services:
        return
    with ThreadPoolExecutor(max_workers=4) as pool:
        answers = list(pool.map(health.ask, [service.health_url for service in services]))
    for service, answer in zip(services, answers, strict=True):
        health.take(service, answer)


def process_deliveries() -> None:
    deliveries.process_waiting()


def reconcile_webhooks() -> None:
    """Compare what Render sent with what arrived."""
    if not client.configured():
        return
    try:
        found = reconcile.reconcile(client.quick())
    except ProviderError as error:
        logger.warning("webhooks could not be compared: %s", error)
        return
    if found.recovered:
        logger.warning("%d of Render's %d webhooks never arrived and were recovered", found.recovered, found.sent)


def read_functions() -> None:
    """Functions, names of secrets and advisors of every project; what went wrong is a state of that environment."""
    if not functions.configured():
        return
    for line in sync_all(deadline=5.0).failed:
        logger.warning("Supabase could not be read: %s", line)


def let_bundles_go() -> None:
    """Bundles that no rule keeps any more lose their bytes."""
    gone = letting_go.let_go()
    if gone:
        logger.info("%d kept bundles of edge functions were let go", len(gone))


def read_variables() -> None:
    """Names and fingerprints of every service and group, so that parity and drift judge what is there today."""
    if not client.configured():
        return
    ends = time.monotonic() + PATIENCE_SECONDS
    try:
        api = client.quick()
        fingerprints.refresh_groups(api)
        for service in Service.objects.filter(removed_at=None).order_by("?"):
            if time.monotonic() < ends:
                fingerprints.refresh(api, service)
    except ProviderError as error:
        logger.warning("variables could not be read: %s", error)


def lift_maintenance() -> None:
    watchdog.lift_forgotten()
    health.prune()
