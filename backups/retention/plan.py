"""Which runs a policy keeps, which it retires, and whose data may be deleted. Pure; the clocks are arguments.

In: facts about a policy's stored runs, its rule, two clocks. Out: one line a run with every reason. Generations are
counted over proven runs, never over days: while nothing is proven, nothing ages out.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from backups.policy_spec import FLOOR, Rule
from backups.retention.model import BROUGHT_BACK, QUIET, SKEW, TOMBSTONE, Clock, Fact, Line, Plan


def plan(facts: Sequence[Fact], rule: Rule, clock: Clock) -> Plan:
    """One line for each fact, newest first. A refusal still shows the lines, so that a person sees what waits."""
    ordered = sorted(facts, key=lambda fact: (fact.at, fact.run), reverse=True)
    wanted = points_wanted(ordered, rule, clock.database) if rule.point_days else wanted_by(ordered, rule)
    lines = tuple(_line(fact, ordered, wanted, rule, clock.database) for fact in ordered)
    return Plan(lines, disagreement(ordered, rule, clock))


def points_wanted(facts: Sequence[Fact], rule: Rule, now: datetime) -> dict[str, list[str]]:
    """Why restore points are kept: what they guard has not ended, or not long ago, or none is newer."""
    reasons: dict[str, list[str]] = {}
    for fact in facts:
        if fact.newest:
            reasons.setdefault(fact.run, []).append("the newest restore point of its environment")
        if fact.ended_at is None:
            reasons.setdefault(fact.run, []).append("its operation has not ended")
        elif now < fact.ended_at + timedelta(days=rule.point_days):
            reasons.setdefault(fact.run, []).append(f"its operation ended less than {rule.point_days} days ago")
    return reasons


def wanted_by(facts: Sequence[Fact], rule: Rule) -> dict[str, list[str]]:
    """Why each counted run is kept; `facts` are newest first, retired ones are wanted only by the floor."""
    counted = [fact for fact in facts if fact.counts]
    not_retired = [fact for fact in counted if fact.retired_at is None]
    reasons: dict[str, list[str]] = {}
    for number, fact in enumerate(counted[:FLOOR]):
        reasons.setdefault(fact.run, []).append("the newest proven" if number == 0 else "one of the three newest")
    for fact in not_retired[: rule.last]:
        reasons.setdefault(fact.run, []).append(f"among the last {rule.last}")
    zone = ZoneInfo(rule.zone)
    generations: list[tuple[str, int, Callable[[datetime], Hashable], str]] = [
        ("day", rule.daily, lambda at: at.date(), "%Y-%m-%d"),
        ("week", rule.weekly, lambda at: at.isocalendar()[:2], "%G-W%V"),
        ("month", rule.monthly, lambda at: (at.year, at.month), "%Y-%m"),
        ("year", rule.yearly, lambda at: at.year, "%Y"),
    ]
    for name, count, key, shown in generations:
        for fact, local in _first_of_each(not_retired, count, key, zone):
            reasons.setdefault(fact.run, []).append(f"{name} {local.strftime(shown)}")
    return reasons


def _first_of_each(
    facts: Sequence[Fact], count: int, key: Callable[[datetime], Hashable], zone: ZoneInfo
) -> list[tuple[Fact, datetime]]:
    """The newest run of each of the `count` newest periods that have one."""
    kept_by_period: dict[Hashable, tuple[Fact, datetime]] = {}
    for fact in facts:
        local = fact.at.astimezone(zone)
        if len(kept_by_period) == count and key(local) not in kept_by_period:
            break
        kept_by_period.setdefault(key(local), (fact, local))
    return list(kept_by_period.values())[:count]


def _line(fact: Fact, facts: Sequence[Fact], wanted: dict[str, list[str]], rule: Rule, now: datetime) -> Line:
    if fact.purged:
        return Line(fact.run, "purged", ("its data was deleted; manifest and proofs stay",))
    reasons = tuple(wanted.get(fact.run, ())) + _protections(fact, now)
    if fact.retired_at is not None:
        return _retired(fact, facts, reasons, rule, now)
    if not reasons and not rule.point_days:
        reasons = _doubts(fact, facts, rule, now)
    return Line(fact.run, "keep", reasons) if reasons else Line(fact.run, "retire", (_unwanted(fact, rule),))


def _protections(fact: Fact, now: datetime) -> tuple[str, ...]:
    back = fact.brought_back_at
    checks = [
        (not fact.present, "objects of it are missing from the store, so it is evidence"),
        (fact.held, "a hold stands"),
        (fact.altered, "an open incident is about it"),
        (fact.busy, "a restore or a check of it is asked for"),
        (back is not None and now < back + BROUGHT_BACK, "brought back less than thirty days ago"),
    ]
    return tuple(text for holds, text in checks if holds)


def _doubts(fact: Fact, facts: Sequence[Fact], rule: Rule, now: datetime) -> tuple[str, ...]:
    """A run that nobody may rely on is kept while it is young, or while too few newer ones are proven."""
    if fact.counts:
        return ()
    if now - fact.at < timedelta(days=rule.unproven_days):
        return (f"not proven, younger than {rule.unproven_days} days",)
    newer = sum(other.counts and other.retired_at is None and other.at > fact.at for other in facts)
    return () if newer >= FLOOR else ("not proven, but fewer than three newer ones are",)


def _retired(fact: Fact, facts: Sequence[Fact], reasons: tuple[str, ...], rule: Rule, now: datetime) -> Line:
    assert fact.retired_at is not None  # noqa: S101 - the caller asked
    until = max(filter(None, [fact.retired_at + TOMBSTONE, fact.retained_until]))
    if fact.purging:
        return Line(fact.run, "due", ("its deletion has begun",), until)
    if reasons:
        return Line(fact.run, "retired", reasons, until)
    if fact.retained_until is not None and fact.retained_until > now:
        return Line(
            fact.run, "retained", (f"the store locks it until {fact.retained_until:%Y-%m-%d %H:%M} UTC",), until
        )
    if now < until:
        return Line(fact.run, "retired", ("its data stays for seven days",), until)
    since = sum(other.counts and other.retired_at is None and other.at > fact.retired_at for other in facts)
    if since < FLOOR and not rule.point_days:
        return Line(fact.run, "retired", (f"only {since} of three newer runs are proven since",), until)
    return Line(fact.run, "due", ("seven days are over",), until)


def _unwanted(fact: Fact, rule: Rule) -> str:
    if rule.point_days:
        return f"a restore point whose operation ended {rule.point_days} days ago or more"
    if not fact.proven:
        return f"never proven, older than {rule.unproven_days} days"
    return "no generation of the policy wants it"


def disagreement(facts: Sequence[Fact], rule: Rule, clock: Clock) -> str:
    """Why these clocks may not decide about deletion; empty when they may."""
    now = clock.database
    if abs(clock.here - now) > SKEW:
        apart = abs((clock.here - now).total_seconds())
        return f"this machine's clock and the database's differ by {apart:,.0f} s; correct it"
    future = [fact for fact in facts if fact.at > now + SKEW or (fact.retired_at and fact.retired_at > now + SKEW)]
    if future:
        return f"a run is dated in the future ({future[0].at:%Y-%m-%d %H:%M} UTC): a clock is or was wrong; correct it"
    if rule.point_days:
        return ""  # one run each: that none is proven, or none lately, says nothing of backups
    proven = [fact.at for fact in facts if fact.counts]
    if not proven:
        return "no run is proven; prove one first"
    if now - max(proven) > QUIET:
        return (
            f"the newest proven run is {(now - max(proven)).days} days old: backups have stopped or a clock is wrong; "
            "prove a new run first"
        )
    return ""
