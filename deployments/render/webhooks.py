"""Render's webhooks: verified over the raw body, stored once by their id, answered 202, worked off by the ticker.

The message is thin and only a hint: the truth is fetched from the API, so order and repetition do not matter.
"""

from __future__ import annotations

import base64
import logging
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hmac import compare_digest

import standardwebhooks
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from deployments.models import WebhookDelivery
from deployments.render.client import configured, quick
from deployments.render.listed import SyncReport
from deployments.render.service_rows import fetch
from deployments.render.sync import sync_service
from operations.periodic.clock import database_time
from providers import bounded_json
from providers.errors import ProviderError
from providers.http.shapes import moment, text

logger = logging.getLogger(__name__)
MAX_BODY_BYTES = 65_536
TOLERANCE = timedelta(minutes=5)  # of Standard Webhooks
TRIED_FOR = timedelta(hours=24)  # then the polls have long told what it was about
LONGEST_PAUSE = timedelta(minutes=5)
LEAST_KEY_BYTES = 16
PATIENCE_SECONDS = 10.0
NONSENSE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError)
Delivery = WebhookDelivery.Status


class NotGenuine(Exception):
    """The signature, its time or its form is wrong; nothing was stored."""


def receive(body: bytes, headers: Mapping[str, str]) -> bool:
    """Verify and store one delivery; False where its id was stored before. Raises NotGenuine."""
    if len(body) > MAX_BODY_BYTES:
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


def secrets() -> list[str]:
    """Those of RENDER_WEBHOOK_SECRET, of which every workspace's webhook has one; without any that can be guessed."""
    return [each for each in re.split(r"[\s,]+", settings.RENDER_WEBHOOK_SECRET) if _is_key(each)]


def _is_key(secret: str) -> bool:
    try:
        return len(base64.b64decode(secret.removeprefix("whsec_") + "==")) >= LEAST_KEY_BYTES
    except ValueError:
        return False


def _signatures(identity: str, at: datetime, body: str) -> Iterator[bytes]:
    for secret in secrets():
        yield standardwebhooks.Webhook(secret).sign(identity, at, body).encode()


def _signed_id(body: bytes, headers: Mapping[str, str]) -> str:
    """The delivery's id, where it was signed with one of our secrets within minutes of now, by the database's clock:
    that of this machine would refuse all, or take what is old. Raises NotGenuine, or NONSENSE for a header of another
    form."""
    identity, signed_at = headers["webhook-id"], float(headers["webhook-timestamp"])
    at = datetime.fromtimestamp(signed_at, UTC)
    given = [one.encode() for one in headers["webhook-signature"].split(" ")]
    genuine = any(compare_digest(ours, one) for ours in _signatures(identity, at, body.decode()) for one in given)
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
        report = SyncReport()
        if (service := fetch(api, render_id)) is not None:
            sync_service(api, service, report, until=time.monotonic() + PATIENCE_SECONDS)
        if report.failed:
            return Delivery.FAILED, "; ".join(report.failed)[:300]
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
