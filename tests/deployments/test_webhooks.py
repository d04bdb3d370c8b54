"""Render's webhooks: forgeries are refused, a repetition has one effect, order is no matter, lost ones are found."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from standardwebhooks import Webhook

from deployments import doctor
from deployments.models import Deployment, Service, WebhookDelivery
from deployments.onboarding import ensure_webhook
from deployments.render import webhooks
from deployments.render.webhook_coverage import reconcile
from ledger.models import Entry
from ledger.services import record
from tests.deployments.conftest import WEBHOOK_SECRET
from tests.render_sandbox import Harness

pytestmark = pytest.mark.django_db
URL = "/webhooks/render/"


def message(service: str, kind: str = "deploy_ended", event: str = "evt-1") -> bytes:
    sent = {"type": kind, "timestamp": "2026-11-23T03:00:00Z", "data": {"id": event, "serviceId": service}}
    return json.dumps(sent).encode()


def signed(
    body: bytes, identity: str = "msg-1", at: datetime | None = None, secret: str = WEBHOOK_SECRET
) -> dict[str, str]:
    now = at or datetime.now(UTC)
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(identity, now, body.decode()),
    }


def post(client: Client, body: bytes, headers: dict[str, str]) -> int:
    return client.post(URL, body, content_type="application/json", headers=headers).status_code


def test_a_genuine_delivery_is_accepted_once(client: Client, api: Service) -> None:
    body = message(api.render_id)
    headers = signed(body)

    assert [post(client, body, headers) for _ in range(25)] == [202] * 25
    assert WebhookDelivery.objects.count() == 1
    assert client.get(URL).status_code == 405


PART = b'--x\r\nContent-Disposition: form-data; name="form_key"\r\n\r\n%s-1\r\n--x--\r\n' % (b"0" * 32)
BODIES = (b"", PART, b"form_key=%s-1" % (b"0" * 32), b"--x\r\nContent", b"&".join(b"a%d=1" % n for n in range(2_000)))


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain"])
@pytest.mark.parametrize("body", BODIES, ids=["empty", "part", "form", "cut", "many"])
def test_what_is_no_delivery_is_refused_whatever_it_looks_like(body: bytes, kind: str, admin_client: Client) -> None:
    assert admin_client.post(URL, body, content_type=kind).status_code == 400


@pytest.mark.parametrize(("seconds", "code"), [(-290, 202), (290, 202), (-310, 400), (310, 400)])
def test_five_minutes_either_way(client: Client, api: Service, seconds: int, code: int) -> None:
    body = message(api.render_id)

    assert post(client, body, signed(body, at=datetime.now(UTC) + timedelta(seconds=seconds))) == code


@pytest.mark.parametrize("hours", [1, -1])
def test_this_machines_clock_neither_refuses_a_new_one_nor_takes_an_old_one(
    client: Client, api: Service, hours: int
) -> None:
    body, there = message(api.render_id), timezone.now() + timedelta(hours=hours)
    new, old = signed(body), signed(body, "msg-2", at=there)

    with time_machine.travel(there):
        assert [post(client, body, headers) for headers in (new, old)] == [202, 400]


def test_no_mutation_of_a_signed_delivery_is_accepted(client: Client, api: Service) -> None:
    chance = random.Random(20261123)
    body = message(api.render_id)
    headers = signed(body)
    for number in range(200):
        forged, changed = bytearray(body), dict(headers)
        what = chance.choice(
            ["body", "webhook-id", "webhook-timestamp", "webhook-signature", "missing", "secret", "cut"]
        )
        if what == "body":
            forged[chance.randrange(len(forged))] ^= 1 << chance.randrange(8)
        elif what == "cut":
            del forged[chance.randrange(len(forged)) :]
        elif what == "missing":
            del changed[chance.choice(sorted(changed))]
        elif what == "secret":
            changed = signed(body, secret="whsec_" + "QUJD" * 8)
        else:
            value = list(changed[what])
            value[chance.randrange(len(value))] = chance.choice("aZ9/")
            changed[what] = "".join(value)
        if (bytes(forged), changed) == (body, headers):
            continue
        try:
            accepted = post(client, bytes(forged), changed) == 202
        except ValueError:
            accepted = False
        assert not accepted, (number, what)
    assert not WebhookDelivery.objects.exists()


def test_without_a_secret_nothing_is_accepted(client: Client, api: Service, settings) -> None:
    body = message(api.render_id)
    headers = signed(body)
    settings.RENDER_WEBHOOK_SECRET = ""

    assert post(client, body, headers) == 400


NUL = b'{"type": "x", "timestamp": "2026-01-01T00:00:00Z", "data": {"id": "a\\u0000b"}}'
HALF = NUL.replace(b"u0000", b"ud800")
DEEP = b'{"data": ' * 5_000


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b'{"data": 3}', b"\xff\xfe", b"{}", NUL, HALF, DEEP])
def test_signed_nonsense_is_refused(client: Client, api: Service, body: bytes) -> None:
    headers = signed(body if body[:1] != b"\xff" else b"{}")

    assert post(client, body, headers) == 400


def test_a_signed_body_that_is_too_large_is_refused_unread(client: Client, api: Service) -> None:
    body = b"x" * 70_000

    assert post(client, body, signed(body)) == 413


def test_the_truth_is_fetched_whatever_the_order(client: Client, api: Service, sandbox: Harness) -> None:
    chance = random.Random(7)
    for round_ in range(5):
        commit = sandbox.control("push", branch="main", message=f"Change {round_}")["id"]
        sandbox.control("manual", service=api.name)
        kinds = ["deploy_started", "build_started", "build_ended", "deploy_ended", "deploy_ended", "not_yet_invented"]
        chance.shuffle(kinds)
        for number, kind in enumerate(kinds):
            body = message(api.render_id, kind, f"evt-{round_}-{number % 4}")
            assert post(client, body, signed(body, f"msg-{round_}-{number % 4}")) == 202
            if chance.random() < 0.5:
                webhooks.process_waiting()
        webhooks.process_waiting()

        assert Deployment.objects.get(service=api, commit_sha=commit).status == "live"
        assert Deployment.objects.filter(service=api, status="live").count() == 1
    assert Entry.objects.filter(code="deployments.live").count() == 5
    assert not WebhookDelivery.objects.exclude(status="processed").exists()


def test_a_delivery_about_a_new_or_deleted_service(client: Client, api: Service, sandbox: Harness) -> None:
    Service.objects.get(name="sampelit-web").deployments.all().delete()
    Service.objects.filter(name="sampelit-web").delete()
    new, gone = sandbox.service("sampelit-web"), "srv-00000000000000000000"
    for number, service in enumerate((new, gone)):
        body = message(service)
        post(client, body, signed(body, f"msg-{number}"))

    webhooks.process_waiting()

    assert Service.objects.get(render_id=new).deployments.count() == 14
    assert set(WebhookDelivery.objects.values_list("status", flat=True)) == {"processed"}


def test_it_is_tried_again_when_render_is_down(client: Client, api: Service, sandbox: Harness) -> None:
    body = message(api.render_id)
    post(client, body, signed(body))
    sandbox.control("fault", match="GET", kind="503", times=50)
    webhooks.process_waiting()
    assert WebhookDelivery.objects.get().status == "failed"
    sandbox.sandbox.faults.clear()
    webhooks.process_waiting()
    assert WebhookDelivery.objects.get().attempts == 1
    WebhookDelivery.objects.update(processed_at=timezone.now() - timedelta(minutes=1))

    webhooks.process_waiting()

    assert (WebhookDelivery.objects.get().status, WebhookDelivery.objects.get().attempts) == ("processed", 2)


def test_webhooks_that_never_arrived_are_recovered(api: Service, sandbox: Harness, settings) -> None:
    settings.OPS_BASE_URL = "http://127.0.0.1:9"
    ensure_webhook(sandbox.render)
    commit = sandbox.control("push", branch="main", message="Nobody heard of it")["id"]
    sandbox.control("manual", service=api.name)
    sandbox.sandbox.deliveries.pump()

    outcome = reconcile(sandbox.render)
    again = reconcile(sandbox.render)
    webhooks.process_waiting()

    assert outcome.sent == outcome.recovered > 0
    assert again.recovered == 0
    assert Deployment.objects.filter(service=api, commit_sha=commit).exists()


def test_the_sandbox_signs_as_render_does(
    client: Client, api: Service, sandbox: Harness, live_server, settings
) -> None:
    settings.OPS_BASE_URL = live_server.url
    ensure_webhook(sandbox.render)
    sandbox.control("manual", service=api.name)

    sandbox.sandbox.deliveries.pump()

    assert WebhookDelivery.objects.count() >= 2
    assert {event["statusCode"] for sent in sandbox.sandbox.world.sent.values() for event in sent} == {202}


def test_an_owner_is_asked_once_for_webhooks_however_many_services(sandbox: Harness, known: object) -> None:
    sandbox.sandbox.calls.clear()

    reconcile(sandbox.render)

    owners = Service.objects.order_by().values("owner_id").distinct().count()
    assert (
        sum(call.startswith("GET /webhooks") and call.endswith("/webhooks") for call in sandbox.sandbox.calls) <= owners
    )


@pytest.mark.parametrize(
    ("portal_days", "days", "tone"), [(8, None, "warn"), (8, 8, "warn"), (8, 6, "ok"), (6, None, "idle")]
)
def test_doctor_says_when_none_arrives(settings: Any, portal_days: int, days: int | None, tone: str) -> None:
    settings.RENDER_WEBHOOK_SECRET = WEBHOOK_SECRET
    with mock.patch("ledger.services.clock_timestamp", return_value=timezone.now() - timedelta(days=portal_days)):
        record("deployments.runs_portal", actor="ana")
    if days is not None:
        at = timezone.now() - timedelta(days=days)
        WebhookDelivery.objects.create(delivery_id="msg-1", status="processed", received_at=at)

    assert doctor._webhooks().tone == tone
