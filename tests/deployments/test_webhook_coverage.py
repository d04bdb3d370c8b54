"""A webhook belongs to one workspace: each that has services of ours gets one, or is named with what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from deployments import last_look, onboarding
from deployments.models import Service, WebhookDelivery
from deployments.onboarding import ensure_webhook
from deployments.render import sync, webhooks
from deployments.render.sync import poll
from deployments.render.webhook_coverage import KEPT, reconcile, webhooks_of_workspaces
from deployments.render.webhooks import secrets
from operations.models import Heartbeat
from providers.errors import ProviderError
from providers.http.errors import NotFound, PlanTooLow, Rejected, Unauthorized, Unavailable
from providers.render import Webhook
from tests.deployments.conftest import WEBHOOK_SECRET
from tests.deployments.test_webhooks import message, post, signed
from tests.render_sandbox import API, Harness

pytestmark = pytest.mark.django_db
OTHER = "tea-other"


@pytest.fixture
def two(sandbox: Harness, api: Service, settings: Any) -> Harness:
    """The staging service belongs to another workspace of the same key."""
    settings.OPS_BASE_URL = "https://ops.example"
    staging = sandbox.service("sampelit-api-staging")
    sandbox.sandbox.world.services[staging]["ownerId"] = OTHER
    poll()
    Service.objects.filter(render_id=staging).update(owner_id=OTHER)
    return sandbox


def hooks(sandbox: Harness) -> dict[str, dict[str, Any]]:
    return {hook["_owner"]: hook for hook in sandbox.sandbox.world.webhooks.values()}


def lines() -> dict[str, tuple[str, str]]:
    return {check.name: (check.tone, check.found) for check in webhooks_of_workspaces(None)}


def test_each_workspace_gets_a_webhook_once(two: Harness, api: Service) -> None:
    told = [ensure_webhook(two.render) for _ in range(2)]

    assert sorted(hooks(two)) == sorted([OTHER, api.owner_id])
    assert len(two.sandbox.world.webhooks) == 2
    assert f"{OTHER}: webhook created; copy its secret" in told[0]
    assert "Sampelit: the webhook exists" in told[1]
    assert f"{OTHER}: the webhook exists, but the secret of its webhook is not in RENDER_WEBHOOK_SECRET" in told[1]


def refuse(two: Harness, monkeypatch: pytest.MonkeyPatch, error: ProviderError) -> None:
    """Render does not tell of the other workspace's webhooks."""
    known = two.render.webhooks.list

    def listed(owner: str) -> Iterator[Webhook]:
        if owner == OTHER:
            raise error
        return known(owner)

    monkeypatch.setattr(two.render.webhooks, "list", listed)


REFUSALS = [PlanTooLow("plan"), Unauthorized("key", 403), NotFound("gone"), Rejected("no"), Unavailable("silent")]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda error: type(error).__name__)
def test_one_that_refuses_keeps_no_other_from_its_own(
    two: Harness, api: Service, monkeypatch: pytest.MonkeyPatch, refusal: ProviderError
) -> None:
    refuse(two, monkeypatch, refusal)

    told = ensure_webhook(two.render)

    assert list(hooks(two)) == [api.owner_id]
    assert f"{OTHER}: no webhook" in told
    reconcile(two.render)
    assert lines()["Webhook of Sampelit"] == ("ok", "leads here")
    assert lines()[f"Webhook of {OTHER}"][0] == "idle"


def covered(two: Harness, settings: Any) -> dict[str, Any]:
    ensure_webhook(two.render)
    hook = hooks(two)[OTHER]
    settings.RENDER_WEBHOOK_SECRET = f"{WEBHOOK_SECRET}, {hook['secret']}"
    reconcile(two.render)
    assert lines() == dict.fromkeys(("Webhook of Sampelit", f"Webhook of {OTHER}"), ("ok", "leads here"))
    return hook


def unsigned(hook: dict[str, Any]) -> None:
    hook["secret"] = "whsec_" + "QUJD" * 8


