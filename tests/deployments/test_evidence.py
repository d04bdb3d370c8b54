"""What Render says is evidence: any order of words is recorded, no odd answer removes or stops anything."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from deployments.models import Deployment, Service, SyncState
from deployments.models.deployment import Status, known
from deployments.render.listed import SyncReport
from deployments.render.record_deploy import observe
from deployments.render.service_rows import fetch
from deployments.render.sync import poll, sync_service
from ledger.models import Entry
from ledger.registry import sentence_for
from operations.models import Environment
from operations.periodic import gone
from providers.errors import ProviderError
from providers.http.errors import Misshapen
from providers.render import Deploy
from providers.render import Service as Seen
from providers.render.paging import things
from tests import sampling
from tests.deployments.strange_render import ODD_LISTS, ODD_THINGS, StrangeHttp, service_answer
from tests.render_sandbox import Harness

pytestmark = pytest.mark.django_db
BEGAN = datetime(2026, 11, 29, 3, 0, tzinfo=UTC)
ENDED = [word for word in Status.values if word not in ("created", "queued") and "progress" not in word]


def seen(status: str, second: int | None) -> Deploy:
    at = (BEGAN + timedelta(seconds=second)).isoformat() if second is not None else None
    return Deploy.parse({"id": "dep-1", "status": status, "createdAt": BEGAN.isoformat(), "updatedAt": at})


def test_any_order_of_words_is_recorded_and_an_old_one_moves_nothing() -> None:
    for number, (before, after) in enumerate(product(Status.values, repeat=2)):
        if not sampling.chosen(f"{before} {after}", 4) and before not in ENDED:
            continue
        service = Service.objects.create(render_id=f"srv-{number}", name=f"api-{number}")
        observe(service, seen(before, 10))

        observe(service, seen(after, 20))
        newest = service.deployments.get().provider_status
        observe(service, seen(before, 5))

        assert (newest, service.deployments.get().provider_status) == (after, after), (before, after)


def test_an_order_that_nobody_expects_is_a_note() -> None:
    service = Service.objects.create(render_id="srv-1", name="api")
    observe(service, seen("canceled", 1))

    observe(service, seen("deactivated", 2))

    entry = Entry.objects.get(code="deployments.odd_order")
    assert (entry.actor, sentence_for(entry)) == (
        "Render",
        "Render changed its word about api dep-1: it had been canceled, now it is deactivated",
    )


@pytest.mark.parametrize("second", [10, None])
def test_word_of_the_same_time_or_of_none_takes_no_step_back(second: int | None) -> None:
    service = Service.objects.create(render_id="srv-1", name="api")
    observe(service, seen("live", 10))

    moved = [observe(service, seen(word, second)) for word in ("created", "build_in_progress", "update_in_progress")]

    assert (moved, service.deployments.get().status) == ([False, False, False], "live")


def test_an_ended_word_that_we_do_not_know_does_not_go_on() -> None:
    service = Service.objects.create(render_id="srv-1", name="api")
    ended = Deploy.parse({"id": "dep-1", "status": "artifact_fetch_failed", "finishedAt": BEGAN.isoformat()})

    observe(service, ended)

    row = service.deployments.get()
    assert (row.word, row.moving) == ("artifact_fetch_failed", False)


@pytest.mark.parametrize("answer", [answer for answer in ODD_LISTS if not isinstance(answer, list)], ids=str)
def test_a_list_of_another_shape_is_an_error_and_not_empty(answer: Any) -> None:
    class Http:
        provider = "Render"

        def get(self, *arguments: object) -> Any:
            return answer

    with pytest.raises(Misshapen, match="instead of a list"):
        list(things(Http(), "/services", "service"))  # type: ignore[arg-type]


def test_a_list_whose_cursor_leads_back_ends_in_an_error() -> None:
    class Http:
        provider = "Render"

        def get(self, *arguments: object) -> Any:
            return [{"cursor": "again", "service": {"id": "srv-1"}}]

    with pytest.raises(Misshapen, match="repeats the cursor"):
        list(things(Http(), "/services", "service", limit=1))  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", [*ODD_THINGS, []], ids=str)
def test_an_answer_about_nothing_or_another_is_none(answer: Any) -> None:
    http = StrangeHttp(random.Random(1))
    http.get = lambda *arguments, **named: answer  # type: ignore[method-assign]
    client = http.client()

    for read in (lambda: client.services.get("srv-1"), lambda: client.deploys.get("srv-1", "dep-1")):
        with pytest.raises(Misshapen):
            read()


@pytest.mark.parametrize("answer", [{"deploy": {"id": "dep-1"}}, [], "text", {"id": None}, None], ids=str)
def test_a_write_whose_answer_names_no_deploy_is_looked_up(answer: Any) -> None:
    http = StrangeHttp(random.Random(1))
    http.send = lambda *arguments, **named: answer  # type: ignore[attr-defined]
    deploys = http.client().deploys

    assert (deploys.create("srv-1"), deploys.rollback("srv-1", "dep-1")) == (None, None)


def test_a_page_that_has_a_deploy_twice_unlike_is_not_taken_at_either_word() -> None:
    http = StrangeHttp(random.Random(1))
    http.oddness, row = 0, {"id": "dep-1", "status": "created", "updatedAt": BEGAN.isoformat(), "before": []}
    http.services["srv-1"] = service_answer("srv-1", "api")
    http.deploys["srv-1"] = [row]
    twice = {"cursor": "dep-1", "deploy": {**row, "status": "live"}}
    http._list = lambda items: [*items, twice] if "deploy" in items[0] else items  # type: ignore[method-assign]
    for _ in range(2):  # the history, then the newest
        poll(client=http.client())

        assert list(Deployment.objects.values_list("render_id", "status")) == [("dep-1", "created")]


def test_one_row_that_cannot_be_stored_stops_no_other(sandbox: Harness) -> None:
    services = sandbox.sandbox.world.services
    odd, other = list(services)[:2]
    services[odd]["serviceDetails"]["numInstances"] = -1
    services[other]["name"] = "nul\0"

    report = poll()

    assert Service.objects.count() == len(services) - 1
    assert len(report.failed) == len(SyncState.objects.get().unread) == 1
    assert Service.objects.get(render_id=other).name == "nul�"


def test_a_preview_named_like_production_is_not_production() -> None:
    for number, (name, parent) in enumerate([("production", ""), ("Production", "srv-parent"), ("staging", "srv-x")]):
        http = StrangeHttp(random.Random(number))
        http.oddness = 0
        details = {"url": "https://a.example"} | ({"parentServer": {"id": parent}} if parent else {})
        for key, branch in ((f"srv-{number}", "main"), (f"srv-s{number}", "staging")):
            http.services[key] = service_answer(key, name, branch=branch, serviceDetails=details)
            http.deploys[key] = []
        poll(client=http.client())

    places = Environment.objects.filter(services__parent_render_id__gt="").values_list("kind", flat=True)
    assert set(places) == {"preview"}


@pytest.mark.usefixtures("one_clock")
@pytest.mark.parametrize("part", range(4))
def test_random_histories_end_in_what_there_is(part: int) -> None:
    """Each seed: changes at Render between polls and webhooks that are answered at random; then two honest polls."""
    for number in range(part, sampling.size("RENDER_HISTORIES"), 4):
        seed = sampling.SEED + number
        with transaction.atomic():
            live_through(seed)
            transaction.set_rollback(True)


def live_through(seed: int) -> None:
    chance = random.Random(seed)
    http = StrangeHttp(chance)
    client = http.client()
    with time_machine.travel(BEGAN, tick=False) as clock:
        for _ in range(chance.randint(4, 14)):
            clock.shift(chance.choice([1, 5, 20, 31, 60]))
            http.happen()
            with suppress(ProviderError):
                if chance.random() < 0.6 or not http.services:
                    poll(client=client)
                else:
                    hear(client, chance.choice(list(http.services)))
            only_what_was_missed_twice(http, seed)
        http.oddness = 0
        for _ in range(3):
            clock.shift(60)
            poll(client=client)
    assert sorted(Service.objects.filter(removed_at=None).values_list("render_id", flat=True)) == sorted(http.services)
    rows = {row.render_id: row.status for row in Deployment.objects.filter(service__removed_at=None)}
    truth = {row["id"]: known(row["status"]) for key in http.services for row in http.deploys[key]}
    assert rows == truth, seed
    runs = {row.render_id: row.commit_sha for row in Deployment.objects.filter(service__removed_at=None)}
    assert runs == {row["id"]: row["commit"]["id"] for key in http.services for row in http.deploys[key]}, seed
    for key, service in http.services.items():
        known_as = Service.objects.get(render_id=key)
        states = service["suspended"] == "suspended", service.get("branch", "")
        assert (known_as.suspended, known_as.branch) == states, seed


def hear(client: Any, service: str) -> None:
    """As a webhook's worker does."""
    if (row := fetch(client, service)) is not None:
        sync_service(client, row, SyncReport())


def only_what_was_missed_twice(http: StrangeHttp, seed: int) -> None:
    for row in Service.objects.exclude(removed_at=None):
        times = http.missed.get(row.render_id, [])
        assert times, (seed, row)
        assert max(times) - min(times) >= gone.APART, (seed, row)


def test_a_404_of_long_ago_and_one_of_now_without_word_in_between(known: SyncReport, sandbox: Harness) -> None:
    """An answer in between makes the first one void."""
    row = Service.objects.get(name="sampelit-web-pr-41")
    for times in range(3):
        sandbox.control("fault", match=f"GET /services/{row.render_id}$", kind="404", times=1)
        with time_machine.travel(timezone.now() + timedelta(minutes=times)):
            assert fetch(sandbox.render, row.render_id) is None
            assert fetch(sandbox.render, row.render_id) is not None

    assert Service.objects.get(pk=row.pk).removed_at is None
    assert Seen.parse({"suspenders": "billing"}).suspenders == ()
