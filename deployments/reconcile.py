"""Compares what Render says it sent with what arrived: a lost webhook becomes a delivery and is worked off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from deployments.models import Service, WebhookDelivery
from providers.errors import ProviderError
from providers.http.api_client import PlanTooLow, Unauthorized
from providers.render import Render, Webhook

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
    owners = Service.objects.exclude(owner_id="").values_list("owner_id", flat=True).distinct()
    for owner in owners:
        try:
            found = next((hook for hook in api.webhooks.list(owner) if hook.url == wanted), None)
        except (PlanTooLow, Unauthorized):
            continue
        if found is not None:
            return found
    return None


def reconcile(api: Render, hours: float = 1) -> Comparison:
    """Compare the last hour; deliveries that never arrived are stored as waiting. Raises ProviderError."""
    hook = our_webhook(api)
    if hook is None:
        return Comparison()
    sent = {event.event_id for event in api.webhooks.sent(hook.id, after=timezone.now() - timedelta(hours=hours))}
    arrived = set(WebhookDelivery.objects.filter(event_id__in=sent).values_list("event_id", flat=True))
    lost = sorted(sent - arrived)[:MAX_LOST]
    return Comparison(len(sent), len(arrived), sum(_recover(api, event) for event in lost))


def _recover(api: Render, event_id: str) -> bool:
    try:
        event = api.events.get(event_id)
    except ProviderError:
        return False
    values = {"event_type": event.type[:100], "event_id": event_id, "service_render_id": event.service_id,
              "sent_at": event.at}  # fmt: skip
    return WebhookDelivery.objects.get_or_create(delivery_id=f"reconciled:{event_id}", defaults=values)[1]
