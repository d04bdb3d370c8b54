"""Providers' answers as they may come: who a service is, two things of one name, odd numbers, "at once" for ever."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deployments import doctor, network, onboarding, workspace
from deployments.health.assessment import Verdict, assess
from deployments.models import Deployment, Service
from deployments.render import webhooks
from deployments.render.record_deploy import observe
from deployments.render.service_rows import store_service
from deployments.render.sync import poll
from ledger import registry
from ledger.models import Entry
from operations.doctor import variables
from operations.models import Environment, Heartbeat
from providers import bounded_json
from providers.errors import ProviderError
from providers.http.errors import Unavailable, UnknownOutcome
from providers.http.health_probe import HealthResponse
from providers.http.shapes import moment
from providers.render import Deploy
from providers.render import Service as Seen
from providers.render.workspace import Environments, RenderEnvironment
from tests.deployments.test_webhooks import message, post, signed
from tests.providers.test_odd_answers import Answering, client
from tests.render_sandbox import API, Harness

pytestmark = pytest.mark.django_db


def changes() -> list[Any]:
    return [json.loads(entry.data)["changed"] for entry in Entry.objects.filter(code="deployments.settings_changed")]


IDENTITY: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"name": "renamed"}, {}, "name"),
    ({"type": "private_service"}, {}, "type"),
    ({"ownerId": "tea-other"}, {}, "owner_id"),
    ({}, {"url": "/elsewhere"}, "url"),
    ({}, {"region": "frankfurt-2"}, "region"),
    ({}, {"plan": "starter-2"}, "plan"),
]


@pytest.mark.parametrize(("top", "details", "field"), IDENTITY, ids=[row[2] for row in IDENTITY])
@pytest.mark.parametrize("known_until", [None, datetime(2150, 1, 1, tzinfo=UTC)], ids=["now", "of 2150"])
def test_what_a_service_is_changes_with_an_entry_once(
    sandbox: Harness,
    api: Service,
    top: dict[str, Any],
    details: dict[str, Any],
    field: str,
    known_until: datetime | None,
) -> None:
    """Also where a time that lies ahead was taken in once: nothing was ever newer than that."""
    if known_until:
        Service.objects.filter(pk=api.pk).update(updated_at=known_until)
    there = sandbox.sandbox.world.services[api.render_id]
    there.update(top)
    there["serviceDetails"].update(details)

    for _ in range(3):
        poll()

    assert [list(change) for change in changes()] == [[field]]
    now = Service.objects.get(pk=api.pk)
    (wanted,) = [*top.values(), *details.values()]
    assert getattr(now, field, now.settings.get(field)).endswith(wanted)


def test_two_services_of_one_name_keep_what_is_theirs(sandbox: Harness, api: Service) -> None:
    """In two workspaces of one key."""
    other = Service.objects.get(render_id=sandbox.service("sampelit-api-staging"))
    there = sandbox.sandbox.world.services[other.render_id]
    there |= {"name": API, "ownerId": "tea-other"}
    made = sandbox.render.deploys.create(other.render_id)
    assert made is not None

    poll()

    assert {row.render_id for row in Service.objects.filter(name=API)} == {api.render_id, other.render_id}
    assert Deployment.objects.get(render_id=made.id).service_id == other.pk


def test_ids_that_differ_in_case_are_two_services(api: Service) -> None:
    whole = {"type": "web_service", "details": {"url": "https://a.example"}}
    rows = [store_service(Seen(name, name, **whole)) for name in ("srv-abc", "srv-ABC")]

    assert rows[0].pk != rows[1].pk


def test_a_service_first_heard_of_by_webhook_comes_in_where_render_has_it(
    client: Client, api: Service, sandbox: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    Deployment.objects.filter(service=api).delete()
    api.delete()
    Heartbeat.objects.filter(name="render.workspace").delete()
    where = RenderEnvironment("evm-1", "Staging", services=(api.render_id,))
    monkeypatch.setattr(Environments, "list", lambda *_: [where])
    sandbox.sandbox.world.services[api.render_id]["environmentId"] = "evm-1"
    body = message(api.render_id)
    post(client, body, signed(body))

    webhooks.process_waiting()

    assert Service.objects.get(render_id=api.render_id).environment_slug == "staging"


@pytest.mark.parametrize("number", [True, -3, 2**31, 10**30, 1.5, "many", None, [], "2"])
def test_an_odd_number_of_instances_hides_no_service(sandbox: Harness, api: Service, number: Any) -> None:
    sandbox.sandbox.world.services[api.render_id]["serviceDetails"]["numInstances"] = number
    made = sandbox.render.deploys.create(api.render_id)
    assert made is not None

    report = poll()

    known = number == -3
    assert len(report.failed) == known
    assert Service.objects.get(pk=api.pk).instances == (api.instances if known else 2 if number == "2" else None)
    assert Deployment.objects.filter(render_id=made.id).exists()


@pytest.mark.parametrize("value", [True, False, "yesterday", {}, [], "1e999", 10**40, float("nan"), "24:61", ""])
def test_what_is_no_time_is_none(value: Any) -> None:
    assert moment(value) is None


TIMES = ["1969-12-31T23:59:59Z", "1850-01-01T00:00:00Z", "2026-11-30T10:00:00", "2199-01-01T00:00:00Z", None]


@pytest.mark.parametrize(("began", "ended"), list(itertools.product(TIMES, TIMES)))
def test_no_deploy_takes_less_than_no_time(api: Service, began: str | None, ended: str | None) -> None:
    times = {"created_at": moment(began), "started_at": moment(began), "finished_at": moment(ended)}
    observe(api, Deploy(id="dep-odd", status="live", trigger="api", updated_at=timezone.now(), **times))

    row = Deployment.objects.get(render_id="dep-odd")
    assert row.duration is None or row.duration >= timedelta(0)
    seconds = json.loads(Entry.objects.filter(code="deployments.live").latest("sequence").data)["seconds"]
    assert seconds is None or seconds >= 0


TWICE = [
    (b'{"status":"degraded","status":"ok"}', Verdict.UNCLEAR),
    (b'{"status":"ok","status":"degraded"}', Verdict.UNCLEAR),
    (b'{"status":"ok","status":"ok"}', Verdict.GOOD),
    (b'{"status":"ok","database":"down","database":"connected"}', Verdict.UNCLEAR),
    (b'{"status":"ok","healthy":"false"}', Verdict.BAD),
    (b'{"status":"ok","up":0}', Verdict.BAD),
    (b'{"status":"ok","alive":"No"}', Verdict.BAD),
    (b'{"status":"ok","up":"12 days"}', Verdict.GOOD),
    (b'{"status":"ok","alive":null}', Verdict.GOOD),
]


@pytest.mark.parametrize(("body", "verdict"), TWICE)
def test_a_body_that_contradicts_itself_is_not_healthy(body: bytes, verdict: Verdict) -> None:
    assert assess(HealthResponse(200, body, 5)).verdict == verdict


@pytest.mark.parametrize("text", ['{"a":1,"a":2}', '[{"b":{"a":1,"c":0,"a":[]}}]', '{"a":1,"a":1,"a":true,"a":null}'])
def test_two_things_of_one_name_are_none(text: str) -> None:
    for repair in (False, True):
        with pytest.raises(ValueError, match="twice, unlike"):
            bounded_json.loads(text, repair=repair)
    assert bounded_json.loads('{"a":[1],"a":[1]}') == {"a": [1]}


class Raw(Answering):
    def __init__(self, body: bytes) -> None:
        super().__init__(200)
        self._body = body

    def send(self, *arguments: Any, **options: Any) -> Any:
        response = super().send(*arguments, **options)
        response._content = self._body
        response.raw = None
        return response


def test_a_provider_that_says_two_things_said_none() -> None:
    body = b'{"id":"srv-1","suspended":"suspended","suspended":"not_suspended"}'

    with pytest.raises(Unavailable):
        client(Raw(body), 0.2).get("/services/srv-1")
    with pytest.raises(UnknownOutcome):
        client(Raw(body)).send("PATCH", "/services/srv-1")


@pytest.mark.parametrize("said", ["0", "-5", "Tue, 01 Dec 1998 10:00:00 GMT"])
def test_who_says_at_once_for_ever_is_not_flooded(said: str) -> None:
    adapter = Answering(429, None, {"Retry-After": said})

    with pytest.raises(ProviderError):
        client(adapter, 2.0).get("/services")

    assert len(adapter.requests) <= 5


@pytest.mark.parametrize("said", ["31536000", "Tue, 01 Dec 2099 10:00:00 GMT", "1e12"])
def test_who_says_in_a_year_is_asked_again_within_minutes(said: str) -> None:
    adapter = Answering(429, None, {"Retry-After": said})
    asked = client(adapter)

    with pytest.raises(ProviderError):
        asked.get("/services")

    assert asked.limits.wait("all") <= 300


@pytest.mark.parametrize(
    ("fields", "tone"),
    [
        ({}, "bad"),
        ({"maintenance": True}, None),
        ({"suspended": True, "suspenders": "user"}, None),
        ({"health": "healthy"}, None),
    ],
)
def test_a_service_that_is_not_well_is_a_line_of_doctor(api: Service, fields: dict[str, Any], tone: str | None) -> None:
    Service.objects.filter(pk=api.pk).update(**({"health": "unhealthy", "health_detail": "HTTP 503"} | fields))

    lines = {check.name: check for check in doctor.services(None)}

    line = lines.get(f"{API} is well")
    assert (line.tone if line else None) == tone
    assert line is None or "HTTP 503" in line.found


def test_the_entry_of_a_service_that_moved_reads_as_a_sentence(sandbox: Harness, api: Service) -> None:
    sandbox.sandbox.world.services[api.render_id]["ownerId"] = "tea-other"
    poll()

    entry = Entry.objects.get(code="deployments.settings_changed")
    assert f"owner id {api.owner_id} → tea-other" in registry.sentence_for(entry)


TURNED = "shop‮ gnigats‬⁦x"


def test_no_name_or_title_turns_the_order_of_a_sentence(sandbox: Harness, api: Service) -> None:
    """Names, titles and branches; the value of a variable is kept as it is."""
    there = sandbox.sandbox.world.services[api.render_id]
    sandbox.control("push", branch="main", message=TURNED)
    sandbox.control("manual", service=API)
    there.update({"name": TURNED, "branch": TURNED})
    sandbox.render.env_vars.set(api.render_id, "TITLE", TURNED)

    poll()

    row = Service.objects.get(pk=api.pk)
    shown = [
        row.name,
        *row.deployments.values_list("commit_message", flat=True),
        *Entry.objects.values_list("data", flat=True),
    ]
    assert not [words for words in shown if set("‪‫‬‭‮⁦⁧⁨⁩") & set(words)]
    assert row.name.startswith("shop� gnigats")
    assert sandbox.render.env_vars.get(api.render_id, "TITLE").value == TURNED


def test_the_set_up_says_that_render_answers_only_of_lately(api: Service) -> None:
    Heartbeat.objects.update_or_create(name="job:deployments.poll", defaults={"beat_at": timezone.now()})
    assert onboarding._key().tone == "ok"
    Heartbeat.objects.filter(name="job:deployments.poll").update(beat_at=timezone.now() - timedelta(hours=3))

    assert onboarding._key().tone == "warn"


@pytest.mark.parametrize(
    ("fields", "word"),
    [({"suspended": True}, "Suspended"), ({"missing_since": timezone.now()}, "Cannot tell"), ({}, "Within")],
)
def test_a_preview_within_its_time_is_not_green_for_that(
    everything: Client, api: Service, fields: dict[str, Any], word: str
) -> None:
    Service.objects.exclude(parent_render_id="").update(preview_expires_at=timezone.now() + timedelta(days=1), **fields)

    page = everything.get(reverse("admin:deployments_previews")).text

    assert f"</span>{word}" in page
    assert "badge ok" not in page


@pytest.mark.parametrize(("kind", "tone"), [("background_worker", "warn"), ("static_site", "ok")])
def test_a_service_of_whose_addresses_nobody_knows_is_not_let_in(api: Service, kind: str, tone: str) -> None:
    place = Environment.objects.get(pk=api.environment_id)
    Service.objects.filter(environment=place).exclude(pk=api.pk).update(type="static_site")
    Service.objects.create(render_id="srv-new", name="new", type=kind, environment=place)
    Environment.objects.filter(pk=place.pk).update(supabase_ref="abc")
    Heartbeat.objects.keep(workspace.KEPT, {"addresses": {api.render_id: ["192.0.2.1"], "srv-new": []}})
    seen = {"allowed": ["192.0.2.0/24"], "seen_at": timezone.now().isoformat()}
    place.refresh_from_db()
    Heartbeat.objects.keep(network._name(place), seen)

    (check,) = [check for check in network.of(place) if check.name.endswith("reach from Render")]

    assert (check.tone, "of new it told none" in check.found) == (tone, tone == "warn")


BASES = [
    ("http://api.render.com/v1", True),
    ("HTTP://x.example", True),
    ("http://127.0.0.1:9", False),
    ("https://x.example", False),
]


@pytest.mark.parametrize(("base", "red"), BASES)
def test_a_key_that_is_sent_in_clear_is_red(settings: Any, base: str, red: bool) -> None:
    settings.RENDER_API_BASE, settings.SUPABASE_API_BASE = base, "https://x.example"

    assert [check.tone for check in variables.secrets(None) if check.name.endswith("_API_BASE")] == ["bad"] * red
