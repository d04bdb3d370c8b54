"""Days of simulated time: four zones, three schedulers, outages; every slot once, or marked missed, never two.

In: OPS_TEST_DAYS (14 from 24 March: a skipped hour, a repeated half hour; 365 are all), OPS_TEST_SEED. The slots
that are expected come from offsets tried by hand, their fate from a model that is told the same ticks.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db import connection

from backups.models import Policy, Run, Slot
from backups.policies import scheduler
from backups.policies.cron import slots_between
from operations.models import Environment, Operation
from tests import sampling

DAYS = sampling.size("DAYS")
SEED = sampling.SEED
OUTAGES = 20 if DAYS >= 365 else 3
START = datetime(2026, 3, 24, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LAGS = (timedelta(0), timedelta(0), 3 * MINUTE)  # the third scheduler's clock is slow
WALLS = {  # zone: cron line, the same as times of day, minutes of grace
    "Europe/Paris": ("30 2 * * *", (time(2, 30),), 60),
    "America/New_York": ("30 1,2 * * *", (time(1, 30), time(2, 30)), 180),
    "Asia/Kolkata": ("20 12 * * *", (time(12, 20),), 120),
    "Australia/Lord_Howe": ("45 1 * * *", (time(1, 45),), 90),
}


def instant(day: date, wall: time, place: ZoneInfo) -> datetime:
    """The first instant at which the wall clock shows this; if none does, by the offset of the day before."""
    naive = datetime.combine(day, wall)
    noons = [datetime.combine(day + timedelta(days=n), time(12), place).utcoffset() or timedelta() for n in (-1, 1)]
    instants = [(naive - offset).replace(tzinfo=UTC) for offset in noons]
    return min((at for at in instants if at.astimezone(place).replace(tzinfo=None) == naive), default=instants[0])


def expected(zone: str, end: datetime) -> list[datetime]:
    days = [START.date() + timedelta(days=n) for n in range(-1, DAYS + 3)]
    instants = {instant(day, wall, ZoneInfo(zone)) for day in days for wall in WALLS[zone][1]}
    return sorted(at for at in instants if START < at <= end)


@dataclass
class Model:
    """What must become of each slot, told the same ticks in the same order."""

    slots: dict[int, list[datetime]]
    grace: dict[int, timedelta]
    fate: dict[tuple[int, datetime], str] = field(default_factory=dict)
    newest: datetime = START

    def tick(self, now: datetime) -> int:
        self.newest, started = max(self.newest, now), 0
        for policy, slots in self.slots.items():
            due = [at for at in slots if at <= now and (policy, at) not in self.fate]
            for at in due:
                there = at == due[-1] and now - at <= self.grace[policy]
                self.fate[policy, at] = "started" if there else "missed"
                started += there
        return started

    def open_status(self, policy: int, at: datetime) -> str:
        return "late" if self.newest - at > self.grace[policy] else "started"


def outages(chance: Random) -> list[tuple[datetime, datetime]]:
    """One somewhere in each part of the time, from minutes to two days."""
    part = DAYS * DAY / OUTAGES
    begins = [START + part * n + chance.random() * max(part - 3 * DAY, DAY) for n in range(OUTAGES)]
    return [(at, at + min(5 * MINUTE * 576 ** chance.random(), 2 * DAY - HOUR)) for at in begins]


def ticks(chance: Random, model: Model) -> Iterator[tuple[datetime, int]]:
    """When which scheduler looks: now and then, about when something is due, before and soon after an outage."""
    dark, looks, end = outages(chance), [], START + DAYS * DAY
    for worker in range(len(LAGS)):
        at = START
        while (at := at + (chance.random() * 36 + 0.1) * HOUR) < end:
            looks.append((at, worker))
        looks += [(begin, worker) for begin, _ in dark]
        looks += [(after + chance.random() * 10 * MINUTE, worker) for _, after in dark]
    for policy, slots in model.slots.items():
        for slot in slots:
            if slot < end and chance.random() < 0.8:
                looks.append((slot + chance.random() * 1.2 * model.grace[policy], chance.randrange(len(LAGS))))
    yield from sorted(look for look in looks if not any(begin < look[0] < after for begin, after in dark))


@dataclass
class Portal:
    """The real scheduler, alone or two at once; operations end some minutes to hours after their request."""

    chance: Random
    model: Model
    pool: ThreadPoolExecutor
    gate: Barrier = field(default_factory=lambda: Barrier(2, timeout=30))
    ends: dict[str, datetime] = field(default_factory=dict)
    final: dict[tuple[int, datetime], str] = field(default_factory=dict)

    def together(self, now: datetime) -> int:
        """Both within one minute, so that neither sees a slot which the other does not."""
        nows = [now, now.replace(second=self.chance.randint(1, 59))]
        return sum(self.pool.map(self._meet, nows))

    def _meet(self, now: datetime) -> int:
        self.gate.wait()
        return scheduler.run_due(now)

    def close(self) -> None:
        for done in [self.pool.submit(self._close) for _ in range(2)]:
            done.result()

    def _close(self) -> None:
        self.gate.wait()
        connection.close()

    def end_operations(self, now: datetime) -> None:
        for slot in Slot.objects.filter(operation__status="queued").order_by("at", "policy"):
            key, pk = (slot.policy_id, slot.at), str(slot.operation_id)
            if now >= self.ends.setdefault(pk, slot.at + (0.2 + 4 * self.chance.random()) * HOUR):
                assert slot.status == self.model.open_status(*key), key
                self.final[key] = self.chance.choice(["proven", "failed"])
                self.end(pk, slot.policy, self.final[key], now)

    def end(self, pk: str, policy: Policy, final: str, now: datetime) -> None:
        ended = "succeeded" if final == "proven" else "failed"
        assert Operation.objects.advance(pk, "queued", "running", started_at=now)
        assert Operation.objects.advance(pk, "running", ended, outcome=ended, ended_at=now)
        if final == "proven":
            Run.objects.create(operation_id=pk, policy=policy, status="proven", proven_at=now)


@pytest.fixture
def policies(transactional_db: None) -> dict[int, str]:
    environment = Environment.objects.create(slug="production", name="P", kind="production", protected=True)
    rows = [
        Policy(
            environment=environment,
            name=f"p{number}",
            tables=["*"],
            cron=cron,
            time_zone=zone,
            grace_minutes=grace,
            scheduled_at=START,
        )
        for number, (zone, (cron, _, grace)) in enumerate(WALLS.items())
    ]
    return {row.pk: row.time_zone for row in Policy.objects.bulk_create(rows)}


def walk(portal: Portal, chance: Random, person: User) -> None:
    acknowledged = START
    for at, worker in ticks(chance, portal.model):
        now = at.replace(second=chance.randint(1, 59)) - LAGS[worker]
        portal.end_operations(now)
        due = portal.model.tick(now)
        both = chance.random() < (0.5 if due else 0.1)
        assert (portal.together if both else scheduler.run_due)(now) == due, f"{now} together={both}"
        portal.model.newest = max(portal.model.newest, now.replace(second=59) if both else now)
        if now - acknowledged > 3 * DAY:
            acknowledged = now
            scheduler.acknowledge(Slot.objects.all(), person)


def test_every_slot_of_many_days_runs_once_or_is_marked_missed(policies: dict[int, str]) -> None:
    print(f"OPS_TEST_SEED={SEED} OPS_TEST_DAYS={DAYS}")  # shown with a failure
    chance, grace = Random(SEED), {pk: WALLS[zone][2] * MINUTE for pk, zone in policies.items()}
    slots = {pk: expected(zone, START + (DAYS + 2) * DAY) for pk, zone in policies.items()}
    with ThreadPoolExecutor(2) as pool:
        portal = Portal(chance, Model(slots, grace), pool)
        try:
            walk(portal, chance, User.objects.create_superuser("olga"))
        finally:
            portal.close()

    model, rows = portal.model, Slot.objects.select_related("operation")
    started = {key for key, fate in model.fate.items() if fate == "started"}
    want = {
        key: "missed" if key not in started else portal.final.get(key) or model.open_status(*key) for key in model.fate
    }
    assert sorted(want) == sorted(
        key for pk, zone in policies.items() for key in ((pk, at) for at in slots[pk]) if key[1] <= model.newest
    )
    assert sorted((row.policy_id, row.at) for row in rows) == sorted(want)
    assert {key for row in rows if row.operation_id for key in [(row.policy_id, row.at)]} == started
    assert Operation.objects.filter(kind="backups.export").count() == len(started)
    assert {(row.policy_id, row.at): row.status for row in rows} == want
    assert {"missed", "proven", "failed"} <= set(want.values())


def test_slots_stay_in_order_where_the_clock_skips_half_an_hour() -> None:
    line, zone, before = "10,35 2 * * *", "Australia/Lord_Howe", datetime(2026, 10, 3, 14, tzinfo=UTC)
    wanted = [before + minutes * MINUTE for minutes in (95, 100)]

    assert list(slots_between(line, zone, before, before + DAY))[:2] == wanted
