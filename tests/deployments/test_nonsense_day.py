"""A day in which Render answers nonsense for random tenths of it: empty lists, other shapes, old pages, 5xx, silence.

Services and deploys that are there stay, nothing is taken back or called healthy that is not so, and of each true
change people hear once. OPS_TEST_NONSENSE_HOURS says how long the day is.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
import time_machine
from django.utils import timezone

from deployments.health.probing import record_health
from deployments.health.sight import Sight
from deployments.models import Deployment, Service
from deployments.models.deployment import known
from deployments.render.sync import poll
from operations.models import Notification, Operation
from providers.errors import ProviderError
from providers.http.errors import RateLimited
from providers.http.health_probe import HealthResponse
from tests import sampling
from tests.deployments.strange_render import StrangeHttp

pytestmark = pytest.mark.django_db
BEGAN = datetime(2026, 11, 29, 0, 0, tzinfo=UTC)
MINUTES = 60 * sampling.size("NONSENSE_HOURS")
TENTH = MINUTES // 10
BUILT, SETTLED, BROKEN = 3, 10, 20  # minutes until a release is live, is known to be healthy, and that an outage takes


class Day(StrangeHttp):
    """Honest lives behind answers that may be none: releases every hour or so, a service that goes, and outages, none
    of which is a release's fault."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self.broken: Counter[str] = Counter()  # minutes that the app is still broken
        self.true: Counter[str] = Counter()  # what people may hear of, once each
        for _ in range(3):
            self._appear()
            self.release(list(self.services)[-1])

    def get(self, path: str, params: object = None, *, deadline: float | None = None) -> Any:
        if self._odd(0.1):
            raise RateLimited("Render asks to slow down.", 5.0)
        return super().get(path, params)

    def _about(self, service: str, rest: list[str]) -> Any:
        """No nonsense is a 404 for what is there: twice by id, apart in time, that is Render's word."""
        oddness, self.oddness = self.oddness, 0 if rest[:1] != ["deploys"] or rest[1:] else self.oddness
        try:
            return super()._about(service, rest) if self.oddness == 0 else self._listed(service)
        finally:
            self.oddness = oddness

    def _listed(self, service: str) -> Any:
        rows = [self._seen(row) for row in reversed(self.deploys[service])]
        return self._list([{"cursor": row["id"], "deploy": row} for row in rows])

    def release(self, service: str) -> None:
        self._made += 1
        at = timezone.now().isoformat()
        fails = self.chance.random() < 0.2 and bool(self.deploys[service])
        new = {"id": f"dep-{self._made}", "status": "created", "createdAt": at, "updatedAt": at}
        self.deploys[service].append(
            new | {"commit": {"id": f"{self._made:040x}"}, "before": [], "_age": 0, "_fails": fails}
        )

    def minute(self) -> None:
        for service in list(self.services):
            self.broken[service] = max(0, self.broken[service] - 1)
            settled = self.deploys[service][-1]["_age"] > SETTLED and not self.broken[service]
            if settled and self.chance.random() < 1 / 90:
                self.release(service)
            elif settled and self.chance.random() < 1 / 400:
                self.broken[service] = BROKEN
                self.true["unhealthy"] += 2  # and healthy again
            for row in self.deploys[service]:
                self._grow(service, row)
        if len(self.services) > 2 and self.chance.random() < 1 / 600:
            del self.services[self.chance.choice(list(self.services))]
            self.true["gone"] += 1

    def _grow(self, service: str, row: dict[str, Any]) -> None:
        row["_age"] += 1
        if row["_age"] == 1:
            self._turn(row, "build_in_progress")
        elif row["_age"] == BUILT and row["_fails"]:
            self._turn(row, "build_failed")
            self.true["failed"] += 1
        elif row["_age"] == BUILT:
            for other in self.deploys[service]:
                if other["status"] == "live":
                    self._turn(other, "deactivated")
            self._turn(row, "live")

    def _turn(self, row: dict[str, Any], status: str) -> None:
        row["before"].append({**row, "before": []})
        at = timezone.now().isoformat()
        row |= {"status": status, "updatedAt": at} | ({"finishedAt": at} if "progress" not in status else {})

    def health(self, service: str) -> HealthResponse:
        if self.broken[service]:
            return HealthResponse(503, b'{"status": "degraded"}', 9)
        live = next((row for row in self.deploys[service] if row["status"] == "live"), None)
        version = live["commit"]["id"] if live else ""
        return HealthResponse(200, json.dumps({"status": "ok", "version": version}).encode(), 9)


@pytest.mark.usefixtures("one_clock")
@pytest.mark.parametrize("part", range(2 if sampling.WHOLE else 1))
def test_nothing_is_lost_taken_back_or_told_twice(part: int) -> None:
    chance = random.Random(sampling.SEED + part)
    with time_machine.travel(BEGAN, tick=False) as clock:
        world = Day(chance)
        client, odd = world.client(), [chance.random() < 0.5 for _ in range(10)]
        world.oddness = 0
        for minute in range(MINUTES):
            clock.shift(60)
            world.minute()
            world.oddness = 0.9 if odd[min(9, minute // TENTH)] else 0
            with suppress(ProviderError):
                poll(client=client)
            look(world)
        world.oddness = 0
        for _ in range(4):
            clock.shift(60)
            poll(client=client)
    ends_in_the_truth(world)
    heard(world, nonsense=sum(odd))


def look(world: Day) -> None:
    """A probe of each service, and what the rows say of it then."""
    sight = cast(Sight, SimpleNamespace(is_clear=True))
    Service.objects.filter(auto_rollback=False).update(auto_rollback=True)
    for row in Service.objects.filter(removed_at=None, render_id__in=list(world.services)):
        record_health(row, world.health(row.render_id), sight)
        row.refresh_from_db()
        red = world.broken[row.render_id] and world.broken[row.render_id] <= BROKEN - 2
        assert not (red and row.health == "healthy"), row
    gone = set(Service.objects.exclude(removed_at=None).values_list("render_id", flat=True))
    assert not gone & set(world.services)


def ends_in_the_truth(world: Day) -> None:
    assert set(Service.objects.filter(removed_at=None).values_list("render_id", flat=True)) == set(world.services)
    rows = {row.render_id: row.status for row in Deployment.objects.filter(service__removed_at=None)}
    assert rows == {row["id"]: known(row["status"]) for key in world.services for row in world.deploys[key]}
    assert not Operation.objects.exists()


def heard(world: Day, nonsense: int) -> None:
    """By what they are about; Render itself may be told once when a tenth of nonsense begins and once when it ends."""
    about = Counter(row.dedupe_key.split(":")[0] for row in Notification.objects.all())
    alarms = Counter(
        row.dedupe_key.split(":")[1] for row in Notification.objects.filter(dedupe_key__startswith="alarm:")
    )
    assert about["deploy-failed"] <= world.true["failed"]
    assert about["service_removed"] <= world.true["gone"]
    assert about["service_back"] == 0
    assert alarms["health"] <= world.true["unhealthy"]
    assert alarms["render"] <= 2 * nonsense, Notification.objects.values_list("subject", "created_at")
