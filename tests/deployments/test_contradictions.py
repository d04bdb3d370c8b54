"""A list that contradicts what is known without being newer, or that tells half, is no word: Render is asked by id."""

from __future__ import annotations

import random
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deployments.models import Deployment, Service
from deployments.render.sync import poll
from ledger.models import Entry
from operations.models import Notification
from providers.http.errors import Misshapen, NotFound
from providers.render import Service as Seen
from tests.deployments.strange_render import StrangeHttp, service_answer
from tests.missing import for_a_minute

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 29, 3, 0, tzinfo=UTC)
LATER = (AT + timedelta(minutes=1)).isoformat()
COMMIT, OTHER = "a" * 40, "b" * 40


class Told(StrangeHttp):
    """What lists say may be another thing than what Render answers by id."""

    def __init__(self) -> None:
        super().__init__(random.Random(1))
        self.oddness = 0
        self.services["srv-1"] = service_answer("srv-1", "api", updatedAt=AT.isoformat())
        row = {"id": "dep-1", "status": "live", "createdAt": AT.isoformat(), "updatedAt": AT.isoformat()}
        self.deploys["srv-1"] = [row | {"commit": {"id": COMMIT}, "before": []}]
        self.listed: dict[str, Any] = {}
        self.lost = ""

    def _list(self, items: list[Any]) -> Any:
        name = "service" if "service" in items[0] else "deploy"
        return [{**deepcopy(items[0]), name: {**items[0][name], **more}} for more in self.listed.get(name, [{}])]

    def _about(self, service: str, rest: list[str]) -> Any:
        if self.lost and self.lost == (rest[1] if rest[1:] else "" if rest else service):
            raise NotFound("Render does not know it.")
        return super()._about(service, rest)


@pytest.fixture
def http() -> Told:
    http = Told()
    for _ in range(2):
        poll(client=http.client())
    return http


def polled(http: Told, times: int = 3) -> tuple[Deployment, Service]:
    for _ in range(times):
        report = poll(client=http.client())
        assert len(report.failed) <= 1
    return Deployment.objects.get(), Service.objects.get()


DEPLOYS = [
    {"status": "deactivated"},
    {"status": "build_in_progress"},
    {"status": "canceled"},
    {"status": "hibernating"},
    {"commit": {"id": OTHER}},
    {"image": {"ref": "repo:other"}, "commit": {"id": OTHER}},
    {"status": "build_in_progress", "updatedAt": None},
]


@pytest.mark.parametrize("says", DEPLOYS, ids=str)
def test_a_list_of_the_same_time_moves_no_deploy_and_render_by_id_does(http: Told, says: dict[str, Any]) -> None:
    before = Deployment.objects.values().get()
    http.listed["deploy"] = [says]
    stays = {"status": "live", "commit_sha": COMMIT}
    entries = Entry.objects.count()
    if says != DEPLOYS[0]:  # one that is superseded may say so without a new time
        row, _ = polled(http)
        assert Deployment.objects.filter(**stays).exists()
        assert Entry.objects.count() == entries
        assert Deployment.objects.values().get() == before
    http.deploys["srv-1"][0] |= says
    row, _ = polled(http)

    assert row.provider_status == says.get("status", "live")
    assert row.commit_sha == says.get("commit", {}).get("id", COMMIT)
    assert Entry.objects.count() - entries <= 1


def test_what_render_no_longer_knows_by_id_is_not_live_by_an_old_page(http: Told) -> None:
    http.listed["deploy"] = [{"status": "created", "updatedAt": LATER}]
    http.lost = "dep-1"
    Deployment.objects.update(status="build_in_progress")
    for _ in range(2):
        polled(http, 1)
        for_a_minute(Deployment)
    assert Deployment.objects.get().provider_status == "gone"
    http.listed["deploy"] = [{"status": "live", "updatedAt": LATER}]

    row, _ = polled(http)
    assert (row.status, row.provider_status) == ("deactivated", "gone")
    http.lost = ""
    assert polled(http)[0].status == "live"


def test_a_superseded_deploy_that_is_live_again_is_told(http: Told) -> None:
    for status, minute in (("deactivated", 1), ("live", 2)):
        http.deploys["srv-1"][0] |= {"status": status, "updatedAt": (AT + timedelta(minutes=minute)).isoformat()}
        polled(http, 1)

    assert Entry.objects.filter(code="deployments.odd_order").count() == 1


SERVICES: list[list[dict[str, Any]]] = [
    [{"suspended": "suspended"}],
    [{"autoDeploy": "yes"}],
    [{}, {"suspended": "suspended"}],
    [{"suspended": "suspended"}, {}],
    [{"serviceDetails": {"url": "https://a.example", "maintenanceMode": {"enabled": True, "uri": ""}}}],
    [{"updatedAt": (AT - timedelta(days=1)).isoformat(), "branch": "old"}],
    [{"suspended": None}],
    [{"autoDeploy": None}],
    [{"serviceDetails": None}],
    [{"serviceDetails": {}}],
    [{"serviceDetails": {"url": "https://a.example", "maintenanceMode": {"enabled": "no"}}}],
]


@pytest.mark.parametrize("says", SERVICES, ids=str)
def test_a_list_that_contradicts_itself_or_tells_half_changes_no_service(
    http: Told, says: list[dict[str, Any]]
) -> None:
    before, entries = Service.objects.values().get(), Entry.objects.count()
    http.listed["service"] = says

    polled(http)
    assert Service.objects.values().get() == before
    assert Entry.objects.count() == entries
    http.services["srv-1"] |= says[0]
    if None in says[0].values() or says[0].get("serviceDetails") == {}:
        polled(http)
        assert Service.objects.values().get() == before


def test_what_is_gone_is_not_back_by_an_old_page(http: Told) -> None:
    Service.objects.update(removed_at=AT)
    Notification.objects.all().delete()
    http.lost = "srv-1"

    for _ in range(3):
        poll(client=http.client())
    assert Service.objects.get().removed_at == AT
    assert not Notification.objects.exists()
    http.lost = ""
    for _ in range(3):
        poll(client=http.client())
    assert Service.objects.get().removed_at is None
    assert Notification.objects.count() == 1


HALF = [{"suspended": None}, {"autoDeploy": 1}, {"serviceDetails": []}, {"serviceDetails": {"url": ""}}]
HALF += [
    {"serviceDetails": {"url": "https://a", "maintenanceMode": mode}} for mode in ({}, {"enabled": None}, "off", [])
]


@pytest.mark.parametrize("half", HALF, ids=str)
def test_no_state_is_read_from_an_answer_that_lacks_it(half: dict[str, Any]) -> None:
    http = StrangeHttp(random.Random(1))
    http.oddness, http.services["srv-1"] = 0, service_answer("srv-1", "api", **half)

    with pytest.raises(Misshapen, match="said nothing of"):
        http.client().services.get("srv-1")


def test_a_word_for_suspended_that_we_do_not_know_is_not_running() -> None:
    assert Seen.parse(service_answer("srv-1", "api", suspended="hibernating")).suspended
    assert not Seen.parse(service_answer("srv-1", "api")).suspended
