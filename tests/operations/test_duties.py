"""Periodic jobs: one that raises is told and none of the others' business, one that hangs delays nobody, and what is
due is measured by the database's clock, whatever the machine's says."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from operations import doctor
from operations.doctor import Check
from operations.doctor.duties import duties
from operations.doctor.periodic import clocks, periodic_jobs
from operations.engine import tick
from operations.engine.tick import Job
from operations.management.commands import tick as command
from operations.models import Heartbeat, Notification
from operations.periodic.isolation import Failed, SomeFailed, each
from operations.worker import duties as duties_module
from operations.worker.duties import Duties
from providers.http.errors import Unavailable

HOUR = timedelta(hours=1)


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> dict[str, Job]:
    """Nothing is registered but what the test adds."""
    registered: dict[str, Job] = {}
    monkeypatch.setattr(tick, "_jobs", registered)
    return registered


def breaks() -> None:
    raise OperationalError("server closed the connection unexpectedly")


@pytest.mark.django_db
def test_a_job_that_raises_is_told_once_and_stops_no_other(jobs: dict[str, Job]) -> None:
    ran: list[str] = []
    jobs.update({"a": Job("a", 0, lambda: ran.append("a")), "b": Job("b", 0, breaks), "c": Job("c", 0, ran.clear)})
    jobs["d"] = Job("d", 0, lambda: ran.append("d"))

    for _ in range(3):
        tick.tick()

    assert ran == ["d"]
    assert Notification.objects.get().subject == "Periodic job b fails"
    assert [row.error.partition(":")[0] for row in duties()] == ["", "OperationalError", "", ""]
    found = {check.name: check.tone for check in periodic_jobs(None)}
    assert found == {"job b": "bad", "periodic jobs": "ok"}
    jobs["b"] = Job("b", 0, lambda: None)
    tick.tick()
    assert Notification.objects.order_by("pk").last().subject == "Resolved: Periodic job b fails"


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", [HOUR, -HOUR, 24 * HOUR])
def test_a_wrong_clock_is_told_and_moves_no_slot(jobs: dict[str, Job], wrong: timedelta) -> None:
    ran: list[int] = []
    jobs["a"] = Job("a", 60, lambda: ran.append(1))
    with time_machine.travel(timezone.now() + wrong):
        tick.tick()
        tick.tick()
    assert len(ran) == 1
    assert "is wrong" in Notification.objects.get().subject
    assert [check.tone for check in clocks(None)] == ["bad"]
    Heartbeat.objects.filter(name="job:a").update(beat_at=timezone.now() - timedelta(minutes=2))

    tick.tick()

    assert len(ran) == 2
    assert Heartbeat.objects.get(name="tick").beat_at < timezone.now() + timedelta(minutes=1)
    assert list(clocks(None)) == []


@pytest.mark.django_db
def test_a_beat_of_the_future_holds_nothing_up(jobs: dict[str, Job]) -> None:
    ran: list[int] = []
    jobs["a"] = Job("a", 60, lambda: ran.append(1))
    Heartbeat.objects.create(name="job:a", beat_at=timezone.now() + HOUR)

    tick.tick()

    assert ran == [1]


@pytest.mark.django_db
def test_what_has_not_begun_for_long_is_late(jobs: dict[str, Job], client: Client, admin_user: object) -> None:
    jobs["a"] = Job("a", 60, lambda: None)
    Heartbeat.objects.create(name="job:a", beat_at=timezone.now() - HOUR, detail={"seconds": 2.5, "by": "worker-7"})

    assert [(check.name, check.tone) for check in periodic_jobs(None)] == [("job a", "warn"), ("periodic jobs", "ok")]
    client.force_login(admin_user)  # type: ignore[arg-type]
    shown = client.get("/admin/doctor/").content.decode()
    assert "worker-7" in shown
    assert "2.50 s" in shown


@pytest.mark.django_db
def test_what_nobody_may_do_or_ever_did_is_not_in_time(jobs: dict[str, Job], monkeypatch: pytest.MonkeyPatch) -> None:
    jobs |= {"a": Job("a", 0, lambda: None), "signs": Job("signs", 0, lambda: None, lambda: False)}
    monkeypatch.setattr(doctor, "_sources", {"read": lambda _: [Check("its state", "ok", "well")]})
    monkeypatch.setattr(doctor, "_rests_on", {"read": "signs"})
    tick.tick()

    found = {check.name: (check.tone, check.found) for check in periodic_jobs(None)}

    assert found == {"job signs": ("warn", "never began"), "periodic jobs": ("ok", "1 of 2 run in time")}
    assert [(check.tone, check.found) for check in doctor.run()] == [("warn", "well, though its job never began")]


@pytest.mark.django_db(transaction=True)
def test_one_that_hangs_delays_neither_the_others_nor_the_ticker(jobs: dict[str, Job]) -> None:
    held, began, ran, runner = threading.Event(), [], threading.Semaphore(0), Duties()

    def hang() -> None:
        began.append(1)
        held.wait(30)

    jobs.update({"a": Job("a", 0, hang), "b": Job("b", 0, ran.release)})

    for _ in range(3):
        tick.tick(runner.start)
        assert ran.acquire(timeout=20)
        if (thread := runner._running.get("b")) is not None:
            thread.join(20)

    held.set()
    runner.wait(20)
    assert began == [1]


@pytest.mark.django_db(transaction=True)
def test_however_many_hang_the_others_run(jobs: dict[str, Job], monkeypatch: pytest.MonkeyPatch) -> None:
    held, ran, runner = threading.Event(), threading.Semaphore(0), Duties()
    jobs |= {
        f"hangs {number}": Job(f"hangs {number}", 0, lambda: held.wait(60)) for number in range(duties_module.MOST)
    }
    jobs["z"] = Job("z", 0, ran.release)
    tick.tick(runner.start)
    assert not ran.acquire(blocking=False)
    monkeypatch.setattr(duties_module, "HANGS_SECONDS", 0)

    tick.tick(runner.start)

    done = ran.acquire(timeout=20)
    held.set()
    runner.wait(20)
    assert done


@pytest.mark.django_db(transaction=True)
def test_one_round_of_a_cron_service_waits_for_no_duty_that_hangs(
    jobs: dict[str, Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    held, ran = threading.Event(), list[str]()
    monkeypatch.setattr(command, "PATIENCE_SECONDS", 4.0)
    jobs["hangs"] = Job("hangs", 0, lambda: held.wait(60))
    jobs |= {name: Job(name, 0, lambda name=name: ran.append(name)) for name in "abcdefghijkl"}  # type: ignore[misc]
    began = time.monotonic()

    with pytest.raises(CommandError, match="Still running, ended with this process: hangs"):
        call_command("tick")

    held.set()
    assert sorted(ran) == list("abcdefghijkl")
    assert time.monotonic() - began < 30


@pytest.mark.django_db
def test_what_fails_before_the_jobs_stops_none_of_them(jobs: dict[str, Job], monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    jobs["a"] = Job("a", 0, lambda: ran.append("a"))
    for part in ("notice_clock", "wake_due"):
        monkeypatch.setattr(tick, part, lambda: 1 // 0)

    with pytest.raises(SomeFailed, match=r"^2 failed, the others were done: clock"):
        tick.tick()

    assert ran == ["a"]


@pytest.mark.django_db
def test_who_cannot_do_a_duty_leaves_its_turn_to_who_can():
    ran = list[str]()
    lacks = Job("signs", 60, lambda: ran.append("without a key"), lambda: False)
    holds = Job("signs", 60, lambda: ran.append("with it"))

    for job in (lacks, holds):
        tick.run_job(job)

    assert ran == ["with it"]


def test_silence_that_begins_within_a_row_ends_the_pass_too() -> None:
    """A row whose own parts were not answered counts on: the outage is everybody's."""
    failed, asked = Failed(), list[str]()

    def ask(name: str) -> None:
        asked.append(name)
        raise Unavailable("Away.")

    with pytest.raises(Unavailable):
        for row in "ab":
            with each(row, failed):
                for part in "1234":
                    with each(f"{row} {part}", failed):
                        ask(f"{row} {part}")

    assert asked == ["a 1", "a 2", "a 3"]


@pytest.mark.django_db
@pytest.mark.parametrize("when", ["before", "while it runs"])
def test_a_duty_whose_row_somebody_deleted_runs_and_tells(jobs: dict[str, Job], when: str) -> None:
    def breaks_alone() -> None:
        if when != "before":
            Heartbeat.objects.all().delete()
        raise ValueError("it is odd")

    jobs["a"] = Job("a", 0, breaks_alone)
    tick.run_job(jobs["a"])
    Heartbeat.objects.all().delete()
    Notification.objects.all().delete()

    tick.run_job(jobs["a"])

    (duty,) = duties()
    assert (duty.error, duty.is_late) == ("ValueError: it is odd", False)
    assert Notification.objects.count() == 1
