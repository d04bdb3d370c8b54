"""Render's webhooks: verified over the raw body, stored once by their id, answered 202, worked off by the ticker.

The message is thin and only a hint: the truth is fetched from the API, so order and repetition do not matter.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hmac import compare_digest

import standardwebhooks
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from deployments.models import Service, WebhookDelivery
from deployments.render.client import configured, quick
from deployments.render.listed import SyncReport
from deployments.render.service_rows import fetch
from deployments.render.sync import sync_service
from operations.periodic.clock import database_time
from providers import bounded_json
from providers.errors import ProviderError
from providers.http.shapes import moment, text
from providers.render import Render, Webhook

logger = logging.getLogger(__name__)
MAX_BODY_BYTES = 65_536
TOLERANCE = timedelta(minutes=5)  # of Standard Webhooks
TRIED_FOR = timedelta(hours=24)  # then the polls have long told what it was about
LONGEST_PAUSE = timedelta(minutes=5)
PATIENCE_SECONDS = 10.0
NONSENSE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError)
Delivery = WebhookDelivery.Status


class NotGenuine(Exception):
    """The signature, its time or its form is wrong; nothing was stored."""


def receive(body: bytes, headers: Mapping[str, str]) -> bool:
    """Verify and store one delivery; False where its id was stored before. Raises NotGenuine."""
    if not settings.RENDER_WEBHOOK_SECRET or len(body) > MAX_BODY_BYTES:
        raise NotGenuine
    try:
        payload = bounded_json.loads(body)
        identity = _signed_id(body, {name.lower(): value for name, value in headers.items()})
        sent = payload["data"]
        values = {
            "event_type": text(payload.get("type"))[:100],
            "event_id": text(sent.get("id"))[:100],
            "service_render_id": text(sent.get("serviceId"))[:80],
            "sent_at": moment(payload.get("timestamp")),
        }
    except NONSENSE:
        raise NotGenuine from None
    _, created = WebhookDelivery.objects.get_or_create(delivery_id=identity[:200], defaults=values)
    return created


def _signed_id(body: bytes, headers: Mapping[str, str]) -> str:
    """The delivery's id, where it was signed with our secret within minutes of now, by the database's clock: that of
    this machine would refuse all, or take what is old. Raises NotGenuine, or NONSENSE for a header of another form."""
    identity, signed_at = headers["webhook-id"], float(headers["webhook-timestamp"])
    at = datetime.fromtimestamp(signed_at, UTC)
    signature = standardwebhooks.Webhook(settings.RENDER_WEBHOOK_SECRET).sign(identity, at, body.decode())
    genuine = any(compare_digest(signature.encode(), one.encode()) for one in headers["webhook-signature"].split(" "))
    if not identity or not genuine or abs(database_time() - at) > TOLERANCE:
        raise NotGenuine
    return identity


def process_waiting(limit: int = 50) -> int:
    """Work off what waits: each named service is synchronised once, however many deliveries name it."""
    if not configured():
        return 0
    now = database_time()
    unfinished = WebhookDelivery.objects.filter(status__in=[Delivery.RECEIVED, Delivery.FAILED])
    unfinished.filter(status=Delivery.FAILED, received_at__lt=now - TRIED_FOR).update(status=Delivery.IGNORED)
    waiting = [row for row in unfinished.order_by("attempts", "received_at")[:limit] if _is_due(row, now)]
    for render_id in dict.fromkeys(row.service_render_id for row in waiting):
        rows = [row.pk for row in waiting if row.service_render_id == render_id]
        _finish(rows, *_synchronise(render_id))
    return len(waiting)


def _is_due(row: WebhookDelivery, now: datetime) -> bool:
    """A failed one is tried again after a growing pause."""
    pause = min(timedelta(seconds=2 ** min(row.attempts, 10)), LONGEST_PAUSE)
    return row.processed_at is None or now - row.processed_at >= pause


def _synchronise(render_id: str) -> tuple[str, str]:
    """The outcome of fetching the truth about one service, and why it failed."""
    if not render_id:
        return Delivery.IGNORED, ""
    try:
        api = quick()
        if (service := fetch(api, render_id)) is not None:
            sync_service(api, service, SyncReport(), until=time.monotonic() + PATIENCE_SECONDS)
    except ProviderError as error:
        return Delivery.FAILED, error.message[:300]
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("the webhook about %s could not be worked off", render_id)
        return Delivery.FAILED, f"{type(error).__name__}: {error}"[:300]
    return Delivery.PROCESSED, ""


def _finish(rows: list[int], status: str, error: str) -> None:
    with transaction.atomic():
        for row in WebhookDelivery.objects.select_for_update().filter(pk__in=rows):
            row.status, row.error, row.attempts = status, error, row.attempts + 1
            row.processed_at = database_time()
            row.save(update_fields=["status", "error", "attempts", "processed_at"])


PATH = "/webhooks/render/"
MAX_LOST = 20


@dataclass(frozen=True)
class Comparison:
    sent: int = 0
    arrived: int = 0
    recovered: int = 0


def our_webhook(api: Render) -> Webhook | None:
    """The webhook that leads here, if the plan allows webhooks and somebody created one."""
    wanted = settings.OPS_BASE_URL.rstrip("/") + PATH
    present = Service.objects.filter(removed_at=None).exclude(owner_id="")
    owners = present.order_by("owner_id").values_list("owner_id", flat=True).distinct()
    for owner in owners:
        try:
            webhook = next((hook for hook in api.webhooks.list(owner) if hook.url == wanted), None)
        except ProviderError as error:
            if error.retryable:
                raise
            continue
        if webhook is not None:
            return webhook
    return None


def reconcile(api: Render, hours: float = 1) -> Comparison:
    """Compare the last hour; deliveries that never arrived are stored as waiting. Raises ProviderError."""
    hook = our_webhook(api)
    if hook is None:
        return Comparison()
    sent = {event.event_id for event in api.webhooks.sent(hook.id, after=database_time() - timedelta(hours=hours))}
    arrived = set(WebhookDelivery.objects.filter(event_id__in=sent).values_list("event_id", flat=True))
    lost = sorted(sent - arrived)[:MAX_LOST]
    return Comparison(len(sent), len(arrived), sum(_recover(api, event) for event in lost))


def _recover(api: Render, event_id: str) -> bool:
    try:
        event = api.events.get(event_id)
    except ProviderError:
        return False
    values = {
        "event_type": event.type[:100],
        "event_id": event_id,
        "service_render_id": event.service_id,
        "sent_at": event.at,
    }
    return WebhookDelivery.objects.get_or_create(delivery_id=f"reconciled:{event_id}", defaults=values)[1]
