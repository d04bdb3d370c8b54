"""Anomalies as pure functions: what a steady history never raises, and what it always does."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backups.archive.manifest import Manifest, Segment, Table
from backups.archive.source import Source
from backups.models import Slot
from backups.proof.anomalies import FEWEST_RUNS, Measured, off_trend, shrunk, too_slow
from backups.web.calendar import Day, heat, worst

START = datetime(2026, 1, 1, tzinfo=UTC)
SOURCE = Source("d", "r", "17", "1", 1, "1", "1", "0/0", "2026-01-01T00:00:00+00:00")
CAPPED = settings(max_examples=60, deadline=None)


def manifest(**tables: tuple[int, int]) -> Manifest:
    def table(name: str, rows: int, size: int) -> Table:
        segment = Segment("k", "", "", rows, "0", size, "x", size, "x", False)
        return Table("public", name, "csv", True, (), (segment,))

    made = tuple(table(name, *numbers) for name, numbers in tables.items())
    return Manifest("RUN", 1, "production", "audit-trail", SOURCE, made, ())


@CAPPED
@given(before=st.integers(1, 10**9), share=st.floats(0, 1.5), size=st.integers(10, 400))
def test_a_table_is_told_exactly_when_it_lost_a_fifth_of_its_rows(before: int, share: float, size: int) -> None:
    now = int(before * share)

    shrunken = shrunk(manifest(audit=(before, size)), manifest(audit=(now, size)))

    assert [anomaly.kind for anomaly in shrunken] == (["rows"] if now <= before * 0.8 else [])


@CAPPED
@given(rows=st.integers(1, 10**6), before=st.integers(1, 10**9), share=st.floats(0, 1.5))
def test_bytes_that_vanish_under_rows_that_stay_are_told_once(rows: int, before: int, share: float) -> None:
    now = int(before * share)
    earlier, today = manifest(audit=(rows, before)), manifest(audit=(rows, now))

    assert [anomaly.kind for anomaly in shrunk(earlier, today)] == (["bytes"] if now <= before * 0.8 else [])
    binary = replace(today, tables=(replace(today.tables[0], format="binary"),))
    assert shrunk(earlier, binary) == []


def test_an_anomaly_is_the_same_until_the_run_it_is_measured_against_changes() -> None:
    first, second = (shrunk(manifest(audit=(100, 9)), manifest(audit=(rows, 9)))[0].finding() for rows in (50, 40))
    other = shrunk(replace(manifest(audit=(100, 9)), run="NEXT"), manifest(audit=(50, 9)))[0].finding()

    assert first.fingerprint == second.fingerprint != other.fingerprint


def history(growth: list[int], hours: list[int], base: int = 100_000) -> list[Measured]:
    at, rows, made = START, base, [Measured(START, base, base * 100)]
    for more, wait in zip(growth, hours, strict=True):
        at, rows = at + timedelta(hours=wait), rows + more
        made.append(Measured(at, rows, rows * 100))
    return made


@CAPPED
@given(
    rate=st.integers(0, 500),
    waits=st.lists(st.integers(1, 72), min_size=FEWEST_RUNS, max_size=40),
    noise=st.lists(st.integers(-30, 30), min_size=40, max_size=40),
)
def test_steady_growth_with_noise_raises_nothing_however_long_the_gaps(rate, waits, noise) -> None:
    growth = [max(0, rate * hours + extra) for hours, extra in zip(waits, noise, strict=False)]
    made = history(growth, waits)

    assert off_trend(made[:-1], made[-1], "audit-trail", "RUN") == []


@CAPPED
@given(runs=st.integers(FEWEST_RUNS, 30), rate=st.integers(1, 500), factor=st.integers(2, 50), odd=st.integers(0, 3))
def test_a_jump_is_told_even_after_an_odd_run_in_the_history(runs: int, rate: int, factor: int, odd: int) -> None:
    growth = [rate * 24] * runs
    growth[odd] += 5000  # one odd day moves neither the median nor the deviation
    made = history(growth, [24] * runs)
    last = made[-1]
    jump = Measured(last.at + timedelta(hours=24), last.rows * (1 + factor), last.bytes + rate * 2400)

    assert "growth of rows" in [anomaly.kind for anomaly in off_trend(made, jump, "audit-trail", "RUN")]


@pytest.mark.parametrize("runs", range(FEWEST_RUNS - 1))
def test_too_short_a_history_says_nothing(runs: int) -> None:
    made = history([10] * runs, [24] * runs)

    assert off_trend(made[:-1], Measured(START + timedelta(days=99), 10**9, 10**9), "x", "RUN") == []


@pytest.mark.parametrize(
    ("seconds", "budget", "told"), [(9.0, None, False), (10.0, 10, False), (10.1, 10, True), (1.0, 0, True)]
)
def test_a_proof_over_its_budget_is_told(seconds: float, budget: int | None, told: bool) -> None:
    assert bool(too_slow(seconds, budget)) is told


def test_a_day_shows_the_worst_of_its_slots_and_tells_them_all() -> None:
    day = worst(Counter({"proven": 23, "late": 1, "suspect": 2}))

    assert (day.status, day.told) == ("suspect", "2 suspect, 1 late, 23 proven")


def test_every_status_is_drawn_in_a_shape_of_its_own() -> None:
    today = date(2026, 11, 23)
    statuses = {*Slot.Status.values} | {"suspect"}

    marks = [_outline_of_the_day(heat({today: Day(status, status)}, today, "", "")) for status in sorted(statuses)]

    assert len(set(marks)) == len(statuses)


def _outline_of_the_day(drawn: str) -> str:
    """The one path of the marked day; before it comes the path of the dots, for days without a slot."""
    paths = re.findall(r'<path class="[^"]*" d="([^"]*)"', drawn.split("<figcaption")[0])
    (mark,) = filter(None, paths[1:])
    return mark


def test_the_calendar_has_a_title_a_description_and_a_table_twin() -> None:
    today = date(2026, 11, 23)
    days = {today: Day("failed", "1 failed"), today - timedelta(days=1): Day("proven", "24 proven")}
    days[today - timedelta(weeks=40)] = Day("missed", "too old to be shown")

    drawn = str(heat(days, today, "Slots of <production>", "26 weeks"))

    assert "Slots of &lt;production&gt;</title>" in drawn
    assert "26 weeks</desc>" in drawn
    assert "2026-11-23: 1 failed" in drawn
    assert "Mon 23: 1 failed" in drawn
    assert "too old" not in drawn
    assert "style=" not in drawn