LACKS: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda hook: hook.update(enabled=False), "switched off"),
    (lambda hook: hook.update(eventFilter=["server_failed"]), "leaves out deploy_ended, deploy_started"),
    (lambda hook: hook.update(url="https://elsewhere.example/"), "it has no webhook"),
    (unsigned, "is not in RENDER_WEBHOOK_SECRET"),
]


@pytest.mark.parametrize(("change", "word"), LACKS)
def test_doctor_and_set_up_name_the_one_that_is_not_covered(
    two: Harness, settings: Any, change: Callable[[dict[str, Any]], object], word: str
) -> None:
    change(covered(two, settings))

    reconcile(two.render)

    tone, found = lines()[f"Webhook of {OTHER}"]
    assert (tone, word in found) == ("warn", True)
    assert lines()["Webhook of Sampelit"] == ("ok", "leads here")
    step = onboarding._webhook()
    assert (step.tone, OTHER in step.found) == ("warn", True)


def test_what_was_sent_and_never_arrives_is_named_until_it_does(two: Harness, settings: Any, api: Service) -> None:
    hook = covered(two, settings)
    event = two.sandbox.world.events[two.service("sampelit-api-staging")][-1]
    sent = two.sandbox.world.sent[hook["id"]]
    sent.append({"id": "msg-1", "eventId": event["id"], "eventType": "deploy_ended", "sentAt": event["timestamp"]})
    two.sandbox.world.sent[hook["id"]] = sent

    for _ in range(2):
        reconcile(two.render, hours=10_000)
        assert lines()[f"Webhook of {OTHER}"][0] == "warn"
        assert lines()["Webhook of Sampelit"][0] == "ok"
    sent.clear()
    reconcile(two.render)
    assert lines()[f"Webhook of {OTHER}"][0] == "warn"

    WebhookDelivery.objects.update(delivery_id="msg-1")
    sent.append({"id": "msg-1", "eventId": event["id"], "eventType": "deploy_ended", "sentAt": event["timestamp"]})
    reconcile(two.render, hours=10_000)
    assert lines()[f"Webhook of {OTHER}"] == ("ok", "leads here")


def test_an_outage_changes_nothing_of_what_is_known_for_an_hour(
    two: Harness, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    covered(two, settings)
    refuse(two, monkeypatch, Unavailable("silent"))
    hooks(two)[OTHER]["enabled"] = False

    reconcile(two.render)

    assert lines()[f"Webhook of {OTHER}"] == ("ok", "leads here")
    monkeypatch.setattr(last_look, "FRESH", timedelta(0))
    assert lines()[f"Webhook of {OTHER}"][0] == "warn"


def test_a_workspace_that_was_never_asked_is_not_green(two: Harness) -> None:
    assert {tone for tone, _ in lines().values()} == {"idle"}
    assert Heartbeat.objects.kept(KEPT) == {}


def test_each_workspaces_secret_counts_and_none_that_can_be_guessed(
    client: Client, api: Service, settings: Any
) -> None:
    other, short = "whsec_" + "QUJD" * 8, "whsec_dG9kbw=="
    settings.RENDER_WEBHOOK_SECRET = f"{WEBHOOK_SECRET},\n {other} whsec_ {short} ===="
    body = message(api.render_id)

    codes = [
        post(client, body, signed(body, f"msg-{n}", secret=s)) for n, s in enumerate((WEBHOOK_SECRET, other, short))
    ]

    assert codes == [202, 202, 400]
    assert secrets() == [WEBHOOK_SECRET, other]
    settings.RENDER_WEBHOOK_SECRET = "whsec_ todo"
    assert post(client, body, signed(body, "msg-9")) == 400


def test_a_delivery_whose_news_could_not_be_recorded_is_not_worked_off(
    client: Client, api: Service, sandbox: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> bool:
        raise ValueError("it is odd")

    body = message(api.render_id)
    post(client, body, signed(body))
    sandbox.control("manual", service=API)
    monkeypatch.setattr(sync, "observe", broken)

    webhooks.process_waiting()

    row = WebhookDelivery.objects.get()
    assert (row.status, "it is odd" in row.error) == ("failed", True)
