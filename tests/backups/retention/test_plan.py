"""The pure rules of retention: properties over any history, and the named bad cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backups.policy_spec import FLOOR, Rule
from backups.retention.model import QUIET, TOMBSTONE, Clock, Fact, Plan
from backups.retention.plan import plan
from tests import sampling

HISTORIES = sampling.size("RETENTION_HISTORIES")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SMALL = Rule(last=3, daily=3, weekly=2, monthly=2, yearly=1, unproven_days=10)
HOURS = st.integers(min_value=0, max_value=24 * 800)
RULES = st.builds(
    Rule,
    last=st.integers(FLOOR, 6),
    daily=st.integers(0, 5),
    weekly=st.integers(0, 4),
    monthly=st.integers(0, 4),
    yearly=st.integers(0, 3),
    unproven_days=st.integers(0, 40),
    zone=st.sampled_from(["UTC", "Europe/Madrid"]),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    facts = []
    for number, hours in enumerate(draw(st.lists(HOURS, max_size=40, unique=True))):
        retired = draw(st.booleans()) and draw(st.booleans())
        facts.append(
            Fact(
                run=f"r{number}",
                at=NOW - timedelta(hours=hours),
                proven=draw(st.booleans()) or draw(st.booleans()),
                present=draw(st.integers(0, 9)) > 0,
                held=draw(st.integers(0, 9)) == 0,
                busy=draw(st.integers(0, 9)) == 0,
                retained_until=NOW + timedelta(days=draw(st.integers(-9, 9))) if draw(st.booleans()) else None,
                retired_at=NOW - timedelta(hours=draw(st.integers(0, hours))) if retired else None,
            )
        )
    return facts


def at(now: datetime = NOW, database: datetime | None = None) -> Clock:
    return Clock(now, database or now)


def daily(days: int, until: datetime = NOW, **fields: Any) -> list[Fact]:
    return [Fact(f"d{day}", until - timedelta(days=day), **{"proven": True, **fields}) for day in range(days)]


def verdicts(planned: Plan) -> dict[str, str]:
    return {line.run: line.verdict for line in planned.lines}


@given(histories(), RULES)
@settings(max_examples=HISTORIES, deadline=None)
def test_what_must_stay_stays_whatever_the_history_and_the_rule(facts: list[Fact], rule: Rule) -> None:
    planned = plan(facts, rule, at())
    going = {*planned.retire, *planned.due}
    counted = sorted((fact for fact in facts if fact.counts), key=lambda fact: fact.at, reverse=True)

    assert not going & {fact.run for fact in counted[:FLOOR]}
    assert not going & {fact.run for fact in facts if fact.held or fact.busy or not fact.present}
    assert not set(planned.due) & {fact.run for fact in facts if fact.retained_until and fact.retained_until > NOW}
    assert not set(planned.due) & {
        fact.run for fact in facts if not fact.retired_at or NOW - fact.retired_at < TOMBSTONE
    }
    assert {line.run for line in planned.lines} == {fact.run for fact in facts}
    assert all(line.reasons for line in planned.lines)


@given(histories(), RULES)
@settings(max_examples=HISTORIES // 2, deadline=None)
def test_bad_runs_age_nothing_out_and_a_plan_is_stable(facts: list[Fact], rule: Rule) -> None:
    bad = [Fact(f"bad{hour}", NOW - timedelta(minutes=hour), proven=False) for hour in range(7)]
    before = plan(facts, rule, at())
    with_bad = plan([*facts, *bad], rule, at())
    applied = [replace(f, retired_at=NOW) if f.run in before.retire else f for f in facts]

    proven = {fact.run for fact in facts if fact.counts}
    assert proven & set(before.retire) == proven & set(with_bad.retire)
    assert not plan(applied, rule, at()).retire


@given(histories(), RULES, st.sampled_from([365, -365]), st.booleans())
@settings(max_examples=HISTORIES // 2, deadline=None)
def test_a_clock_a_year_away_deletes_nothing(facts: list[Fact], rule: Rule, days: int, both: bool) -> None:
    recent = [*facts, Fact("now", NOW, proven=True)]
    wrong = NOW + timedelta(days=days)
    clock = at(wrong) if both else Clock(wrong, NOW)

    planned = plan(recent, rule, clock)

    assert planned.refused
    assert (planned.retire, planned.due) == ([], [])


def test_a_year_of_daily_runs_keeps_each_generation_and_no_more() -> None:
    kept: list[Fact] = []
    for day in range(400):
        now = NOW + timedelta(days=day)
        kept.append(Fact(f"day{day}", now, proven=True))
        going = plan(kept, SMALL, at(now)).retire
        kept = [fact for fact in kept if fact.run not in going]

    last = NOW + timedelta(days=399)
    months = {(fact.at.year, fact.at.month) for fact in kept}
    assert {(last.year, last.month), ((last - timedelta(days=31)).year, (last - timedelta(days=31)).month)} <= months
    assert len(kept) <= SMALL.last + SMALL.daily + SMALL.weekly + SMALL.monthly + SMALL.yearly
    assert kept[-1].run == "day399"


def test_the_run_of_a_day_is_the_newest_of_that_day_in_the_policys_zone() -> None:
    late = Fact("late", datetime(2026, 11, 20, 23, 30, tzinfo=UTC), proven=True)
    early = Fact("early", datetime(2026, 11, 20, 8, tzinfo=UTC), proven=True)
    rule = Rule(last=FLOOR, daily=5, weekly=0, monthly=0, yearly=0, zone="Europe/Madrid")

    lines = {line.run: line for line in plan([*daily(4), late, early], rule, at()).lines}

    assert "day 2026-11-21" not in lines["early"].reasons
    assert "day 2026-11-20" in lines["d3"].reasons  # 12:00 that day; 23:30 UTC is already the 21st in Madrid
    assert lines["late"].verdict == "retire"


def test_seven_bad_runs_in_a_row_leave_the_last_good_one() -> None:
    bad = [Fact(f"b{day}", NOW - timedelta(days=day), proven=False) for day in range(7)]
    good = Fact("good", NOW - timedelta(days=8), proven=True)

    planned = plan([*bad, good], SMALL, at())

    assert set(verdicts(planned).values()) == {"keep"}


def test_a_run_whose_objects_are_gone_does_not_count_as_one_of_three() -> None:
    facts = daily(4)
    facts[0] = replace(facts[0], present=False)

    lines = {line.run: line for line in plan(facts, replace(SMALL, daily=0, weekly=0, monthly=0, yearly=0), at()).lines}

    assert lines["d3"].verdict == "keep"
    assert "evidence" in lines["d0"].reasons[0]


@pytest.mark.parametrize(
    ("fields", "verdict", "told"),
    [
        ({}, "due", "seven days are over"),
        ({"held": True}, "retired", "a hold stands"),
        ({"altered": True}, "retired", "an open incident"),
        ({"busy": True}, "retired", "a restore"),
        ({"present": False}, "retired", "evidence"),
        ({"retained_until": NOW + timedelta(days=3)}, "retained", "locks it until 2026-11-26"),
        ({"retired_at": NOW - timedelta(days=6)}, "retired", "seven days"),
        ({"purging": True}, "due", "has begun"),
        ({"purged": True}, "purged", "manifest and proofs stay"),
        ({"retired_at": NOW - timedelta(days=8), "at": NOW - timedelta(days=7.5)}, "due", "seven days are over"),
    ],
)
def test_a_retired_run(fields: dict, verdict: str, told: str) -> None:
    old = Fact(
        "old", **{"at": NOW - timedelta(days=99), "proven": True, "retired_at": NOW - timedelta(days=8), **fields}
    )

    line = next(line for line in plan([*daily(6), old], SMALL, at()).lines if line.run == "old")

    assert line.verdict == verdict
    assert told in " ".join(line.reasons)


def test_a_tombstone_waits_for_three_newer_proven_runs() -> None:
    old = Fact("old", NOW - timedelta(days=99), proven=True, retired_at=NOW - timedelta(days=8))
    older = [Fact(f"o{n}", NOW - timedelta(days=20 + n), proven=True) for n in range(3)]

    planned = plan([*older, *daily(2), old], SMALL, at())

    assert verdicts(planned)["old"] == "retired"
    assert planned.due == []


@pytest.mark.parametrize(
    ("facts", "clock", "told"),
    [
        (daily(5), Clock(NOW + timedelta(minutes=3), NOW), "clock and the database's differ by 180 s"),
        ([*daily(5), Fact("odd", NOW + timedelta(days=1), proven=False)], at(), "a run is dated in the future"),
        (daily(5, NOW - QUIET - timedelta(days=1)), at(), "15 days old"),
        (daily(5, proven=False), at(), "no run is proven"),
    ],
)
def test_it_refuses_in_words_and_still_shows_the_lines(facts: list[Fact], clock: Clock, told: str) -> None:
    planned = plan(facts, SMALL, clock)

    assert told in planned.refused
    assert len(planned.lines) == len(facts)


def test_a_run_brought_back_is_left_alone_for_thirty_days() -> None:
    back = Fact("back", NOW - timedelta(days=50), proven=True, brought_back_at=NOW - timedelta(days=29))

    assert verdicts(plan([*daily(40), back], SMALL, at()))["back"] == "keep"
    assert verdicts(plan([*daily(40), back], SMALL, at(NOW + timedelta(days=2))))["back"] == "retire"


POINT = Rule(point_days=90)


def point(days: float | None, **fields: Any) -> Fact:
    """A restore point whose operation ended so many days ago, or goes on."""
    ended = NOW - timedelta(days=days) if days is not None else None
    return Fact("p", NOW - timedelta(days=200), **{"proven": True, "ended_at": ended, **fields})


@pytest.mark.parametrize(
    ("fact", "verdict", "reason"),
    [
        (point(91), "retire", "ended 90 days ago or more"),
        (point(91, proven=False), "retire", "ended 90 days ago or more"),
        (point(89), "keep", "less than 90 days ago"),
        (point(None), "keep", "has not ended"),
        (point(91, newest=True), "keep", "the newest restore point"),
        (point(91, held=True), "keep", "a hold stands"),
        (point(91, altered=True), "keep", "an open incident"),
        (point(91, present=False), "keep", "missing from the store"),
        (point(99, retired_at=NOW - timedelta(days=6)), "retired", "seven days"),
        (point(99, retired_at=NOW - timedelta(days=8)), "due", "seven days are over"),
        (point(99, retired_at=NOW - timedelta(days=8), held=True), "retired", "a hold stands"),
    ],
)
def test_a_restore_point_goes_by_the_end_of_its_operation(fact: Fact, verdict: str, reason: str) -> None:
    planned = plan([fact], POINT, at())

    assert (planned.lines[0].verdict, planned.refused) == (verdict, "")
    assert reason in ", ".join(planned.lines[0].reasons)
