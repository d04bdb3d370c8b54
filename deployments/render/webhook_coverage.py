"""Which workspaces tell this portal what happens: each has a webhook of its own, which signs with a secret of its own.

In: the client. Out: what comes of each workspace with services of ours, kept for doctor and the set-up; deliveries that
never arrived, stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings

from deployments.last_look import as_of
from deployments.models import Service, WebhookDelivery
from deployments.render.webhooks import secrets
from operations.doctor import Check
from operations.models import Environment, Heartbeat
from operations.periodic.clock import database_time
from providers.errors import ProviderError
from providers.render import Render, Webhook

PATH = "/webhooks/render/"
KEPT = "render.webhooks"
NEEDED = {"deploy_started", "deploy_ended"}
RECOVERED = "reconciled:"
MAX_LOST = 20
UNHEARD = "nothing arrived of what its webhook sent; Render's page of it says what was answered"
WHY = "Webhooks make changes visible at once; polling sees them within a minute anyway."


@dataclass(frozen=True)
class Coverage:
    """`lacks` says why not all of the workspace comes here; `error` is why its webhooks could not be read."""

    owner: str
    name: str
    hook: Webhook | None = None
    lacks: str = ""
    error: ProviderError | None = None


@dataclass(frozen=True)
class Comparison:
    sent: int = 0
    arrived: int = 0
    recovered: int = 0

    def __add__(self, other: Comparison) -> Comparison:
        return Comparison(self.sent + other.sent, self.arrived + other.arrived, self.recovered + other.recovered)


def workspaces() -> list[str]:
    """Those that have services of ours."""
    present = Service.objects.filter(removed_at=None).exclude(owner_id="")
    return list(present.order_by("owner_id").values_list("owner_id", flat=True).distinct())


def address() -> str:
    return str(settings.OPS_BASE_URL).rstrip("/") + PATH


def coverage(api: Render) -> list[Coverage]:
    """Every workspace's webhook that leads here, if its plan allows webhooks and somebody created one."""
    names = _names(api)
    return [_of(api, owner, names.get(owner) or owner) for owner in workspaces()]


def _names(api: Render) -> dict[str, str]:
    try:
        return {owner.id: owner.name for owner in api.owners.list()}
    except ProviderError:
        return {}


def _of(api: Render, owner: str, name: str) -> Coverage:
    try:
        ours = [hook for hook in api.webhooks.list(owner) if hook.url.rstrip("/") == address().rstrip("/")]
    except ProviderError as error:
        return Coverage(owner, name, lacks=error.message, error=error)
    told = sorted(((_lack(hook), hook) for hook in ours), key=lambda one: one[0])
    return Coverage(owner, name, told[0][1], told[0][0]) if told else Coverage(owner, name, lacks="it has no webhook")


def _lack(hook: Webhook) -> str:
    """Why a webhook that leads here brings nothing, or not all."""
    if not hook.enabled:
        return "its webhook is switched off at Render"
    if hook.events and (left_out := NEEDED - set(hook.events)):
        return f"its webhook leaves out {', '.join(sorted(left_out))}"
    if hook.secret and hook.secret not in secrets():
        return "the secret of its webhook is not in RENDER_WEBHOOK_SECRET"
    return ""


def reconcile(api: Render, hours: float = 1) -> Comparison:
    """Compare the last hour of every workspace; deliveries that never arrived are stored as waiting. One that does not
    answer keeps nothing from the others."""
    before, told, total = Heartbeat.objects.kept(KEPT), dict[str, Any](), Comparison()
    for one in coverage(api):
        known, heard, error = before.get(one.owner, {}), None, one.error
        if one.hook is not None:
            try:
                found, heard = _compare(api, one.hook, hours)
                total += found
            except ProviderError as raised:
                error = raised
        if error is not None and error.retryable and known:
            told[one.owner] = known
            continue
        unheard = heard is False or (heard is None and known.get("unheard", False))
        lacks = one.lacks or (error.message if error else UNHEARD if unheard else "")
        said = {"name": one.name, "lacks": lacks, "refused": error is not None, "unheard": unheard}
        told[one.owner] = said | {"seen_at": database_time().isoformat()}
    Heartbeat.objects.keep(KEPT, told)
    return total


def _compare(api: Render, hook: Webhook, hours: float) -> tuple[Comparison, bool | None]:
    """What one webhook sent, and whether any of it arrived by itself; None where it sent nothing."""
    sent = {event.event_id for event in api.webhooks.sent(hook.id, after=database_time() - timedelta(hours=hours))}
    rows = WebhookDelivery.objects.filter(event_id__in=sent)
    arrived = set(rows.values_list("event_id", flat=True))
    lost = sorted(sent - arrived)[:MAX_LOST]
    heard = rows.exclude(delivery_id__startswith=RECOVERED).exists() if sent else None
    return Comparison(len(sent), len(arrived), sum(_recover(api, event) for event in lost)), heard


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
    return WebhookDelivery.objects.get_or_create(delivery_id=f"{RECOVERED}{event_id}", defaults=values)[1]


def webhooks_of_workspaces(environment: Environment | None) -> Iterator[Check]:
    """A line for each workspace, for doctor: whether what happens there is told at once."""
    if environment is not None or not secrets():
        return
    known = Heartbeat.objects.kept(KEPT)
    for owner in workspaces():
        found = known.get(owner)
        name = f"Webhook of {found['name'] if found else owner}"
        if found is None:
            yield Check(name, "idle", "not asked for yet", WHY, "Run sampelit-ops setup, or wait ten minutes.")
        elif found["lacks"]:
            fix = "Polling goes on." if found["refused"] else "Run sampelit-ops setup, and see Render's page of it."
            yield Check(name, "idle" if found["refused"] else "warn", found["lacks"], WHY, fix)
        else:
            yield as_of(found["seen_at"], Check(name, "ok", "leads here", WHY))
