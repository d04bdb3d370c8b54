"""From the portal's records and the store's papers to one Report. In: environment, period, who asks. Out: a Report."""

from __future__ import annotations

from datetime import datetime

from backups.evidence import portal_records
from backups.evidence.chain_assessment import judge
from backups.evidence.inputs import Material, material
from backups.evidence.periods import gaps, moment, month_end, months_of
from backups.evidence.report import Report, Watched, word_of
from backups.evidence.verdicts import ChainVerdict
from backups.evidence.wording import cannot_be_known, first_sentence
from operations.models import Environment
from operations.periodic.clock import database_time
from providers.errors import Refused


def build(environment: Environment, start: datetime, end: datetime, by: str) -> Report:
    """Everything about a period; its end is not part of it. Raises Refused for a wrong period or altered papers."""
    now = database_time()
    if end <= start:
        raise Refused("The period ends before it begins. Nothing was read.")
    if start > now:
        raise Refused("The period lies in the future. Nothing was read.")
    inputs = material(environment, start, months_of(start, end))
    chains, watched = _chains(inputs, months_of(start, end)), _watched(environment, inputs, start, min(end, now))
    proven = [line for line in inputs.lines if line.status == "proven"]
    unseen = _unseen(inputs, watched, start, end, now)
    word = word_of(chains, unseen, len(proven))
    months, period = tuple(sorted(months_of(start, end))), f"{start:%Y-%m-%d} to {end:%Y-%m-%d}"
    whole = (start.day, start.hour, start.minute, start.second) == (1, 0, 0, 0) and _whole(end, now, months[-1])
    return Report(
        environment=environment.slug,
        period_from=moment(start),
        period_to=moment(end),
        months=months,
        produced_at=moment(now),
        produced_by=by,
        word=word,
        sentence=first_sentence(word, period, chains, watched, proven, unseen),
        chains=tuple(chains),
        watched=watched,
        cannot_be_known=(
            *(f"{reason[:1].upper()}{reason[1:]}." for reason in unseen),
            *cannot_be_known(months, whole, watched, inputs.lines, portal_records.first_proven(environment)),
            *portal_records.not_checked(inputs),
            *portal_records.not_covered(inputs),
        ),
        slots=tuple(portal_records.slots(environment, start, end)),
        troubles=tuple(portal_records.troubles(environment, start, end)),
        recovery=portal_records.recovery(environment, start, end, watched),
        protection=portal_records.protection(inputs),
        restores=tuple(portal_records.restores(environment, start, end)),
        incidents=tuple(portal_records.incidents(environment, start, end)),
        runs=tuple(inputs.lines),
    )


def _whole(end: datetime, now: datetime, last_month: str) -> bool:
    return end >= month_end(last_month) or end >= now


def _chains(material: Material, months: frozenset[str]) -> list[ChainVerdict]:
    tables = sorted({table.table for seen in material.seen for table in seen.facts.tables})
    return [verdict for table in tables for verdict in judge(table, months, material.seen, material.by_run)]


def _watched(environment: Environment, found: Material, start: datetime, end: datetime) -> Watched:
    """A gap is longer than the schedule's longest interval with its grace; without a schedule, than a day."""
    allowed = portal_records.allowed_seconds(environment, start, end)
    times = found.proven_at
    listed, longest = gaps(times, start, end, allowed)
    to_the_end = bool(times) and (end - times[-1]).total_seconds() <= allowed
    return Watched(moment(start), moment(end), tuple(listed), longest, int(allowed), to_the_end)


def _unseen(found: Material, watched: Watched, start: datetime, end: datetime, now: datetime) -> list[str]:
    """What of the period nobody watched: what is to come of it, what came before the first run, its end."""
    reasons = [f"the period is not over: it ends at {end:%Y-%m-%d %H:%M} UTC"] if end > now else []
    times = found.proven_at
    if times and (times[0] - start).total_seconds() > watched.allowed_seconds:
        reasons.append(f"nobody watched before {times[0]:%Y-%m-%d %H:%M} UTC")
    if not watched.to_the_end:
        reasons.append("the end of the period was not watched")
    return reasons
